import { encodeZ32 } from '@covey/core'
import { openDurableFolder } from './internal/durable-folder.js'
import { decodeEntry, encodeEntry, journalOf, type PaymentJournal } from './journal.js'

/**
 * Opens the journal in `folder`, which is made where there is none, with a file for each request. An entry is durable
 * when `put` resolves: written to a new file, flushed, put in place of the old one, and the folder flushed too, so
 * that a crash at any moment leaves the old entry or the new one. A file that cannot be read is not skipped: what it
 * names may have been paid.
 *
 * @throws {PaymentError} JOURNAL_LOCKED while another process has it open, JOURNAL_DAMAGED, JOURNAL_FAILED
 * @throws {TypeError} when `folder` is not a path.
 * @example
 * ```ts
 * import { openFileJournal } from '@covey/payments'
 *
 * const journal = await openFileJournal('./alice/payments')
 * console.log(journal.list().filter(({ state }) => state === 'sent').length)
 * await journal.close()
 * ```
 */
export async function openFileJournal(folder: string): Promise<PaymentJournal> {
  const files = await openDurableFolder(folder, {
    encode: encodeEntry,
    decode(bytes, name) {
      const entry = decodeEntry(bytes)
      return entry.ok && encodeZ32(entry.value.requestHash) === name ? entry.value : undefined
    },
    hint: 'Find out from the wallet whether it was paid, and only then move the file away.'
  })
  return journalOf(files)
}
