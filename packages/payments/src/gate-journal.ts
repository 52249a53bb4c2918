import { encodeZ32 } from '@covey/core'
import { MAX_SIGNED_MESSAGE_BYTES } from './constants.js'
import { createMemoryMap, openDurableFolder, type DurableMap } from './internal/durable-folder.js'
import { decodeRecord, encodeRecord } from './internal/hashed-record.js'

/**
 * How far an entry is:
 * - `asked`: a price was named, and nothing has come;
 * - `paid`: the money is here, and nothing was given for it;
 * - `granted`: what was paid for is in `grant`;
 * - `late`: the money came after the request had expired. Nothing is given for it; it is owed back;
 * - `over`: nothing came, and it has expired long ago. It is not looked for any more, unless somebody asks for it to be opened.
 */
export type GateState = 'asked' | 'paid' | 'granted' | 'late' | 'over'

/** What a gate knows of one request. */
export interface GateEntry {
  /** The `coreHash` of the request, 32 bytes: the key. */
  readonly requestHash: Uint8Array
  readonly state: GateState
  /** The key of the room, 32 bytes. */
  readonly room: Uint8Array
  /** The request as it was signed. */
  readonly request: Uint8Array
  /** The payer's receipt, where one was shown that may yet count; otherwise empty. */
  readonly receipt: Uint8Array
  /** What the payment has used up: see `Settlement`. Empty while `asked`, and when `over`. */
  readonly spends: Uint8Array
  /** What was granted; empty unless it is `granted`, and there also where there is nothing to hand out. */
  readonly grant: Uint8Array
  /** The identity that the request names, 32 bytes. */
  readonly payer: Uint8Array
  /** When it was asked for, by this device's clock, in milliseconds since 1970. */
  readonly askedMs: number
}

/** Where a gate writes down what it has asked and granted: one gate, one process at a time. */
export type GateJournal = DurableMap<GateEntry>

/** The most that a grant may be: an invite, a key, a short document. */
export const MAX_GRANT_BYTES = 16_384
const STATES: readonly GateState[] = ['asked', 'paid', 'granted', 'late', 'over']
const VERSION = 1
const DOMAIN = 'gate-entry/1'

/**
 * A gate's journal in memory, for tests. **After a crash nobody knows what was paid for.**
 *
 * @example
 * ```ts
 * import { createMemoryGateJournal } from '@covey/payments'
 *
 * console.log(createMemoryGateJournal().list().length)
 * ```
 */
export function createMemoryGateJournal(): GateJournal {
  return createMemoryMap()
}

/**
 * Opens a gate's journal in `folder`, which is made where there is none. A file that cannot be read is not skipped: what
 * it names may have been paid. Grants are in it as they are: whoever reads the folder has them.
 *
 * @throws {PaymentError} JOURNAL_LOCKED while another process has it open, JOURNAL_DAMAGED, JOURNAL_FAILED
 * @throws {TypeError} when `folder` is not a path.
 * @example
 * ```ts
 * import { openGateJournal } from '@covey/payments'
 *
 * const journal = await openGateJournal('./alice/gates/tea')
 * console.log(journal.list().filter(({ state }) => state === 'late').length)
 * await journal.close()
 * ```
 */
export function openGateJournal(folder: string): Promise<GateJournal> {
  return openDurableFolder(folder, {
    encode: ({ requestHash, state, room, request, receipt, spends, grant, payer, askedMs }) =>
      encodeRecord(DOMAIN, (writer) => {
        writer.uint8(VERSION).bytes(requestHash).uint8(STATES.indexOf(state)).bytes(room)
        writer.prefixedBytes(request, MAX_SIGNED_MESSAGE_BYTES).prefixedBytes(receipt, MAX_SIGNED_MESSAGE_BYTES)
        writer.prefixedBytes(spends, 128).prefixedBytes(grant, MAX_GRANT_BYTES).bytes(payer).varint(askedMs)
      }),
    decode(bytes, key) {
      const entry = decodeRecord<GateEntry>(DOMAIN, bytes, (reader) => {
        if (reader.uint8() !== VERSION) reader.fail('The entry was written by a newer version.')
        return {
          requestHash: reader.bytes(32),
          state: STATES[reader.uint8()] ?? reader.fail('The state is not known.'),
          room: reader.bytes(32),
          request: reader.prefixedBytes(MAX_SIGNED_MESSAGE_BYTES),
          receipt: reader.prefixedBytes(MAX_SIGNED_MESSAGE_BYTES),
          spends: reader.prefixedBytes(128),
          grant: reader.prefixedBytes(MAX_GRANT_BYTES),
          payer: reader.bytes(32),
          askedMs: reader.varint()
        }
      })
      return entry !== undefined && encodeZ32(entry.requestHash) === key ? entry : undefined
    },
    hint: 'Find out from the wallet whether it was paid, and what was given for it, before the file is moved away.'
  })
}
