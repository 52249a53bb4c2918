import { encodeZ32, readBytes, writeBytes, type ByteReader, type Result } from '@covey/core'
import { MAX_ASSET_ID_LENGTH, MAX_PROOF_BYTES, MAX_SIGNED_MESSAGE_BYTES } from './constants.js'
import { createMemoryMap, type DurableMap } from './internal/durable-folder.js'
import { hashOf } from './internal/hash.js'
import { readMoney, writeMoney } from './internal/amount.js'
import type { Money } from './money.js'

/**
 * How far a payment is:
 * - `begun`: written down, and nothing sent;
 * - `sent`: it may have been paid at any moment since;
 * - `paid`: it was, and the proof is here;
 * - `failed`: it was not, and will not be. It may be begun again.
 */
export type PaymentState = 'begun' | 'sent' | 'paid' | 'failed'

/** A payment in the journal: the newest attempt at paying one request. */
export interface JournalEntry {
  /** The `coreHash` of the request, 32 bytes: the key. */
  readonly requestHash: Uint8Array
  readonly state: PaymentState
  /** The key of the room, 32 bytes. */
  readonly room: Uint8Array
  /** The request as it was signed, so that the payment can be looked up after a restart. */
  readonly request: Uint8Array
  /** The name of the provider that pays. */
  readonly provider: string
  /** Which of the request's methods, counted from 0. */
  readonly method: number
  readonly money: Money
  /** What it may cost at most; the asset and the amount are those of a fee, and the amount may be 0. */
  readonly maxFee: { readonly asset: string; readonly amount: bigint }
  /** What is paid to: see `Quote`. */
  readonly destination: Uint8Array
  /** What the provider has saved. Empty while `begun`. */
  readonly handle: Uint8Array
  /** The proof, where it is `paid`; otherwise empty. */
  readonly proof: Uint8Array
  /** How often it was begun. */
  readonly attempts: number
  /** When this attempt began, by this device's clock. */
  readonly beganMs: number
  /**
   * The payee has taken the request back: nothing of it is sent from then on. What was `sent` by then goes its way. One
   * that was never begun is `failed`, with no attempts.
   */
  readonly isCancelled: boolean
  /** What the payment gives back: what the proof of the receipt has used up, at most 128 bytes. Empty where it is no refund. */
  readonly refundOf: Uint8Array
}

/** Where payments are written down before they are made. Keyed by request; one process at a time. */
export interface PaymentJournal {
  get(requestHash: Uint8Array): JournalEntry | undefined
  list(): readonly JournalEntry[]
  /** Resolves when the entry is durable, in place of the former one of the same request. */
  put(entry: JournalEntry): Promise<void>
  /** May be called twice. */
  close(): Promise<void>
}

/** The most that a provider may save of a payment. */
export const MAX_HANDLE_BYTES = 16_384
/** The longest `destination` of a quote. */
export const MAX_DESTINATION_BYTES = 128
const VERSION = 1
const STATES: readonly PaymentState[] = ['begun', 'sent', 'paid', 'failed']
/** A bit; the others are for what is to come. */
const CANCELLED = 1
const HASH_BYTES = 32

/**
 * A journal in memory, for tests and for wallets that are meant to leave nothing behind. **After a crash nothing keeps
 * a payment from being made twice.**
 *
 * @example
 * ```ts
 * import { createMemoryJournal } from '@covey/payments'
 *
 * const journal = createMemoryJournal()
 * console.log(journal.list().length)
 * ```
 */
export function createMemoryJournal(): PaymentJournal {
  return journalOf(createMemoryMap())
}

export function journalOf(entries: DurableMap<JournalEntry>): PaymentJournal {
  return {
    get: (requestHash) => entries.get(encodeZ32(requestHash)),
    list: entries.list,
    put: (entry) => entries.put(encodeZ32(entry.requestHash), entry),
    close: entries.close
  }
}

export function encodeEntry(entry: JournalEntry): Uint8Array {
  const body = writeBytes((writer) => {
    writer.uint8(VERSION).bytes(entry.requestHash).uint8(STATES.indexOf(entry.state)).bytes(entry.room)
    writer.prefixedBytes(entry.request, MAX_SIGNED_MESSAGE_BYTES).text(entry.provider, 32).uint8(entry.method)
    writeMoney(writer, entry.money).text(entry.maxFee.asset, MAX_ASSET_ID_LENGTH).text(entry.maxFee.amount.toString(), 80)
    writer.prefixedBytes(entry.destination, MAX_DESTINATION_BYTES).prefixedBytes(entry.handle, MAX_HANDLE_BYTES)
    writer.prefixedBytes(entry.proof, MAX_PROOF_BYTES).varint(entry.attempts).varint(entry.beganMs)
    writer.uint8(entry.isCancelled ? CANCELLED : 0).prefixedBytes(entry.refundOf, MAX_DESTINATION_BYTES)
  })
  return writeBytes((writer) => writer.bytes(hashOf('journal/1', body)).bytes(body))
}

/** The hash in front finds what a disk has damaged; whoever can write the folder can write a right one. */
export function decodeEntry(bytes: Uint8Array): Result<JournalEntry> {
  return readBytes(bytes, (reader) => {
    const hash = reader.bytes(HASH_BYTES)
    const body = reader.rest()
    if (encodeZ32(hash) !== encodeZ32(hashOf('journal/1', body))) reader.fail('The hash does not match.')
    const entry = readBytes(body, readEntry)
    if (!entry.ok) throw entry.error
    return entry.value
  })
}

function readEntry(reader: ByteReader): JournalEntry {
  if (reader.uint8() !== VERSION) reader.fail('The entry was written by a newer version.')
  const requestHash = reader.bytes(HASH_BYTES)
  const state = STATES[reader.uint8()] ?? reader.fail('The state is not known.')
  return {
    requestHash,
    state,
    room: reader.bytes(32),
    request: reader.prefixedBytes(MAX_SIGNED_MESSAGE_BYTES),
    provider: reader.text(32),
    method: reader.uint8(),
    money: readMoney(reader),
    maxFee: { asset: reader.text(MAX_ASSET_ID_LENGTH), amount: readDecimal(reader) },
    destination: reader.prefixedBytes(MAX_DESTINATION_BYTES),
    handle: reader.prefixedBytes(MAX_HANDLE_BYTES),
    proof: reader.prefixedBytes(MAX_PROOF_BYTES),
    attempts: reader.varint(),
    beganMs: reader.varint(),
    isCancelled: readFlags(reader) === CANCELLED,
    refundOf: reader.prefixedBytes(MAX_DESTINATION_BYTES)
  }
}

/** A flag that is not known may be what keeps something from being paid. */
function readFlags(reader: ByteReader): number {
  const flags = reader.uint8()
  return flags <= CANCELLED ? flags : reader.fail('The entry was written by a newer version.')
}

function readDecimal(reader: ByteReader): bigint {
  const text = reader.text(80)
  return /^(?:0|[1-9][0-9]*)$/.test(text) ? BigInt(text) : reader.fail('A number is malformed.')
}
