import { readBytes, writeBytes, type ByteReader, type ByteWriter } from '@covey/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from './support.js'
import varint from './vectors/varint.json' with { type: 'json' }

/** The message with which reading fails; fails the test when it does not. */
function failure(input: Uint8Array | string, read: (reader: ByteReader) => unknown, maxBytes?: number): string {
  const bytes = typeof input === 'string' ? fromHex(input) : input
  const result = readBytes(bytes, read, maxBytes === undefined ? {} : { maxBytes })
  if (result.ok) return expect.fail('it was read')
  expect(result.error.code).toBe('DECODE_FAILED')
  return result.error.message
}

const field = fc.oneof(
  fc.record({ type: fc.constant('uint8' as const), value: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ type: fc.constant('varint' as const), value: fc.maxSafeNat() }),
  fc.record({ type: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({ type: fc.constant('prefixedBytes' as const), value: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({ type: fc.constant('text' as const), value: fc.string({ unit: 'binary', maxLength: 70 }) })
)
type Field = typeof field extends fc.Arbitrary<infer Type> ? Type : never

function write(writer: ByteWriter, { type, value }: Field): void {
  if (type === 'uint8') writer.uint8(value)
  else if (type === 'varint') writer.varint(value)
  else if (type === 'bytes') writer.bytes(value)
  else if (type === 'prefixedBytes') writer.prefixedBytes(value, 300)
  else writer.text(value, 300)
}

function read(reader: ByteReader, { type, value }: Field): unknown {
  if (type === 'uint8') return reader.uint8()
  if (type === 'varint') return reader.varint()
  if (type === 'bytes') return reader.bytes(value.length)
  if (type === 'prefixedBytes') return reader.prefixedBytes(300)
  return reader.text(300)
}

describe('writeBytes and readBytes', () => {
  it('round-trip any sequence of fields', () => {
    fc.assert(fc.property(fc.array(field), (fields) => {
      const bytes = writeBytes((writer) => fields.forEach((each) => write(writer, each)))
      const result = readBytes(bytes, (reader) => fields.map((each) => read(reader, each)))
      expect(result).toEqual({ ok: true, value: fields.map((each) => each.value) })
    }))
  })

  it('fail on any bytes only by a result', () => {
    let failures = 0
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(field, { maxLength: 5 }), (bytes, fields) => {
      if (!readBytes(bytes, (reader) => fields.map((each) => read(reader, each))).ok) failures++
    }), { numRuns: 3_000 })
    expect(failures).toBeGreaterThan(1_000)
  })

  it('fail when cut short anywhere', () => {
    const bytes = writeBytes((writer) => writer.uint8(1).varint(70_000).prefixedBytes(new Uint8Array(9), 9).text('é', 2))
    const all = (reader: ByteReader) => [reader.uint8(), reader.varint(), reader.prefixedBytes(9), reader.text(2)]
    expect(readBytes(bytes, all).ok).toBe(true)
    for (let length = 0; length < bytes.length; length++) failure(bytes.subarray(0, length), all)
  })
})

describe('varint', () => {
  it.each(varint.vectors)('agrees with compact-encoding: $value', ({ value, hex }) => {
    expect(toHex(writeBytes((writer) => writer.varint(value)))).toBe(hex)
    expect(readBytes(fromHex(hex), (reader) => reader.varint())).toEqual({ ok: true, value })
  })

  it.each(['fdfc00', 'fd0000', 'feffff0000', 'ffffffffff00000000', 'ff0000000000000000'])('refuses the long form %s', (hex) => {
    expect(failure(hex, (reader) => reader.varint())).toBe('A number is not in its shortest form.')
  })

  it.each(['ff00000000000020 00', 'ffffffffffffffffff'])('refuses %s, which is no safe integer', (hex) => {
    expect(failure(hex.replace(' ', ''), (reader) => reader.varint())).toBe('A number is too large.')
  })

  it('refuses more than its maximum', () => {
    expect(readBytes(fromHex('0a'), (reader) => reader.varint(10)).ok).toBe(true)
    expect(failure('0b', (reader) => reader.varint(10))).toBe('A number is 11, at most 10 is allowed.')
  })

  it.each([-1, 1.5, 2 ** 53, NaN, '1'])('is not written for %s', (value) => {
    expect(() => writeBytes((writer) => writer.varint(value as number))).toThrow(/^value must be/)
  })
})

describe('readBytes', () => {
  it('refuses bytes after the end, unless they are read as the rest', () => {
    expect(failure('0102', (reader) => reader.uint8())).toBe('There are 1 bytes after the end.')
    expect(readBytes(fromHex('0102'), (reader) => [reader.uint8(), reader.rest()]))
      .toEqual({ ok: true, value: [1, new Uint8Array([2])] })
  })

  it('refuses too much input before it reads any', () => {
    expect(failure('010203', () => expect.fail('it was read'), 2)).toBe('There are 3 bytes, at most 2 are allowed.')
    expect(readBytes(fromHex('0102'), (reader) => reader.bytes(2).length, { maxBytes: 2 })).toEqual({ ok: true, value: 2 })
  })

  it('refuses a stated length beyond the maximum, and beyond the end, before it allocates', () => {
    expect(failure('ffffffffffffff1f00', (reader) => reader.prefixedBytes(64))).toMatch(/at most 64 is allowed/)
    expect(failure('ffffffffffffff1f00', (reader) => reader.prefixedBytes(Number.MAX_SAFE_INTEGER)))
      .toMatch(/The bytes end early/)
  })

  it('refuses ill-formed text', () => {
    expect(failure('02c080', (reader) => reader.text(10))).toBe('The text is not well-formed UTF-8.')
  })

  it('lets the caller refuse by rules of their own', () => {
    expect(failure('05', (reader) => reader.uint8() === 5 && reader.fail('Five is right out.'))).toBe('Five is right out.')
  })

  it('does not take a bug in the caller for a malformed input', () => {
    const bug = new RangeError('a bug')
    expect(() => readBytes(new Uint8Array(1), () => { throw bug })).toThrow(bug)
    expect(() => readBytes(new Uint8Array(1), (reader) => reader.bytes(-1))).toThrow(TypeError)
  })

  it('returns copies, of Buffers too', () => {
    const input = Buffer.from([1, 7, 8])
    const result = readBytes(input, (reader) => [reader.prefixedBytes(1), reader.rest()])
    input.fill(0)
    expect(result).toEqual({ ok: true, value: [new Uint8Array([7]), new Uint8Array([8])] })
  })

  it('names wrong arguments', () => {
    expect(() => readBytes('00' as never, () => 1)).toThrow('bytes must be a Uint8Array, got string')
    expect(() => readBytes(new Uint8Array(), 5 as never)).toThrow('read must be a function, got number')
    expect(() => readBytes(new Uint8Array(), () => 1, { max: 1 } as never)).toThrow('options has no option "max"')
    expect(() => readBytes(new Uint8Array(), () => 1, { maxBytes: -1 })).toThrow('maxBytes must be at least 0')
  })
})

describe('writeBytes', () => {
  it('refuses what could not be read back', () => {
    expect(() => writeBytes((writer) => writer.uint8(256))).toThrow('value must be at most 255')
    expect(() => writeBytes((writer) => writer.prefixedBytes(new Uint8Array(3), 2))).toThrow('bytes must be at most 2, they are 3')
    expect(() => writeBytes((writer) => writer.text('é', 1))).toThrow('text must take at most 1 byte as UTF-8, it takes 2')
    expect(() => writeBytes((writer) => writer.text('\ud800', 9))).toThrow('half of a surrogate pair')
    expect(() => writeBytes(undefined as never)).toThrow('write must be a function, got undefined')
  })
})
