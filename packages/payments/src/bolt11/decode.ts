import { assertString, concatBytes, decodeUtf8, encodeUtf8, type Result } from '@covey/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bech32 } from '@scure/base'
import { PaymentError } from '../errors.js'

/** A BOLT11 invoice whose checksum and signature are right. Keys and hashes are bytes, times milliseconds since 1970. */
export interface Bolt11Invoice {
  /** The invoice itself, in lower case. */
  readonly text: string
  /** Which network: `bc` is Bitcoin, `tb` and `tbs` are its testnet and signet, `bcrt` is regtest. */
  readonly network: 'bc' | 'tb' | 'tbs' | 'bcrt'
  /** In millisatoshis; `null` where the payer chooses. */
  readonly amount: bigint | null
  /** SHA-256 of the preimage that the payer will learn: 32 bytes. */
  readonly paymentHash: Uint8Array
  /** In the words of whoever made it; `null` where there is a hash of it instead. */
  readonly description: string | null
  /** SHA-256 of a description that is elsewhere, 32 bytes; `null` where it is here. */
  readonly descriptionHash: Uint8Array | null
  /** The node that has signed it: a compressed secp256k1 key of 33 bytes. */
  readonly node: Uint8Array
  readonly createdMs: number
  /** The first moment at which it is not to be paid any more. */
  readonly expiresMs: number
}

/** The longest invoice that is read, in characters: some ten times an ordinary one. */
export const MAX_BOLT11_LENGTH = 4_000

const PREFIX = /^ln(bcrt|bc|tbs|tb)(?:([1-9][0-9]{0,18})([munp])?)?$/
/** Millisatoshis in one of each unit; a pico-bitcoin is a tenth of one. */
const MSAT = { '': 100_000_000_000n, m: 100_000_000n, u: 100_000n, n: 100n } as const
const TIMESTAMP_WORDS = 7
/** 64 bytes of signature and one that says which key it is of. */
const SIGNATURE_WORDS = 104
const DEFAULT_EXPIRY_S = 3_600
const KNOWN_FEATURES: ReadonlySet<number> = new Set([
  8, // var_onion_optin
  14, // payment_secret
  16, // basic_mpp
  24, // option_route_blinding
  48 // option_payment_metadata
])
/** Tags of fields that may be there once, with the number of words where it is fixed. Others are skipped. */
const FIELDS: Readonly<Record<number, { name: FieldName; words?: number }>> = {
  1: { name: 'paymentHash', words: 52 },
  5: { name: 'features' },
  6: { name: 'expiry' },
  13: { name: 'description' },
  16: { name: 'secret', words: 52 },
  19: { name: 'node', words: 53 },
  23: { name: 'descriptionHash', words: 52 }
}

type FieldName = 'paymentHash' | 'features' | 'expiry' | 'description' | 'secret' | 'node' | 'descriptionHash'
type Fields = Partial<Record<FieldName, readonly number[]>>

/**
 * Decodes a BOLT11 invoice and checks it: the checksum, that each field is there once, and the signature, of the node that
 * it names or, where it names none, of the one that the signature gives. What was altered is refused, even where its
 * checksum was made to fit. Whether the node is the right one is for the reader to say.
 *
 * The error's code is `INVOICE_MALFORMED`.
 *
 * @throws {TypeError} when `text` is not a string.
 * @example
 * ```ts
 * import { decodeBolt11 } from '@covey/payments/bolt11'
 *
 * const invoice = decodeBolt11('lnbc1…')
 * console.log(invoice.ok ? invoice.value.amount : invoice.error.message)
 * ```
 * @see https://github.com/lightning/bolts/blob/master/11-payment-encoding.md
 */
export function decodeBolt11(text: string): Result<Bolt11Invoice, PaymentError> {
  assertString(text, 'text')
  try {
    return { ok: true, value: decode(text) }
  } catch (error) {
    if (error instanceof PaymentError) return { ok: false, error }
    throw error
  }
}

function decode(text: string): Bolt11Invoice {
  if (text.length > MAX_BOLT11_LENGTH) throw malformed('The invoice is too long.')
  const decoded = bech32.decodeUnsafe(text, MAX_BOLT11_LENGTH)
  if (decoded === undefined) throw malformed('The invoice is damaged: its checksum does not match.')
  const { prefix, words } = decoded
  const [, network, digits, unit] = PREFIX.exec(prefix) ?? []
  if (network === undefined) throw malformed('This is no Lightning invoice, or of a network that is not known.')
  if (words.length < TIMESTAMP_WORDS + SIGNATURE_WORDS) throw malformed('The invoice is cut short.')
  const signed = words.slice(0, -SIGNATURE_WORDS)
  const fields = readFields(signed.slice(TIMESTAMP_WORDS))
  const { paymentHash, secret, description, descriptionHash, expiry } = fields
  if (paymentHash === undefined || secret === undefined) throw malformed('The invoice has no payment hash, or no payment secret.')
  if ((description === undefined) === (descriptionHash === undefined)) throw malformed('An invoice has a description or the hash of one.')
  checkFeatures(fields.features ?? [])
  const hash = sha256(concatBytes(encodeUtf8(prefix), pack(signed, true)))
  const createdMs = numberOf(signed.slice(0, TIMESTAMP_WORDS)) * 1_000
  const expiryS = expiry === undefined ? DEFAULT_EXPIRY_S : numberOf(expiry)
  return {
    text: text.toLowerCase(),
    network: network as Bolt11Invoice['network'],
    amount: digits === undefined ? null : amountOf(BigInt(digits), unit as keyof typeof MSAT | 'p' | undefined),
    paymentHash: pack(paymentHash),
    description: description === undefined ? null : textOf(description),
    descriptionHash: descriptionHash === undefined ? null : pack(descriptionHash),
    node: signerOf(hash, pack(words.slice(-SIGNATURE_WORDS)), fields.node),
    createdMs,
    expiresMs: createdMs + expiryS * 1_000
  }
}

function readFields(words: readonly number[]): Fields {
  const fields: Fields = {}
  for (let at = 0; at < words.length; ) {
    if (at + 3 > words.length) throw malformed('A field of the invoice is cut short.')
    const field = FIELDS[words[at]!]
    const length = words[at + 1]! * 32 + words[at + 2]!
    const data = words.slice(at + 3, at + 3 + length)
    if (data.length < length) throw malformed('A field of the invoice is cut short.')
    at += 3 + length
    if (field === undefined || (field.words !== undefined && field.words !== length)) continue
    // Of two, one reader would take the first and another the last.
    if (fields[field.name] !== undefined) throw malformed('The invoice has a field twice.')
    fields[field.name] = data
  }
  return fields
}

function amountOf(digits: bigint, unit: keyof typeof MSAT | 'p' = ''): bigint {
  if (unit !== 'p') return digits * MSAT[unit]
  if (digits % 10n !== 0n) throw malformed('The amount of the invoice is a fraction of a millisatoshi.')
  return digits / 10n
}

/** Bits count from the end; an unknown one that is even is one that must be understood. */
function checkFeatures(words: readonly number[]): void {
  for (const [index, word] of words.entries()) {
    for (let bit = 0; bit < 5; bit += 1) {
      const feature = (words.length - 1 - index) * 5 + bit
      if ((word >> bit) & 1 && feature % 2 === 0 && !KNOWN_FEATURES.has(feature)) {
        throw malformed(`The invoice needs feature ${feature}, which is not known.`)
      }
    }
  }
}

function signerOf(hash: Uint8Array, signature: Uint8Array, node: readonly number[] | undefined): Uint8Array {
  const recovery = signature[64]!
  if (recovery > 3) throw malformed('The signature of the invoice is malformed.')
  const compact = signature.subarray(0, 64)
  try {
    if (node === undefined) return secp256k1.recoverPublicKey(concatBytes(Uint8Array.of(recovery), compact), hash, { prehash: false })
    const key = pack(node)
    if (secp256k1.verify(compact, hash, key, { prehash: false })) return key
  } catch {
    // By the contract of the library, which throws for what is no signature or no key.
  }
  throw malformed('The signature of the invoice does not match.')
}

function textOf(words: readonly number[]): string {
  const text = decodeUtf8(pack(words))
  if (!text.ok) throw malformed('The description of the invoice is not text.')
  return text.value
}

function numberOf(words: readonly number[]): number {
  // 35 bits, as the timestamp has: a thousand years.
  const significant = words.slice(words.findIndex((word) => word !== 0))
  if (words.some((word) => word !== 0) && significant.length > TIMESTAMP_WORDS) throw malformed('A time of the invoice is too large.')
  return words.reduce((number, word) => number * 32 + word, 0)
}

/** Words of 5 bits as bytes. What is left at the end fills a byte with zeros where `pad` says so, and is dropped otherwise. */
function pack(words: readonly number[], pad = false): Uint8Array {
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const word of words) {
    held = ((held << 5) | word) & 0xfff
    bits += 5
    if (bits >= 8) bytes.push((held >> (bits -= 8)) & 0xff)
  }
  if (pad && bits > 0) bytes.push((held << (8 - bits)) & 0xff)
  return Uint8Array.from(bytes)
}

function malformed(message: string): PaymentError {
  return new PaymentError('INVOICE_MALFORMED', message)
}
