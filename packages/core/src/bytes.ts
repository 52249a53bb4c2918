import { assertBytes } from './assert.js'

/**
 * Whether two byte arrays hold the same bytes. For a given length the work does not depend on where
 * they differ, so that comparing with a secret tells nothing about it; their lengths are not hidden.
 *
 * @throws {TypeError} when an argument is not a `Uint8Array`.
 * @example
 * ```ts
 * import { equalBytes } from '@covey/core'
 *
 * console.log(equalBytes(new Uint8Array([1, 2]), new Uint8Array([1, 2])))
 * ```
 */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  assertBytes(left, 'left')
  assertBytes(right, 'right')
  if (left.length !== right.length) return false
  let difference = 0
  for (let index = 0; index < left.length; index++) difference |= left[index]! ^ right[index]!
  return difference === 0
}

/**
 * A new array with the bytes of all parts, in order.
 *
 * @throws {TypeError} when a part is not a `Uint8Array`.
 * @example
 * ```ts
 * import { concatBytes, encodeUtf8 } from '@covey/core'
 *
 * console.log(concatBytes(encodeUtf8('covey '), new Uint8Array(32)).length)
 * ```
 */
export function concatBytes(...parts: Uint8Array[]): Uint8Array {
  let length = 0
  for (const [index, part] of parts.entries()) {
    assertBytes(part, `parts[${index}]`)
    length += part.length
  }
  const joined = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}
