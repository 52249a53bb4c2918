import { assertBytes, assertInteger, assertOptions, assertString, equalBytes, readBytes, writeBytes, type ByteReader, type Result } from '@covey/core'
import sodium from 'sodium-universal'
import {
  DEFAULT_REQUEST_EXPIRY_MS,
  MAX_METHOD_BYTES,
  MAX_METHODS,
  MAX_PURPOSE_BYTES,
  MAX_REFERENCE_BYTES,
  MAX_REQUEST_EXPIRY_MS
} from './constants.js'
import type { PaymentError } from './errors.js'
import { readMoney, writeMoney } from './internal/amount.js'
import { hashOf } from './internal/hash.js'
import { assertSigner, openMessage, signMessage, type ExpectedMessage, type SignedMessage, type Signer } from './internal/signed-message.js'
import { assertMoney, type Money } from './money.js'

/** What a request is about, and what every method of it commits to. Keys are 32 bytes, times milliseconds since 1970. */
export interface RequestCore {
  /** The room that it is made in. */
  readonly room: Uint8Array
  /** Random, 16 bytes: no two requests have the same core. */
  readonly id: Uint8Array
  /** The identity that asks to be paid. */
  readonly payee: Uint8Array
  /**
   * The one identity whose payment counts, or `null` for anybody's. Name it wherever the payer gets something for it:
   * a Lightning proof can be copied by whoever sees it, and does not say by itself who has paid.
   */
  readonly payer: Uint8Array | null
  readonly money: Money
  /** For people, in the payee's words: at most 639 bytes of UTF-8, to be shown as text and nothing else. */
  readonly purpose: string
  /** For programs: a message id, the name of a gate. At most 128 bytes, empty where there is none. */
  readonly reference: string
  readonly createdMs: number
  /** The first moment at which it is not to be paid any more. */
  readonly expiresMs: number
  /** SHA-256 of all of the above: names the request in receipts, in journals and in invoices. 32 bytes. */
  readonly coreHash: Uint8Array
}

/** One way to pay a request. */
export interface PaymentMethod {
  /** What kind of way: `bolt11`, `evm`, or a provider's own; letters `a`–`z`, digits and hyphens, at most 32. */
  readonly type: string
  /** What the provider of that kind needs: at most 4,096 bytes. */
  readonly data: Uint8Array
}

/** A request to be paid, signed by a device of the payee. */
export interface PaymentRequest extends RequestCore, SignedMessage {
  /** The ways to pay it: one of them, once. At least one. */
  readonly methods: readonly PaymentMethod[]
}

/** What {@link draftRequest} takes. */
export interface RequestInit {
  /** The key of the room, 32 bytes. */
  room: Uint8Array
  /** The identity that asks: 32 bytes. */
  payee: Uint8Array
  /** The identity that is to pay: 32 bytes. Default: anybody. */
  payer?: Uint8Array | undefined
  money: Money
  /** For people. At most 639 bytes of UTF-8. */
  purpose: string
  /** For programs. At most 128 bytes of UTF-8. Default: empty. */
  reference?: string | undefined
  /** When it is made, in milliseconds since 1970. Default: now. */
  createdMs?: number | undefined
  /** How long it may be paid. Default: {@link DEFAULT_REQUEST_EXPIRY_MS}. */
  expiresInMs?: number | undefined
}

/** What a request is held against by {@link readRequest}. */
export interface ExpectedRequest extends ExpectedMessage {
  /** Who must have asked: 32 bytes. Default: whoever it names. */
  payee?: Uint8Array | undefined
}

const CORE_DOMAIN = 'core/1'
const METHOD_TYPE = /^[a-z][a-z0-9-]{0,31}$/
const MAX_CORE_BYTES = 2_048
const FIELDS = ['room', 'payee', 'payer', 'money', 'purpose', 'reference', 'createdMs', 'expiresInMs'] as const

/**
 * The core of a new request, which providers make their methods for. It is signed by {@link signRequest}.
 *
 * @throws {TypeError} that names the field.
 * @example
 * ```ts
 * import { draftRequest } from '@covey/payments'
 *
 * const core = draftRequest({
 *   room: new Uint8Array(32),
 *   payee: new Uint8Array(32).fill(1),
 *   money: { asset: 'lightning:bc/slip44:0', amount: 21_000n },
 *   purpose: 'Tea for two'
 * })
 * console.log(core.coreHash.length)
 * ```
 */
export function draftRequest(init: RequestInit): RequestCore {
  assertOptions(init, 'init', FIELDS)
  const { room, payee, payer, money, purpose, reference = '', createdMs = Date.now(), expiresInMs = DEFAULT_REQUEST_EXPIRY_MS } = init
  assertBytes(room, 'init.room', 32)
  assertBytes(payee, 'init.payee', 32)
  if (payer !== undefined) assertBytes(payer, 'init.payer', 32)
  assertMoney(money, 'init.money')
  assertString(purpose, 'init.purpose', { maxBytes: MAX_PURPOSE_BYTES })
  assertString(reference, 'init.reference', { maxBytes: MAX_REFERENCE_BYTES })
  assertInteger(createdMs, 'init.createdMs', { min: 0, max: Number.MAX_SAFE_INTEGER - MAX_REQUEST_EXPIRY_MS })
  assertInteger(expiresInMs, 'init.expiresInMs', { min: 1, max: MAX_REQUEST_EXPIRY_MS })
  const id = new Uint8Array(16)
  sodium.randombytes_buf(id)
  const { asset, amount } = money
  return withHash({ room, id, payee, payer: payer ?? null, money: { asset, amount }, purpose, reference, createdMs, expiresMs: createdMs + expiresInMs })
}

/**
 * Signs a request as a device of the payee, with the ways to pay it. By its signature the payee vouches for each of
 * them: for the node of an invoice, and for the address of a transfer.
 *
 * @throws {TypeError} when the signer is not the payee, or a method is malformed.
 * @example
 * ```ts
 * import { createMemorySecretStore, openIdentity } from '@covey/identity'
 * import { draftRequest, readRequest, signRequest } from '@covey/payments'
 *
 * const alice = await openIdentity({ storage: createMemorySecretStore() })
 * const room = new Uint8Array(32)
 * const money = { asset: 'eip155:1/slip44:60', amount: 1n }
 * const core = draftRequest({ room, payee: alice.identity.publicKey, money, purpose: 'Tea' })
 * const { bytes } = signRequest(alice, core, [{ type: 'evm', data: new Uint8Array(20) }])
 * const request = readRequest(bytes, { room, atMs: Date.now() })
 * console.log(request.ok ? request.value.purpose : request.error.code)
 * ```
 */
export function signRequest(signer: Signer, core: RequestCore, methods: readonly PaymentMethod[]): PaymentRequest {
  assertSigner(signer, core.payee, 'payee')
  if (!Array.isArray(methods) || methods.length < 1 || methods.length > MAX_METHODS) {
    throw new TypeError(`methods must be 1 to ${MAX_METHODS}`)
  }
  for (const [index, { type, data }] of (methods as PaymentMethod[]).entries()) {
    assertString(type, `methods[${index}].type`)
    if (!METHOD_TYPE.test(type)) throw new TypeError(`methods[${index}].type must be a–z, 0–9 and hyphens, at most 32`)
    assertBytes(data, `methods[${index}].data`)
  }
  const body = writeBytes((writer) => {
    writer.prefixedBytes(encodeCore(core), MAX_CORE_BYTES).varint(methods.length)
    for (const { type, data } of methods) writer.text(type, 32).prefixedBytes(data, MAX_METHOD_BYTES)
  })
  return { ...withHash(core), methods: methods.map(({ type, data }) => ({ type, data })), ...signMessage('request', signer, core.room, body) }
}

/**
 * Reads a request that may come from anybody: whole, for the expected room, and signed by a certified device of the
 * payee. Whether it has expired, or was paid or cancelled, is another question.
 *
 * The error's code is `MESSAGE_MALFORMED`, `MESSAGE_TOO_NEW`, `MESSAGE_WRONG_ROOM`, `MESSAGE_BAD_SIGNATURE` or
 * `MESSAGE_MISMATCH`. An example stands at {@link signRequest}.
 *
 * @throws {TypeError} when an argument of the caller has the wrong type or length.
 */
export function readRequest(bytes: Uint8Array, expected: ExpectedRequest): Result<PaymentRequest, PaymentError> {
  assertOptions(expected, 'expected', ['room', 'atMs', 'minEpoch', 'payee'])
  const { payee, ...message } = expected
  if (payee !== undefined) assertBytes(payee, 'expected.payee', 32)
  return openMessage('request', bytes, message, readBody, (request) => {
    return payee === undefined || equalBytes(request.payee, payee) ? undefined : 'The request is of somebody else.'
  })
}

function readBody(reader: ByteReader): Omit<PaymentRequest, keyof SignedMessage> & { signer: Uint8Array } {
  const core = readBytes(reader.prefixedBytes(MAX_CORE_BYTES), readCore)
  if (!core.ok) throw core.error
  const count = reader.varint(MAX_METHODS)
  if (count === 0) reader.fail('There is no method.')
  const methods = Array.from({ length: count }, () => {
    const type = reader.text(32)
    if (!METHOD_TYPE.test(type)) reader.fail('The type of a method is malformed.')
    return { type, data: reader.prefixedBytes(MAX_METHOD_BYTES) }
  })
  return { ...core.value, methods, signer: core.value.payee }
}

function encodeCore({ room, id, payee, payer, money, purpose, reference, createdMs, expiresMs }: Omit<RequestCore, 'coreHash'>): Uint8Array {
  return writeBytes((writer) => {
    writer.bytes(room).bytes(id).bytes(payee).prefixedBytes(payer ?? new Uint8Array(), 32)
    writeMoney(writer, money).text(purpose, MAX_PURPOSE_BYTES).text(reference, MAX_REFERENCE_BYTES)
    writer.varint(createdMs).varint(expiresMs - createdMs)
  })
}

function readCore(reader: ByteReader): RequestCore {
  const room = reader.bytes(32)
  const id = reader.bytes(16)
  const payee = reader.bytes(32)
  const payer = reader.prefixedBytes(32)
  if (payer.length !== 0 && payer.length !== 32) reader.fail('The key of the payer has the wrong length.')
  const money = readMoney(reader)
  const purpose = reader.text(MAX_PURPOSE_BYTES)
  const reference = reader.text(MAX_REFERENCE_BYTES)
  const createdMs = reader.varint(Number.MAX_SAFE_INTEGER - MAX_REQUEST_EXPIRY_MS)
  const expiresMs = createdMs + reader.varint(MAX_REQUEST_EXPIRY_MS)
  if (expiresMs === createdMs) reader.fail('The request lasts for no time.')
  return withHash({ room, id, payee, payer: payer.length === 0 ? null : payer, money, purpose, reference, createdMs, expiresMs })
}

function withHash(core: Omit<RequestCore, 'coreHash'>): RequestCore {
  return { ...core, coreHash: hashOf(CORE_DOMAIN, encodeCore(core)) }
}
