import { assertBytes, assertInteger, assertOptions, equalBytes, writeBytes, type ByteReader, type Result } from '@covey/core'
import type { PaymentError } from './errors.js'
import {
  assertSigner,
  openMessage,
  signMessage,
  type ExpectedMessage,
  type MessageKind,
  type SignedMessage,
  type Signer
} from './internal/signed-message.js'
import type { PaymentRequest } from './request.js'

/**
 * What the payee says of a request of theirs:
 * - `ack`: its own wallet has the money that `receipt` tells of. Worth more than a proof that others can copy.
 * - `cancel`: it is not to be paid any more.
 * - `refund`: what `receipt` tells of is given back, by paying `refundRequest`, a request that the payer has made.
 */
export interface PaymentNotice extends SignedMessage {
  readonly kind: 'ack' | 'cancel' | 'refund'
  /** The key of the room, 32 bytes. */
  readonly room: Uint8Array
  /** The `coreHash` of the request, 32 bytes. */
  readonly requestHash: Uint8Array
  /** The identity that has made the request, and signs this. */
  readonly payee: Uint8Array
  /** The `hash` of the receipt, 32 bytes; `null` with `cancel`. */
  readonly receipt: Uint8Array | null
  /** The `coreHash` of the request by which money goes back, 32 bytes; `null` unless it is a `refund`. */
  readonly refundRequest: Uint8Array | null
  /** When, by the payee's clock. */
  readonly createdMs: number
}

/** What {@link signNotice} takes. Hashes are 32 bytes. */
export type NoticeInit = { createdMs?: number | undefined } & (
  | { kind: 'cancel' }
  | { kind: 'ack'; receipt: Uint8Array }
  | { kind: 'refund'; receipt: Uint8Array; refundRequest: Uint8Array }
)

/** What a notice is held against by {@link readNotice}. */
export interface ExpectedNotice extends Omit<ExpectedMessage, 'room'> {
  kind: PaymentNotice['kind']
  /** The request that it is about. */
  request: PaymentRequest
}

/**
 * Signs an ack, a cancel or a refund as a device of the payee.
 *
 * @throws {TypeError} when the signer is not the payee, or a field is malformed.
 * @example
 * ```ts
 * import type { LocalIdentity } from '@covey/identity'
 * import { signNotice, type PaymentRequest } from '@covey/payments'
 *
 * function takeBack(alice: LocalIdentity, request: PaymentRequest): Uint8Array {
 *   return signNotice(alice, request, { kind: 'cancel' }).bytes
 * }
 * ```
 */
export function signNotice(signer: Signer, request: PaymentRequest, init: NoticeInit): PaymentNotice {
  assertOptions(init as { kind: string; createdMs: number; receipt: Uint8Array; refundRequest: Uint8Array }, 'init', [
    'kind',
    'createdMs',
    'receipt',
    'refundRequest'
  ])
  const { kind, createdMs = Date.now() } = init
  const count = hashCount(kind)
  if (count === undefined) throw new TypeError('init.kind must be "ack", "cancel" or "refund"')
  const receipt = init.kind === 'cancel' ? null : init.receipt
  const refundRequest = init.kind === 'refund' ? init.refundRequest : null
  if (receipt !== null) assertBytes(receipt, 'init.receipt', 32)
  if (refundRequest !== null) assertBytes(refundRequest, 'init.refundRequest', 32)
  assertInteger(createdMs, 'init.createdMs', { min: 0 })
  assertSigner(signer, request.payee, 'payee')
  const { room, coreHash: requestHash, payee } = request
  const body = writeBytes((writer) => {
    writer.bytes(room).bytes(requestHash).bytes(payee)
    for (const hash of [receipt, refundRequest]) if (hash !== null) writer.bytes(hash)
    writer.varint(createdMs)
  })
  return { kind, room, requestHash, payee, receipt, refundRequest, createdMs, ...signMessage(kind, signer, room, body) }
}

/**
 * Reads an ack, a cancel or a refund that may come from anybody: whole, of the expected kind, for the expected request,
 * signed by a certified device of its payee. The error's code is as with `readRequest`.
 *
 * @throws {TypeError} when an argument of the caller has the wrong type.
 */
export function readNotice(bytes: Uint8Array, expected: ExpectedNotice): Result<PaymentNotice, PaymentError> {
  assertOptions(expected, 'expected', ['kind', 'request', 'atMs', 'minEpoch'])
  const { kind, request, atMs, minEpoch } = expected
  const count = hashCount(kind)
  if (count === undefined) throw new TypeError('expected.kind must be "ack", "cancel" or "refund"')
  const read = (reader: ByteReader): ReturnType<typeof readBody> => readBody(reader, kind, count)
  return openMessage(kind, bytes, { room: request.room, atMs, minEpoch }, read, ({ requestHash, payee }) => {
    const isAbout = equalBytes(requestHash, request.coreHash) && equalBytes(payee, request.payee)
    return isAbout ? undefined : 'The message is about another request.'
  })
}

function readBody(reader: ByteReader, kind: PaymentNotice['kind'], hashes: number): Omit<PaymentNotice, keyof SignedMessage> & { signer: Uint8Array } {
  const room = reader.bytes(32)
  const requestHash = reader.bytes(32)
  const payee = reader.bytes(32)
  const receipt = hashes > 0 ? reader.bytes(32) : null
  const refundRequest = hashes > 1 ? reader.bytes(32) : null
  return { kind, room, requestHash, payee, receipt, refundRequest, createdMs: reader.varint(), signer: payee }
}

function hashCount(kind: MessageKind): number | undefined {
  const counts: Partial<Record<MessageKind, number>> = { cancel: 0, ack: 1, refund: 2 }
  return counts[kind]
}
