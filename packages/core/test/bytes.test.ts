import {
  concatBytes, decodeKey, decodeUtf8, decodeZ32, encodeUtf8, encodeZ32, equalBytes, type Result
} from '@covey/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex } from './support.js'
import z32 from './vectors/z32.json' with { type: 'json' }

const bytes = () => fc.uint8Array({ maxLength: 200 })
const errorOf = <Value>(result: Result<Value>) => (result.ok ? expect.fail('it decoded') : result.error)

describe('z-base-32', () => {
  it.each(z32.vectors)('agrees with the z32 package: $text', ({ hex, text }) => {
    expect(encodeZ32(fromHex(hex))).toBe(text)
    expect(decodeZ32(text)).toEqual({ ok: true, value: fromHex(hex) })
    expect(decodeZ32(text.toUpperCase(), hex.length / 2)).toEqual({ ok: true, value: fromHex(hex) })
  })

  it('round-trips', () => {
    fc.assert(fc.property(bytes(), (value) => {
      expect(decodeZ32(encodeZ32(value))).toEqual({ ok: true, value })
    }))
  })

  it('accepts one text only for any bytes', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ybndrfg8ejkmcpqxot1uwisza345h769'), maxLength: 24 })
    let decoded = 0
    fc.assert(fc.property(text, (candidate) => {
      const result = decodeZ32(candidate)
      if (!result.ok) return
      decoded++
      expect(encodeZ32(result.value)).toBe(candidate)
    }), { numRuns: 2_000 })
    expect(decoded).toBeGreaterThan(100)
  })

  it.each(['y', 'yyy', 'yyyyyy', 'yb', 'yyyb', 'yyyyb', 'yyyyyyb', '0y', 'ly', 'y y', 'yy=', 'y\u00df', '\u212ay', '😀'])(
    'refuses %j', (text) => {
      expect(errorOf(decodeZ32(text))).toMatchObject({ code: 'DECODE_FAILED' })
    }
  )

  it('refuses another length than the stated one', () => {
    expect(errorOf(decodeZ32('yryyy', 4)).message).toBe('4 bytes take 7 characters of z-base-32, there are 5.')
  })

  it('names wrong arguments', () => {
    expect(() => encodeZ32('yy' as never)).toThrow(TypeError)
    expect(() => decodeZ32(5 as never)).toThrow(new TypeError('text must be a string, got number'))
  })
})

describe('decodeKey', () => {
  it('decodes 52 characters to 32 bytes', () => {
    const key = new Uint8Array(32).fill(7)
    expect(decodeKey(encodeZ32(key))).toEqual(key)
  })

  it('names the field and does not repeat the text', () => {
    for (const text of ['', 'yyyy', encodeZ32(new Uint8Array(33)), 'l'.repeat(52), 'y'.repeat(51) + 'b']) {
      expect(() => decodeKey(text, 'publicKey')).toThrow(
        new TypeError('publicKey must be a key of 52 z-base-32 characters')
      )
    }
    expect(() => decodeKey(new Uint8Array(32) as never)).toThrow(new TypeError('key must be a string, got object'))
  })
})

describe('UTF-8', () => {
  it('round-trips well-formed text, a byte order mark included', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(decodeUtf8(encodeUtf8(text))).toEqual({ ok: true, value: text })
    }))
    expect(decodeUtf8(encodeUtf8('\ufefftea'))).toEqual({ ok: true, value: '\ufefftea' })
  })

  it.each(['\ud800', 'a\udc00b', '\udc00\ud800'])('refuses to encode half of a pair: %j', (text) => {
    expect(() => encodeUtf8(text)).toThrow(TypeError)
  })

  it.each(['ff', 'c080', 'eda080', 'f4908080', 'e282', '80'])('refuses to decode %s', (hex) => {
    expect(errorOf(decodeUtf8(fromHex(hex)))).toMatchObject({ code: 'DECODE_FAILED' })
  })

  it('accepts one encoding only for any text', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 6 }), (value) => {
      const result = decodeUtf8(value)
      if (result.ok) expect(encodeUtf8(result.value)).toEqual(value)
    }), { numRuns: 5_000 })
  })
})

describe('equalBytes and concatBytes', () => {
  it('compares contents, at every position', () => {
    const left = new Uint8Array([1, 2, 3])
    expect(equalBytes(left, new Uint8Array([1, 2, 3]))).toBe(true)
    expect(equalBytes(left, new Uint8Array([1, 2]))).toBe(false)
    for (const index of left.keys()) expect(equalBytes(left, left.with(index, 9))).toBe(false)
    expect(() => equalBytes(left, 'abc' as never)).toThrow('right must be a Uint8Array, got string')
  })

  it('joins parts in order, into memory of its own', () => {
    fc.assert(fc.property(fc.array(bytes()), (parts) => {
      expect(Array.from(concatBytes(...parts))).toEqual(parts.flatMap((part) => Array.from(part)))
    }))
    const part = new Uint8Array([1])
    const joined = concatBytes(part)
    part[0] = 2
    expect(joined[0]).toBe(1)
    expect(() => concatBytes(part, [1] as never)).toThrow('parts[1] must be a Uint8Array, got an array')
  })
})
