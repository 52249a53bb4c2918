import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bech32 } from '@scure/base'

/** What an invoice of the tests says; whatever is not given is as it should be. */
export interface InvoiceInit {
  readonly preimage: Uint8Array
  readonly descriptionHash?: Uint8Array
  readonly description?: string
  /** Prefix with amount. Default: 21,000 millisatoshis on regtest. */
  readonly prefix?: string
  readonly secretKey?: Uint8Array
  readonly createdMs?: number
  /** More fields: tag and bytes. */
  readonly extra?: readonly [tag: number, bytes: Uint8Array][]
}

/** The key of the specification's own examples. */
export const NODE_SECRET = Uint8Array.from(Buffer.from('e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734', 'hex'))
export const NODE = secp256k1.getPublicKey(NODE_SECRET)

/** An invoice, made apart from what decodes it. */
export function makeInvoice({ preimage, descriptionHash, description, prefix = 'lnbcrt210n', secretKey = NODE_SECRET, createdMs = Date.now(), extra = [] }: InvoiceInit): string {
  const seconds = BigInt(Math.floor(createdMs / 1_000))
  const timestamp = Array.from({ length: 7 }, (_, index) => Number((seconds >> BigInt(5 * (6 - index))) & 31n))
  const fields: [number, Uint8Array][] = [[1, sha256(preimage)], [16, new Uint8Array(32).fill(0x11)], ...extra]
  if (description !== undefined) fields.push([13, Buffer.from(description)])
  else fields.push([23, descriptionHash ?? new Uint8Array(32)])
  const tagged = fields.flatMap(([tag, bytes]) => {
    const words = bech32.toWords(Uint8Array.from(bytes))
    return [tag, words.length >> 5, words.length & 31, ...words]
  })
  return sign(prefix, [...timestamp, ...tagged], secretKey)
}

/** Any words under any prefix, with a right signature and checksum. */
export function sign(prefix: string, words: readonly number[], secretKey: Uint8Array = NODE_SECRET): string {
  const bits = words.map((word) => word.toString(2).padStart(5, '0')).join('')
  const bytes = (bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2))
  const hash = sha256(Uint8Array.of(...Buffer.from(prefix), ...bytes))
  const [recovery, ...compact] = secp256k1.sign(hash, secretKey, { prehash: false, format: 'recovered' })
  return bech32.encode(prefix, [...words, ...bech32.toWords(Uint8Array.of(...compact, recovery!))], false)
}
