// The part of sodium-universal 5.0.1 that this project uses. Everything writes into buffers that the
// caller allocates at the exact length; a wrong length is an AssertionError.
declare module 'sodium-universal' {
  type Bytes = Uint8Array

  interface Sodium {
    randombytes_buf(out: Bytes): void
    randombytes_buf_deterministic(out: Bytes, seed: Bytes): void
    randombytes_random(): number
    randombytes_uniform(upperBound: number): number
    readonly randombytes_SEEDBYTES: 32

    sodium_memzero(buffer: Bytes): void
    /** Locked memory, zeroed when freed. */
    sodium_malloc(size: number): Bytes
    sodium_free(buffer: Bytes): void
    sodium_mlock(buffer: Bytes): void
    sodium_munlock(buffer: Bytes): void
    /** Constant time. Throws when the lengths differ. */
    sodium_memcmp(a: Bytes, b: Bytes): boolean
    sodium_compare(a: Bytes, b: Bytes): number
    sodium_increment(buffer: Bytes): void
    sodium_is_zero(buffer: Bytes, length?: number): boolean

    /** XSalsa20, with a nonce of 24 bytes and a key of 32. `out` may be `input`. */
    crypto_stream_xor(out: Bytes, input: Bytes, nonce: Bytes, key: Bytes): void

    crypto_generichash(out: Bytes, input: Bytes, key?: Bytes | null): void
    crypto_generichash_batch(out: Bytes, parts: readonly Bytes[], key?: Bytes | null): void
    crypto_generichash_keygen(key: Bytes): void
    crypto_generichash_init(state: Bytes, key: Bytes | null, outputLength: number): void
    crypto_generichash_update(state: Bytes, input: Bytes): void
    crypto_generichash_final(state: Bytes, out: Bytes): void
    readonly crypto_generichash_STATEBYTES: number
    readonly crypto_generichash_BYTES: 32
    readonly crypto_generichash_BYTES_MIN: 16
    readonly crypto_generichash_BYTES_MAX: 64
    readonly crypto_generichash_KEYBYTES: 32
    readonly crypto_generichash_KEYBYTES_MIN: 16
    readonly crypto_generichash_KEYBYTES_MAX: 64

    crypto_aead_xchacha20poly1305_ietf_keygen(key: Bytes): void
    /** Returns the length of the ciphertext, which is the message's plus ABYTES. */
    crypto_aead_xchacha20poly1305_ietf_encrypt(
      ciphertext: Bytes,
      message: Bytes,
      additionalData: Bytes | null,
      nsec: null,
      nonce: Bytes,
      key: Bytes
    ): number
    /** Throws when the tag does not match. The order of the arguments differs from `encrypt`. */
    crypto_aead_xchacha20poly1305_ietf_decrypt(
      message: Bytes,
      nsec: null,
      ciphertext: Bytes,
      additionalData: Bytes | null,
      nonce: Bytes,
      key: Bytes
    ): number
    crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
      ciphertext: Bytes,
      mac: Bytes,
      message: Bytes,
      additionalData: Bytes | null,
      nsec: null,
      nonce: Bytes,
      key: Bytes
    ): number
    crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
      message: Bytes,
      nsec: null,
      ciphertext: Bytes,
      mac: Bytes,
      additionalData: Bytes | null,
      nonce: Bytes,
      key: Bytes
    ): void
    readonly crypto_aead_xchacha20poly1305_ietf_ABYTES: 16
    readonly crypto_aead_xchacha20poly1305_ietf_KEYBYTES: 32
    readonly crypto_aead_xchacha20poly1305_ietf_NPUBBYTES: 24
    readonly crypto_aead_xchacha20poly1305_ietf_NSECBYTES: 0

    crypto_sign_keypair(publicKey: Bytes, secretKey: Bytes): void
    crypto_sign_seed_keypair(publicKey: Bytes, secretKey: Bytes, seed: Bytes): void
    crypto_sign(signedMessage: Bytes, message: Bytes, secretKey: Bytes): void
    crypto_sign_open(message: Bytes, signedMessage: Bytes, publicKey: Bytes): boolean
    crypto_sign_detached(signature: Bytes, message: Bytes, secretKey: Bytes): void
    crypto_sign_verify_detached(signature: Bytes, message: Bytes, publicKey: Bytes): boolean
    crypto_sign_ed25519_sk_to_pk(publicKey: Bytes, secretKey: Bytes): void
    /** Throws when the key is not a valid point, so bytes from a peer need a try. */
    crypto_sign_ed25519_pk_to_curve25519(x25519PublicKey: Bytes, ed25519PublicKey: Bytes): void
    crypto_sign_ed25519_sk_to_curve25519(x25519SecretKey: Bytes, ed25519SecretKey: Bytes): void
    readonly crypto_sign_BYTES: 64
    readonly crypto_sign_PUBLICKEYBYTES: 32
    readonly crypto_sign_SECRETKEYBYTES: 64
    readonly crypto_sign_SEEDBYTES: 32

    crypto_scalarmult(out: Bytes, secretKey: Bytes, publicKey: Bytes): void
    crypto_scalarmult_base(publicKey: Bytes, secretKey: Bytes): void
    crypto_scalarmult_ed25519(out: Bytes, scalar: Bytes, point: Bytes): void
    crypto_scalarmult_ed25519_base(out: Bytes, scalar: Bytes): void
    crypto_scalarmult_ed25519_noclamp(out: Bytes, scalar: Bytes, point: Bytes): void
    crypto_scalarmult_ed25519_base_noclamp(out: Bytes, scalar: Bytes): void
    readonly crypto_scalarmult_BYTES: 32
    readonly crypto_scalarmult_SCALARBYTES: 32
    readonly crypto_scalarmult_ed25519_BYTES: 32
    readonly crypto_scalarmult_ed25519_SCALARBYTES: 32

    crypto_box_keypair(publicKey: Bytes, secretKey: Bytes): void
    crypto_box_seed_keypair(publicKey: Bytes, secretKey: Bytes, seed: Bytes): void
    crypto_box_easy(
      ciphertext: Bytes,
      message: Bytes,
      nonce: Bytes,
      publicKey: Bytes,
      secretKey: Bytes
    ): void
    crypto_box_open_easy(
      message: Bytes,
      ciphertext: Bytes,
      nonce: Bytes,
      publicKey: Bytes,
      secretKey: Bytes
    ): boolean
    crypto_box_seal(ciphertext: Bytes, message: Bytes, publicKey: Bytes): void
    crypto_box_seal_open(
      message: Bytes,
      ciphertext: Bytes,
      publicKey: Bytes,
      secretKey: Bytes
    ): boolean
    readonly crypto_box_PUBLICKEYBYTES: 32
    readonly crypto_box_SECRETKEYBYTES: 32
    readonly crypto_box_SEEDBYTES: 32
    readonly crypto_box_NONCEBYTES: 24
    readonly crypto_box_MACBYTES: 16
    readonly crypto_box_SEALBYTES: 48

    crypto_kdf_keygen(key: Bytes): void
    crypto_kdf_derive_from_key(
      subkey: Bytes,
      subkeyId: number,
      context: Bytes,
      masterKey: Bytes
    ): void
    readonly crypto_kdf_BYTES_MIN: 16
    readonly crypto_kdf_BYTES_MAX: 64
    readonly crypto_kdf_CONTEXTBYTES: 8
    readonly crypto_kdf_KEYBYTES: 32

    crypto_pwhash(
      out: Bytes,
      password: Bytes,
      salt: Bytes,
      opsLimit: number,
      memLimit: number,
      algorithm: number
    ): void
    /** On a thread of its own. */
    crypto_pwhash_async(
      out: Bytes,
      password: Bytes,
      salt: Bytes,
      opsLimit: number,
      memLimit: number,
      algorithm: number
    ): Promise<void>
    crypto_pwhash_str(out: Bytes, password: Bytes, opsLimit: number, memLimit: number): void
    crypto_pwhash_str_verify(str: Bytes, password: Bytes): boolean
    crypto_pwhash_str_needs_rehash(str: Bytes, opsLimit: number, memLimit: number): boolean
    crypto_pwhash_str_async(
      out: Bytes,
      password: Bytes,
      opsLimit: number,
      memLimit: number
    ): Promise<void>
    crypto_pwhash_str_verify_async(str: Bytes, password: Bytes): Promise<boolean>
    readonly crypto_pwhash_ALG_ARGON2I13: 1
    readonly crypto_pwhash_ALG_ARGON2ID13: 2
    readonly crypto_pwhash_ALG_DEFAULT: 2
    readonly crypto_pwhash_BYTES_MIN: 16
    readonly crypto_pwhash_BYTES_MAX: number
    readonly crypto_pwhash_SALTBYTES: 16
    readonly crypto_pwhash_STRBYTES: 128
    readonly crypto_pwhash_OPSLIMIT_MIN: 1
    readonly crypto_pwhash_OPSLIMIT_MAX: number
    readonly crypto_pwhash_MEMLIMIT_MIN: 8192
    readonly crypto_pwhash_MEMLIMIT_MAX: number
    readonly crypto_pwhash_OPSLIMIT_INTERACTIVE: 2
    readonly crypto_pwhash_MEMLIMIT_INTERACTIVE: 67108864
    readonly crypto_pwhash_OPSLIMIT_MODERATE: 3
    readonly crypto_pwhash_MEMLIMIT_MODERATE: 268435456
    readonly crypto_pwhash_OPSLIMIT_SENSITIVE: 4
    readonly crypto_pwhash_MEMLIMIT_SENSITIVE: 1073741824
  }

  const sodium: Sodium
  export default sodium
}
