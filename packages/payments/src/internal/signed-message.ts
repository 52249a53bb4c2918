import { assertBytes, assertInteger, assertOptions, encodeZ32, equalBytes, readBytes, writeBytes, type ByteReader, type Result } from '@covey/core'
import { decodeCertificate, verifyCertificate, verifyStatement, type LocalIdentity } from '@covey/identity'
import { MAX_SIGNED_MESSAGE_BYTES } from '../constants.js'
import { PaymentError, type PaymentErrorCode } from '../errors.js'
import { hashOf } from './hash.js'

/** Who signs: an open identity of `@covey/identity`, or whatever stands for one. */
export type Signer = Pick<LocalIdentity, 'identity' | 'device' | 'signStatement'>

/** What a signed message is held against. */
export interface ExpectedMessage {
  /** The room that it must be for: its key, 32 bytes. */
  room: Uint8Array
  /** The time to judge the signer's certificate by, in milliseconds since 1970. Nothing here reads a clock. */
  atMs: number
  /** The smallest epoch of the signer to accept: that of the newest known revocation. Default 0. */
  minEpoch?: number | undefined
}

/** What every signed message says of itself. */
export interface SignedMessage {
  /** SHA-256 of what is signed: the same for all who read the message, 32 bytes. */
  readonly hash: Uint8Array
  /** The device that signed, an Ed25519 key of 32 bytes. */
  readonly device: Uint8Array
  /** The message as it goes over the wire. */
  readonly bytes: Uint8Array
}

export type MessageKind = 'request' | 'receipt' | 'ack' | 'cancel' | 'refund'

const VERSION = 1
const STATEMENT_BYTES = 65
const MAX_CERTIFICATE_BYTES = 1_024

export function signMessage(kind: MessageKind, signer: Signer, room: Uint8Array, body: Uint8Array): SignedMessage {
  const { device } = signer
  const statement = signer.signStatement(domainOf(kind), room, body)
  const bytes = writeBytes((writer) =>
    writer
      .uint8(VERSION)
      .prefixedBytes(body, MAX_SIGNED_MESSAGE_BYTES)
      .prefixedBytes(device.certificate, MAX_CERTIFICATE_BYTES)
      .bytes(statement)
  )
  if (bytes.length > MAX_SIGNED_MESSAGE_BYTES) throw new TypeError(`a message has at most ${MAX_SIGNED_MESSAGE_BYTES} bytes, this has ${bytes.length}`)
  return { hash: hashOf(kind, body), device: device.publicKey, bytes }
}

/**
 * Opens what `signMessage` made: `read` decodes the body, whose `room` and `signer` have to be what is expected, and `mismatch` says
 * what else is not. Signatures take longest and come last: who looks for one message goes through many.
 */
export function openMessage<Body extends { room: Uint8Array; signer: Uint8Array }>(
  kind: MessageKind,
  bytes: Uint8Array,
  expected: ExpectedMessage,
  read: (reader: ByteReader) => Body,
  mismatch: (body: Body) => string | undefined
): Result<Omit<Body, 'signer'> & SignedMessage, PaymentError> {
  assertBytes(bytes, 'bytes')
  assertOptions(expected, 'expected', ['room', 'atMs', 'minEpoch'])
  assertBytes(expected.room, 'expected.room', 32)
  assertInteger(expected.atMs, 'expected.atMs', { min: 0 })
  if (bytes.length > 0 && bytes[0]! > VERSION) return refuse('MESSAGE_TOO_NEW', 'The message was made by a newer version.')
  const outer = readBytes(bytes, readEnvelope, { maxBytes: MAX_SIGNED_MESSAGE_BYTES })
  if (!outer.ok) return refuse('MESSAGE_MALFORMED', outer.error.message)
  const { body, certificate, statement } = outer.value
  const inner = readBytes(body, read)
  if (!inner.ok) return refuse('MESSAGE_MALFORMED', inner.error.message)
  const { signer, ...value } = inner.value
  if (!equalBytes(value.room, expected.room)) return refuse('MESSAGE_WRONG_ROOM', 'The message was made for another room.')
  const reason = mismatch(inner.value)
  if (reason !== undefined) return refuse('MESSAGE_MISMATCH', reason)
  const claim = decodeCertificate(certificate)
  if (!claim.ok) return refuse('MESSAGE_BAD_SIGNATURE', claim.error.message)
  const { device } = claim.value
  const { room, atMs, minEpoch } = expected
  const certified = verifyCertificate(certificate, { device, identity: signer, context: room, atMs, minEpoch })
  if (!certified.ok) return refuse('MESSAGE_BAD_SIGNATURE', certified.error.message)
  if (!verifyStatement(statement, { domain: domainOf(kind), context: room, data: body, device })) {
    return refuse('MESSAGE_BAD_SIGNATURE', 'The signature does not match.')
  }
  return { ok: true, value: { ...value, hash: hashOf(kind, body), device, bytes: Uint8Array.from(bytes) } }
}

export function refuse(code: PaymentErrorCode, message: string): { readonly ok: false; readonly error: PaymentError } {
  return { ok: false, error: new PaymentError(code, message) }
}

/** The signer's key, where it is also what the body names: nobody signs for somebody else. */
export function assertSigner(signer: Signer, named: Uint8Array, who: string): void {
  if (!equalBytes(signer.identity.publicKey, named)) {
    throw new TypeError(`signer must be the ${who}, ${encodeZ32(named)}`)
  }
}

function readEnvelope(reader: ByteReader): { body: Uint8Array; certificate: Uint8Array; statement: Uint8Array } {
  if (reader.uint8() !== VERSION) reader.fail('The message has a version that never was.')
  return {
    body: reader.prefixedBytes(MAX_SIGNED_MESSAGE_BYTES),
    certificate: reader.prefixedBytes(MAX_CERTIFICATE_BYTES),
    statement: reader.bytes(STATEMENT_BYTES)
  }
}

function domainOf(kind: MessageKind): string {
  return `covey/payments/${kind}/${VERSION}`
}
