import sodium from 'sodium-universal'

/**
 * The formats once more, written from their description and not from the code under test, so that
 * tests can make what an honest device never would.
 */

export interface ForgedLink {
  identity: Uint8Array
  issuer: Uint8Array
  device: Uint8Array
  boxPublicKey: Uint8Array
  context: Uint8Array | null
  notBeforeMs: number
  expiresMs: number
  epoch: number
}

export const LINK_DOMAIN = 'covey/identity/device-certificate-link/1\0'
export const REVOCATION_DOMAIN = 'covey/identity/device-revocation/1\0'
export const REQUEST_DOMAIN = 'covey/identity/device-request/1\0'

export function keyPair(seed: number): { publicKey: Uint8Array; secretKey: Uint8Array } {
  const pair = { publicKey: new Uint8Array(32), secretKey: new Uint8Array(64) }
  sodium.crypto_sign_seed_keypair(pair.publicKey, pair.secretKey, new Uint8Array(32).fill(seed))
  return pair
}

export function boxKey(seed: number): Uint8Array {
  const publicKey = new Uint8Array(32)
  sodium.crypto_scalarmult_base(publicKey, new Uint8Array(32).fill(seed))
  return publicKey
}

export function forgeLink(link: ForgedLink, secretKey: Uint8Array, domain = LINK_DOMAIN): Uint8Array {
  const body = Buffer.concat([
    link.identity,
    link.issuer,
    link.device,
    link.boxPublicKey,
    link.context === null ? Buffer.of(0) : Buffer.concat([Buffer.of(1), link.context]),
    varint(link.notBeforeMs),
    varint(link.expiresMs),
    varint(link.epoch)
  ])
  return Buffer.concat([body, signed(domain, body, secretKey)])
}

export function chainOf(...links: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat([Buffer.of(1, links.length), ...links]))
}

export function signed(domain: string, body: Uint8Array, secretKey: Uint8Array): Uint8Array {
  const signature = new Uint8Array(64)
  sodium.crypto_sign_detached(signature, Buffer.concat([Buffer.from(domain), body]), secretKey)
  return signature
}

/** Little-endian; the prefix says how wide. `width` forces a longer form than needed. */
export function varint(value: number, width = value <= 0xfc ? 1 : value <= 0xffff ? 2 : value <= 0xffff_ffff ? 4 : 8): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  if (width === 1) return bytes.subarray(0, 1)
  return Buffer.concat([Buffer.of({ 2: 0xfd, 4: 0xfe, 8: 0xff }[width]!), bytes.subarray(0, width)])
}

/** A file with any plaintext behind any header, and a checksum that fits. */
export function forgeFile(header: Uint8Array, key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const full = Buffer.concat([Buffer.from('coveykey'), header])
  const nonce = Buffer.alloc(24, 5)
  const ciphertext = Buffer.alloc(plaintext.length + 16)
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(ciphertext, plaintext, full, null, nonce, key)
  return withChecksum(Buffer.concat([full, nonce, ciphertext]))
}

export function withChecksum(content: Uint8Array): Uint8Array {
  const checksum = new Uint8Array(32)
  sodium.crypto_generichash(checksum, content)
  return Uint8Array.from(Buffer.concat([content, checksum]))
}
