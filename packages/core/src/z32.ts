import { base32nopad } from '@scure/base'
import { assertBytes } from './assert.js'
import { lowerAscii } from './internal/lower-ascii.js'
import { decodeFailure, type Result } from './result.js'

/** @see {@link https://philzimmermann.com/docs/human-oriented-base-32-encoding.txt} */
export const Z32_ALPHABET = 'ybndrfg8ejkmcpqxot1uwisza345h769'
const RFC4648_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/**
 * The z-base-32 text of `bytes`: lower case, 8 characters for 5 bytes, no padding.
 *
 * @throws {TypeError} when `bytes` is not a `Uint8Array`.
 * @example
 * ```ts
 * import { encodeZ32 } from '@covey/core'
 *
 * console.log(encodeZ32(new Uint8Array([1, 2, 3])))
 * ```
 */
export function encodeZ32(bytes: Uint8Array): string {
  assertBytes(bytes, 'bytes')
  return translate(base32nopad.encode(bytes), RFC4648_ALPHABET, Z32_ALPHABET)!
}

/**
 * The bytes of a z-base-32 text, exactly `length` of them where that is given. Letters may be of
 * either case; apart from that only the text that {@link encodeZ32} makes is accepted: no spaces, no
 * superfluous characters, no stray bits at the end.
 *
 * @throws {TypeError} when `text` is not a string.
 * @example
 * ```ts
 * import { decodeZ32 } from '@covey/core'
 *
 * const result = decodeZ32('yryyy', 3)
 * console.log(result.ok ? result.value : result.error.message)
 * ```
 */
export function decodeZ32(text: string, length?: number): Result<Uint8Array> {
  if (typeof text !== 'string') throw new TypeError(`text must be a string, got ${typeof text}`)
  if (length !== undefined && text.length !== z32Length(length)) {
    return decodeFailure(
      `${length} bytes take ${z32Length(length)} characters of z-base-32, there are ${text.length}.`
    )
  }
  const letters = translate(lowerAscii(text), Z32_ALPHABET, RFC4648_ALPHABET)
  if (letters === undefined) return decodeFailure('A character is not in the z-base-32 alphabet.')
  // The decoder below checks all this too, but says so by exceptions of no particular type.
  const strayBits = (letters.length * 5) % 8
  const last = RFC4648_ALPHABET.indexOf(letters.at(-1) ?? 'A')
  if (strayBits > 4 || last % 2 ** strayBits !== 0) {
    return decodeFailure('The z-base-32 text does not end as an encoder would end it.')
  }
  return { ok: true, value: base32nopad.decode(letters) }
}

/** How many characters of z-base-32 a number of bytes takes. */
export function z32Length(byteLength: number): number {
  return Math.ceil((byteLength * 8) / 5)
}

function translate(text: string, from: string, to: string): string | undefined {
  let translated = ''
  for (const character of text) {
    const index = from.indexOf(character)
    if (index === -1) return undefined
    translated += to[index]
  }
  return translated
}
