import { assertBytes, assertFunction, assertInteger, assertOptions } from './assert.js'
import { CoreError } from './errors.js'
import type { Result } from './result.js'
import { decodeUtf8 } from './utf8.js'

/**
 * Reads what a {@link ByteWriter} wrote, from front to back. Every method checks the size before it
 * allocates, returns copies, and ends the surrounding {@link readBytes} with a failure when the bytes
 * are not as expected.
 */
export interface ByteReader {
  /** How many bytes are left. */
  readonly remaining: number
  /** One byte, 0 to 255. */
  uint8(): number
  /** An unsigned integer of 1, 3, 5 or 9 bytes, in its shortest form, at most `max`. */
  varint(max?: number): number
  /** Exactly `length` bytes. */
  bytes(length: number): Uint8Array
  /** A varint length of at most `maxBytes`, and as many bytes. */
  prefixedBytes(maxBytes: number): Uint8Array
  /** A varint length of at most `maxBytes`, and as many bytes of well-formed UTF-8. */
  text(maxBytes: number): string
  /** All that is left: fields that a later version may have added, to be kept or ignored. */
  rest(): Uint8Array
  /** Ends the reading with a failure, for rules of the caller's own. The message must hold no secret. */
  fail(message: string): never
}

/** Options of {@link readBytes}. */
export interface ReadBytesOptions {
  /** More input than this is a failure before anything is read. Default: no limit. */
  maxBytes?: number
}

/**
 * Decodes `bytes` with `read`, which must consume all of them. Malformed input gives a failed result
 * with the code `DECODE_FAILED`; an error that `read` throws by itself is a bug and passes through.
 *
 * @throws {TypeError} when an argument has the wrong type.
 * @example
 * ```ts
 * import { readBytes, writeBytes } from '@covey/core'
 *
 * const bytes = writeBytes((writer) => writer.uint8(1).text('Alice', 64))
 * const result = readBytes(bytes, (reader) => ({ version: reader.uint8(), name: reader.text(64) }))
 * console.log(result.ok ? result.value.name : result.error.message)
 * ```
 */
export function readBytes<Value>(
  bytes: Uint8Array,
  read: (reader: ByteReader) => Value,
  options: ReadBytesOptions = {}
): Result<Value> {
  assertBytes(bytes, 'bytes')
  assertFunction(read, 'read')
  assertOptions(options, 'options', ['maxBytes'])
  const { maxBytes = Number.MAX_SAFE_INTEGER } = options
  assertInteger(maxBytes, 'maxBytes', { min: 0 })
  const reader = new Reader(bytes)
  try {
    if (bytes.length > maxBytes) reader.fail(`There are ${bytes.length} bytes, at most ${maxBytes} are allowed.`)
    const value = read(reader)
    if (reader.remaining > 0) reader.fail(`There are ${reader.remaining} bytes after the end.`)
    return { ok: true, value }
  } catch (error) {
    if (error instanceof CoreError && error.code === 'DECODE_FAILED') return { ok: false, error }
    throw error
  }
}

class Reader implements ByteReader {
  readonly #bytes: Uint8Array
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get remaining(): number {
    return this.#bytes.length - this.#position
  }

  uint8(): number {
    return this.#littleEndian(1)
  }

  varint(max = Number.MAX_SAFE_INTEGER): number {
    const first = this.uint8()
    const value = first <= 0xfc ? first : this.#wideVarint(first)
    if (value > max) this.fail(`A number is ${value}, at most ${max} is allowed.`)
    return value
  }

  bytes(length: number): Uint8Array {
    assertInteger(length, 'length', { min: 0 })
    this.#need(length)
    this.#position += length
    // Not `slice`, which shares the memory when the input is a Node Buffer.
    return new Uint8Array(this.#bytes.subarray(this.#position - length, this.#position))
  }

  prefixedBytes(maxBytes: number): Uint8Array {
    return this.bytes(this.varint(maxBytes))
  }

  text(maxBytes: number): string {
    const result = decodeUtf8(this.prefixedBytes(maxBytes))
    if (!result.ok) throw result.error
    return result.value
  }

  rest(): Uint8Array {
    return this.bytes(this.remaining)
  }

  fail(message: string): never {
    throw new CoreError('DECODE_FAILED', message)
  }

  #wideVarint(prefix: number): number {
    const width = prefix === 0xfd ? 2 : prefix === 0xfe ? 4 : 8
    const low = this.#littleEndian(Math.min(width, 4))
    const high = width === 8 ? this.#littleEndian(4) : 0
    const value = high * 2 ** 32 + low
    if (value > Number.MAX_SAFE_INTEGER) this.fail('A number is too large.')
    const shortest = width === 2 ? 0xfd : width === 4 ? 0x1_0000 : 2 ** 32
    if (value < shortest) this.fail('A number is not in its shortest form.')
    return value
  }

  #littleEndian(width: number): number {
    this.#need(width)
    let value = 0
    for (let index = 0; index < width; index++) value += this.#bytes[this.#position++]! * 2 ** (8 * index)
    return value
  }

  #need(length: number): void {
    if (length > this.remaining) this.fail(`The bytes end early: ${length} are needed, ${this.remaining} are left.`)
  }
}
