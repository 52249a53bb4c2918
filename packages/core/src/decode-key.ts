import { decodeZ32 } from './z32.js'

/** The length of the keys that identities, devices and rooms go by: Ed25519 and X25519 public keys. */
export const KEY_BYTES = 32

/**
 * The 32 bytes of a key that a caller hands in as z-base-32 text (52 characters). For text from a
 * peer use `decodeZ32(text, KEY_BYTES)`, which returns a result.
 *
 * @throws {TypeError} that names `field`, when `text` is not such a key.
 * @example
 * ```ts
 * import { decodeKey, encodeZ32 } from '@covey/core'
 *
 * const text = encodeZ32(new Uint8Array(32).fill(7))
 * console.log(decodeKey(text, 'publicKey'))
 * ```
 */
export function decodeKey(text: string, field = 'key'): Uint8Array {
  if (typeof text !== 'string') throw new TypeError(`${field} must be a string, got ${typeof text}`)
  const result = decodeZ32(text, KEY_BYTES)
  if (!result.ok) throw new TypeError(`${field} must be a key of 52 z-base-32 characters`, { cause: result.error })
  return result.value
}
