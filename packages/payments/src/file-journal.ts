// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="./internal/runtime.d.ts" />
import { mkdir, open, readdir, readFile, rename, rm } from '#fs'
import { assertString, encodeZ32 } from '@covey/core'
import locks from 'fs-native-extensions'
import { PaymentError } from './errors.js'
import { decodeEntry, encodeEntry, journalOf, type JournalEntry, type PaymentJournal } from './journal.js'

const ENTRY = /^[a-z0-9]{52}$/
const TEMPORARY = '.tmp'

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
  assertString(folder, 'folder', { minLength: 1 })
  const unlock = await attempt('opened', () => lock(folder))
  const writing = new Set<Promise<void>>()
  let isClosed = false
  try {
    const entries = await attempt('read', () => readEntries(folder))
    return journalOf(entries, {
      async put(key, entry) {
        if (isClosed) throw new PaymentError('PAYMENTS_CLOSED', 'The journal was closed.')
        const written = attempt('written', () => replace(folder, key, encodeEntry(entry)))
        const settled = written.catch(() => undefined)
        writing.add(settled)
        await written.finally(() => writing.delete(settled))
      },
      async close() {
        if (isClosed) return
        isClosed = true
        await Promise.all(writing)
        await unlock()
      }
    })
  } catch (error) {
    await unlock()
    throw error
  }
}

/** The lock is the operating system's, so that a killed process holds nothing. */
async function lock(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = await open(`${folder}/lock`, 'a+', 0o600)
  if (locks.tryLock(file.fd)) return () => file.close()
  await file.close()
  throw new PaymentError('JOURNAL_LOCKED', 'Another process has the journal open.', {
    retryable: true,
    hint: 'Two wallets must not share a journal: close the other one.'
  })
}

async function readEntries(folder: string): Promise<Map<string, JournalEntry>> {
  const entries = new Map<string, JournalEntry>()
  for (const name of await readdir(folder)) {
    if (name.endsWith(TEMPORARY)) await rm(`${folder}/${name}`, { force: true })
    if (!ENTRY.test(name)) continue
    const entry = decodeEntry(Uint8Array.from(await readFile(`${folder}/${name}`)))
    if (!entry.ok || encodeZ32(entry.value.requestHash) !== name) {
      throw new PaymentError('JOURNAL_DAMAGED', `The entry ${name} of the journal cannot be read.`, {
        hint: 'Find out from the wallet whether it was paid, and only then move the file away.'
      })
    }
    entries.set(name, entry.value)
  }
  return entries
}

async function replace(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  // One process, and one attempt at a time for each request: the name is free.
  const temporary = `${folder}/${name}${TEMPORARY}`
  await flush(temporary, 'w', bytes)
  await rename(temporary, `${folder}/${name}`)
  await flush(folder, 'r')
}

async function flush(path: string, flags: string, bytes?: Uint8Array): Promise<void> {
  let file
  try {
    file = await open(path, flags, 0o600)
  } catch (error) {
    // A folder cannot be opened on Windows, where the system sees to its entries.
    if (bytes === undefined && ['EISDIR', 'EPERM', 'EACCES'].includes((error as { code?: string }).code ?? '')) return
    throw error
  }
  try {
    for (let offset = 0; bytes !== undefined && offset < bytes.length; ) {
      offset += (await file.write(bytes, offset)).bytesWritten
    }
    await file.sync()
  } finally {
    await file.close()
  }
}

async function attempt<Value>(verb: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof PaymentError) throw cause
    throw new PaymentError('JOURNAL_FAILED', `The journal could not be ${verb}.`, {
      cause,
      retryable: true,
      hint: 'Check the folder, its permissions and the free space.'
    })
  }
}
