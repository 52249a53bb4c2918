import { concatBytes, encodeUtf8 } from '@covey/core'
import { sha256 } from '@noble/hashes/sha2.js'

/**
 * SHA-256 of the bytes, for one use: a BOLT11 invoice commits to its description by this hash. The zero byte keeps one
 * domain from being another's start.
 */
export function hashOf(domain: string, bytes: Uint8Array): Uint8Array {
  return sha256(concatBytes(encodeUtf8(`covey/payments/${domain}\0`), bytes))
}
