import { utf8 } from '@scure/base'
import { assertBytes } from './assert.js'
import { equalBytes } from './bytes.js'
import { utf8ByteLength } from './internal/utf8-byte-length.js'
import { decodeFailure, type Result } from './result.js'

/**
 * The UTF-8 bytes of `text`. Strict, where `TextEncoder` would silently replace what it cannot
 * encode; and present on Bare, which has no `TextEncoder`.
 *
 * @throws {TypeError} when `text` is not a string or contains half of a surrogate pair.
 * @example
 * ```ts
 * import { encodeUtf8 } from '@covey/core'
 *
 * console.log(encodeUtf8('tea').length)
 * ```
 */
export function encodeUtf8(text: string): Uint8Array {
  if (typeof text !== 'string' || utf8ByteLength(text) === undefined) {
    throw new TypeError('text must be a string without halves of surrogate pairs')
  }
  return utf8.decode(text)
}

/**
 * The text whose UTF-8 bytes these are. Fails on anything that is not well-formed UTF-8, and keeps
 * a byte order mark as a character, so that `encodeUtf8` gives the same bytes back.
 *
 * @throws {TypeError} when `bytes` is not a `Uint8Array`.
 * @example
 * ```ts
 * import { decodeUtf8, encodeUtf8 } from '@covey/core'
 *
 * const result = decodeUtf8(encodeUtf8('tea'))
 * if (result.ok) console.log(result.value)
 * ```
 */
export function decodeUtf8(bytes: Uint8Array): Result<string> {
  assertBytes(bytes, 'bytes')
  const text = decodeWithRuntime(bytes)
  // The `TextDecoder` of bare-encoding 1.0.3 ignores `fatal` and replaces what is malformed. Peers on
  // different runtimes must agree on what is valid, or the views that they build drift apart.
  if (text === undefined || !equalBytes(utf8.decode(text), bytes)) {
    return decodeFailure('The text is not well-formed UTF-8.')
  }
  return { ok: true, value: text }
}

function decodeWithRuntime(bytes: Uint8Array): string | undefined {
  try {
    return utf8.encode(bytes)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return undefined
  }
}
