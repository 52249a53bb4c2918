import { concatBytes, encodeUtf8 } from '@covey/core'
import sodium from 'sodium-universal'

export const SIGNATURE_BYTES = 64
/** A nonce of 24 bytes and a tag of 16. */
const SEALED_OVERHEAD_BYTES = 40

const NONCE_BYTES = 24

export interface KeyPair {
  publicKey: Uint8Array
  secretKey: Uint8Array
}

/** What a signature or a sealed box is for. The zero byte keeps one domain from being another's start. */
export function domain(name: string): Uint8Array {
  return encodeUtf8(`covey/identity/${name}\0`)
}

export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  sodium.randombytes_buf(bytes)
  return bytes
}

export function signingKeyPair(seed: Uint8Array): KeyPair {
  const pair = { publicKey: new Uint8Array(32), secretKey: new Uint8Array(64) }
  sodium.crypto_sign_seed_keypair(pair.publicKey, pair.secretKey, seed)
  return pair
}

export function boxPublicKey(secretKey: Uint8Array): Uint8Array {
  const publicKey = new Uint8Array(32)
  sodium.crypto_scalarmult_base(publicKey, secretKey)
  return publicKey
}

/** The X25519 shared secret; `undefined` for a public key of low order, which would make it known to all. */
export function agree(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  const shared = new Uint8Array(32)
  try {
    sodium.crypto_scalarmult(shared, secretKey, publicKey)
  } catch {
    return undefined
  }
  return shared
}

export function isWeakBoxKey(publicKey: Uint8Array): boolean {
  // Any scalar shows it: a low-order point gives zero with every one of them.
  return agree(new Uint8Array(32).fill(1), publicKey) === undefined
}

export function sign(purpose: Uint8Array, body: Uint8Array, secretKey: Uint8Array): Uint8Array {
  const signature = new Uint8Array(SIGNATURE_BYTES)
  sodium.crypto_sign_detached(signature, concatBytes(purpose, body), secretKey)
  return signature
}

export function isSignedBy(
  publicKey: Uint8Array,
  purpose: Uint8Array,
  body: Uint8Array,
  signature: Uint8Array
): boolean {
  return sodium.crypto_sign_verify_detached(signature, concatBytes(purpose, body), publicKey)
}

/** A random nonce, then XChaCha20-Poly1305. */
export function seal(key: Uint8Array, additional: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(SEALED_OVERHEAD_BYTES + plaintext.length)
  const nonce = sealed.subarray(0, NONCE_BYTES)
  sodium.randombytes_buf(nonce)
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
    sealed.subarray(NONCE_BYTES),
    plaintext,
    additional,
    null,
    nonce,
    key
  )
  return sealed
}

export function unseal(key: Uint8Array, additional: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < SEALED_OVERHEAD_BYTES) return undefined
  const plaintext = new Uint8Array(sealed.length - SEALED_OVERHEAD_BYTES)
  try {
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
      plaintext,
      null,
      sealed.subarray(NONCE_BYTES),
      additional,
      sealed.subarray(0, NONCE_BYTES),
      key
    )
  } catch {
    return undefined
  }
  return plaintext
}

export function hash(bytes: Uint8Array, key?: Uint8Array): Uint8Array {
  const digest = new Uint8Array(32)
  sodium.crypto_generichash(digest, bytes, key)
  return digest
}

/** Argon2id, on a thread of its own. */
export async function hashPassphrase(
  passphrase: string,
  salt: Uint8Array,
  ops: number,
  memoryBytes: number
): Promise<Uint8Array> {
  const key = new Uint8Array(32)
  // The same words typed on another system may arrive composed differently.
  const input = encodeUtf8(passphrase.normalize('NFKC'))
  try {
    await sodium.crypto_pwhash_async(key, input, salt, ops, memoryBytes, sodium.crypto_pwhash_ALG_ARGON2ID13)
  } finally {
    wipeBytes(input)
  }
  return key
}

export function wipeBytes(...secrets: (Uint8Array | null | undefined)[]): void {
  for (const secret of secrets) if (secret && secret.length > 0) sodium.sodium_memzero(secret)
}
