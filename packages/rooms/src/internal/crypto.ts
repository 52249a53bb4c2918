import sodium from 'sodium-universal'
import { concatBytes, encodeUtf8 } from '@covey/core'

/** Of every hash, key and id. */
export const HASH_BYTES = 32
export const KEY_BYTES = 32
const NONCE_BYTES = 24
export const TAG_BYTES = 16
/** How much longer sealed bytes are than plain ones. */
const SEAL_OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES
const LENGTH_BYTES = 4

export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  sodium.randombytes_buf(bytes)
  return bytes
}

/** BLAKE2b-256 of a domain and parts, each preceded by its length, so that no two lists collide. */
export function hash(domain: string, ...parts: Uint8Array[]): Uint8Array {
  const all = [encodeUtf8(domain), ...parts]
  // In one piece: ids are hashes, and every op has one.
  const framed = new Uint8Array(all.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0))
  const view = new DataView(framed.buffer)
  let offset = 0
  for (const part of all) {
    view.setUint32(offset, part.length, true)
    framed.set(part, offset + LENGTH_BYTES)
    offset += LENGTH_BYTES + part.length
  }
  const digest = new Uint8Array(HASH_BYTES)
  sodium.crypto_generichash(digest, framed)
  return digest
}

/** XChaCha20-Poly1305 with a random nonce, which comes first. */
export function seal(plain: Uint8Array, associated: Uint8Array, key: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  return concatBytes(nonce, encrypt(plain, associated, nonce, key))
}

/** What {@link seal} sealed, or `undefined` if it was not sealed with this key and these bytes. */
export function open(sealed: Uint8Array, associated: Uint8Array, key: Uint8Array): Uint8Array | undefined {
  if (sealed.length < SEAL_OVERHEAD_BYTES) return undefined
  return decrypt(sealed.subarray(NONCE_BYTES), associated, sealed.subarray(0, NONCE_BYTES), key)
}

/** For a key that seals one thing only, and therefore needs no nonce. */
const ONCE = new Uint8Array(NONCE_BYTES)

export function sealOnce(plain: Uint8Array, associated: Uint8Array, key: Uint8Array): Uint8Array {
  return encrypt(plain, associated, ONCE, key)
}

export function openOnce(sealed: Uint8Array, associated: Uint8Array, key: Uint8Array): Uint8Array | undefined {
  return sealed.length < TAG_BYTES ? undefined : decrypt(sealed, associated, ONCE, key)
}

/** For a key that seals one thing of each number, which is thereby the nonce. */
export function sealNumbered(plain: Uint8Array, associated: Uint8Array, key: Uint8Array, number: number): Uint8Array {
  return encrypt(plain, associated, nonceOf(number), key)
}

export function openNumbered(sealed: Uint8Array, associated: Uint8Array, key: Uint8Array, number: number): Uint8Array | undefined {
  return sealed.length < TAG_BYTES ? undefined : decrypt(sealed, associated, nonceOf(number), key)
}

function nonceOf(number: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES)
  new DataView(nonce.buffer).setBigUint64(0, BigInt(number), true)
  return nonce
}

const SIGNATURE_BYTES = 64

/** The ed25519 keys of a seed of 32 bytes: 32 bytes, and 64 as libsodium wants them. */
export function signKeyPair(seed: Uint8Array): { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array } {
  const publicKey = new Uint8Array(KEY_BYTES)
  const secretKey = new Uint8Array(SIGNATURE_BYTES)
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed)
  return { publicKey, secretKey }
}

/** An ed25519 signature of a digest whose domain says what for. */
export function sign(digest: Uint8Array, secretKey: Uint8Array): Uint8Array {
  const signature = new Uint8Array(SIGNATURE_BYTES)
  sodium.crypto_sign_detached(signature, digest, secretKey)
  return signature
}

export function verifySignature(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  return sodium.crypto_sign_verify_detached(signature, digest, publicKey)
}

/** An X25519 key pair that is used for one op. */
export function createBoxKeyPair(): { publicKey: Uint8Array; secretKey: Uint8Array } {
  const publicKey = new Uint8Array(KEY_BYTES)
  const secretKey = new Uint8Array(KEY_BYTES)
  sodium.crypto_box_keypair(publicKey, secretKey)
  return { publicKey, secretKey }
}

/** The X25519 secret of two keys, or `undefined` for a public key of low order. */
export function agree(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  const shared = new Uint8Array(KEY_BYTES)
  try {
    sodium.crypto_scalarmult(shared, secretKey, publicKey)
  } catch {
    // libsodium refuses keys that would make a secret that everyone knows.
    return undefined
  }
  return shared.every((byte) => byte === 0) ? undefined : shared
}

function encrypt(plain: Uint8Array, associated: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(plain.length + TAG_BYTES)
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, plain, associated, null, nonce, key)
  return sealed
}

function decrypt(
  sealed: Uint8Array,
  associated: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array
): Uint8Array | undefined {
  const plain = new Uint8Array(sealed.length - TAG_BYTES)
  try {
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(plain, null, sealed, associated, nonce, key)
  } catch {
    // A tag that does not match is all that this can throw for.
    return undefined
  }
  return plain
}
