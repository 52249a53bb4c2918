import sodium from 'sodium-universal'

/** The plaintext of a file without key derivation in its header; `null` when the key does not open it. */
export function unsealFile(file: Uint8Array, key: Uint8Array): Uint8Array | null {
  const header = file.subarray(0, 11)
  const sealed = file.subarray(11, -32)
  const plaintext = new Uint8Array(sealed.length - 40)
  try {
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(plaintext, null, sealed.subarray(24), header, sealed.subarray(0, 24), key)
  } catch {
    return null
  }
  return plaintext
}
