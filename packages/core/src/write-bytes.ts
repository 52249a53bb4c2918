import { assertBytes, assertFunction, assertInteger, assertString } from './assert.js'
import { encodeUtf8 } from './utf8.js'

/**
 * Writes the format that a {@link ByteReader} reads. Methods return the writer, and throw a
 * `TypeError` for what the reader could not read back. Integers are those of `compact-encoding`,
 * little-endian.
 */
export interface ByteWriter {
  /** One byte, 0 to 255. */
  uint8(value: number): ByteWriter
  /** An unsigned safe integer, in 1, 3, 5 or 9 bytes. */
  varint(value: number): ByteWriter
  /** The bytes as they are. The reader must know how many. */
  bytes(bytes: Uint8Array): ByteWriter
  /** A varint length and the bytes, at most `maxBytes` of them. */
  prefixedBytes(bytes: Uint8Array, maxBytes: number): ByteWriter
  /** A varint length and the text in UTF-8, at most `maxBytes` of it. */
  text(text: string, maxBytes: number): ByteWriter
}

/**
 * The bytes that `write` writes, in a new array.
 *
 * @throws {TypeError} when `write` is not a function, or hands the writer what it cannot write.
 * @example
 * ```ts
 * import { writeBytes } from '@covey/core'
 *
 * const bytes = writeBytes((writer) => writer.uint8(1).varint(70_000).text('Alice', 64))
 * console.log(bytes.length)
 * ```
 */
export function writeBytes(write: (writer: ByteWriter) => unknown): Uint8Array {
  assertFunction(write, 'write')
  const writer = new Writer()
  write(writer)
  return writer.finish()
}

class Writer implements ByteWriter {
  #buffer = new Uint8Array(64)
  #length = 0

  uint8(value: number): this {
    assertInteger(value, 'value', { min: 0, max: 0xff })
    return this.#littleEndian(value, 1)
  }

  varint(value: number): this {
    assertInteger(value, 'value', { min: 0 })
    if (value <= 0xfc) return this.#littleEndian(value, 1)
    if (value <= 0xffff) return this.#littleEndian(0xfd, 1).#littleEndian(value, 2)
    if (value <= 0xffff_ffff) return this.#littleEndian(0xfe, 1).#littleEndian(value, 4)
    return this.#littleEndian(0xff, 1).#littleEndian(value, 8)
  }

  bytes(bytes: Uint8Array): this {
    assertBytes(bytes, 'bytes')
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  prefixedBytes(bytes: Uint8Array, maxBytes: number): this {
    assertBytes(bytes, 'bytes')
    if (bytes.length > maxBytes) throw new TypeError(`bytes must be at most ${maxBytes}, they are ${bytes.length}`)
    return this.varint(bytes.length).bytes(bytes)
  }

  text(text: string, maxBytes: number): this {
    assertString(text, 'text', { maxBytes })
    return this.prefixedBytes(encodeUtf8(text), maxBytes)
  }

  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length)
  }

  #littleEndian(value: number, width: number): this {
    this.#reserve(width)
    // Division, because shifts cut numbers down to 32 bits.
    for (let rest = value, index = 0; index < width; index++, rest = Math.floor(rest / 256)) {
      this.#buffer[this.#length++] = rest
    }
    return this
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra
    if (needed <= this.#buffer.length) return
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2))
    grown.set(this.#buffer)
    this.#buffer = grown
  }
}
