import { assertBytes, assertInteger, assertOptions, assertString, equalBytes, writeBytes, type ByteReader, type Result } from '@covey/core'
import { MAX_PROOF_BYTES } from './constants.js'
import type { PaymentError } from './errors.js'
import { openMessage, signMessage, type ExpectedMessage, type SignedMessage, type Signer } from './internal/signed-message.js'
import type { PaymentRequest } from './request.js'

/** What its payer says of a payment, with a proof that the provider of the method can verify. */
export interface PaymentReceipt extends SignedMessage {
  /** The key of the room, 32 bytes. */
  readonly room: Uint8Array
  /** The `coreHash` of the request, 32 bytes. */
  readonly requestHash: Uint8Array
  /** The identity that says it has paid, and has signed so. */
  readonly payer: Uint8Array
  /** By which method of the request. */
  readonly method: string
  /** Of the method's own kind; at most 1,024 bytes. */
  readonly proof: Uint8Array
  /** When, by the payer's clock. */
  readonly createdMs: number
}

/** What {@link signReceipt} takes. */
export interface ReceiptInit {
  /** The type of the method that was used. */
  method: string
  proof: Uint8Array
  /** In milliseconds since 1970. Default: now. */
  createdMs?: number | undefined
}

/** What a receipt is held against by {@link readReceipt}. */
export interface ExpectedReceipt extends Omit<ExpectedMessage, 'room'> {
  /** The request that it is for. */
  request: PaymentRequest
}

/**
 * Signs, as a device of the payer, that the request was paid. It is worth what its proof is worth: see `verify`.
 *
 * @throws {TypeError} when the request is for another payer, has no such method, or a field is malformed.
 * @example
 * ```ts
 * import type { LocalIdentity } from '@covey/identity'
 * import { signReceipt, type PaymentRequest } from '@covey/payments'
 *
 * function thank(bob: LocalIdentity, request: PaymentRequest, preimage: Uint8Array): Uint8Array {
 *   return signReceipt(bob, request, { method: 'bolt11', proof: preimage }).bytes
 * }
 * ```
 */
export function signReceipt(signer: Signer, request: PaymentRequest, init: ReceiptInit): PaymentReceipt {
  assertOptions(init, 'init', ['method', 'proof', 'createdMs'])
  const { method, proof, createdMs = Date.now() } = init
  assertString(method, 'init.method')
  assertBytes(proof, 'init.proof')
  assertInteger(createdMs, 'init.createdMs', { min: 0 })
  const payer = signer.identity.publicKey
  const { room, coreHash: requestHash } = request
  if (request.payer !== null && !equalBytes(request.payer, payer)) throw new TypeError('signer must be the payer that the request names')
  if (!request.methods.some(({ type }) => type === method)) throw new TypeError('init.method must be a method of the request')
  const body = writeBytes((writer) =>
    writer.bytes(room).bytes(requestHash).bytes(payer).text(method, 32).prefixedBytes(proof, MAX_PROOF_BYTES).varint(createdMs)
  )
  return { room, requestHash, payer, method, proof, createdMs, ...signMessage('receipt', signer, room, body) }
}

/**
 * Reads a receipt that may come from anybody: whole, for the expected request, by one of its methods, signed by a
 * certified device of its payer, who is the one that the request names where it names one. **It does not say that
 * anything was paid**: the proof is for `verify`.
 *
 * The error's code is as with `readRequest`.
 *
 * @throws {TypeError} when an argument of the caller has the wrong type.
 */
export function readReceipt(bytes: Uint8Array, expected: ExpectedReceipt): Result<PaymentReceipt, PaymentError> {
  assertOptions(expected, 'expected', ['request', 'atMs', 'minEpoch'])
  const { request, atMs, minEpoch } = expected
  return openMessage('receipt', bytes, { room: request.room, atMs, minEpoch }, readBody, ({ requestHash, payer, method }) => {
    if (!equalBytes(requestHash, request.coreHash)) return 'The receipt is for another request.'
    if (request.payer !== null && !equalBytes(payer, request.payer)) return 'The request is for another payer.'
    return request.methods.some(({ type }) => type === method) ? undefined : 'The request has no such method.'
  })
}

function readBody(reader: ByteReader): Omit<PaymentReceipt, keyof SignedMessage> & { signer: Uint8Array } {
  const room = reader.bytes(32)
  const requestHash = reader.bytes(32)
  const payer = reader.bytes(32)
  return {
    room,
    requestHash,
    payer,
    method: reader.text(32),
    proof: reader.prefixedBytes(MAX_PROOF_BYTES),
    createdMs: reader.varint(),
    signer: payer
  }
}
