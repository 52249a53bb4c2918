import { assertBytes, assertFunction, assertInteger, assertOptions, assertSignal, assertString } from '@covey/core'
import { describe, expect, it } from 'vitest'

const typeError = (message: string) => expect.objectContaining({ name: 'TypeError', message })

describe('assertString', () => {
  it('accepts strings at their limits', () => {
    assertString('', 'name')
    assertString('abc', 'name', { minLength: 3, maxLength: 3, maxBytes: 3 })
    assertString('é€😀', 'name', { maxBytes: 2 + 3 + 4 })
    for (const text of ['\u007f', '\u0080', '\u07ff', '\u0800', '\uffff', '\u{10000}', '\u{10ffff}']) {
      const maxBytes = Buffer.byteLength(text)
      assertString(text, 'name', { maxBytes })
      expect(() => assertString(text, 'name', { maxBytes: maxBytes - 1 })).toThrow(`it takes ${maxBytes}`)
    }
  })

  it.each([
    [5, {}, 'name must be a string, got number'],
    [null, {}, 'name must be a string, got null'],
    [[], {}, 'name must be a string, got an array'],
    ['', { minLength: 1 }, 'name must have at least 1 character, it has 0'],
    ['abc', { maxLength: 2 }, 'name must have at most 2 characters, it has 3'],
    ['é€😀', { maxBytes: 8 }, 'name must take at most 8 bytes as UTF-8, it takes 9'],
    ['a\ud800', {}, 'name must not contain half of a surrogate pair'],
    ['\udc00\ud800', {}, 'name must not contain half of a surrogate pair']
  ])('refuses %j with %j', (value, limits, message) => {
    expect(() => assertString(value, 'name', limits)).toThrow(typeError(message))
  })
})

describe('assertBytes', () => {
  it('accepts byte arrays', () => {
    assertBytes(new Uint8Array(0), 'key')
    assertBytes(Buffer.alloc(32), 'key', 32)
  })

  it.each([
    ['00', undefined, 'key must be a Uint8Array, got string'],
    [[1, 2], undefined, 'key must be a Uint8Array, got an array'],
    [new Uint16Array(32), 32, 'key must be a Uint8Array, got object'],
    [new Uint8Array(31), 32, 'key must be 32 bytes, it is 31'],
    [new Uint8Array(1), 0, 'key must be 0 bytes, it is 1']
  ])('refuses %j', (value, length, message) => {
    expect(() => assertBytes(value, 'key', length)).toThrow(typeError(message))
  })
})

describe('assertInteger', () => {
  it('accepts integers at their limits', () => {
    assertInteger(0, 'limit', { min: 0, max: 0 })
    assertInteger(Number.MAX_SAFE_INTEGER, 'limit')
    assertInteger(Number.MIN_SAFE_INTEGER, 'limit')
  })

  it.each([
    ['1', {}, 'limit must be an integer, got string'],
    [1n, {}, 'limit must be an integer, got bigint'],
    [1.5, {}, 'limit must be a safe integer'],
    [NaN, {}, 'limit must be a safe integer'],
    [2 ** 53, {}, 'limit must be a safe integer'],
    [-1, { min: 0 }, 'limit must be at least 0'],
    [11, { max: 10 }, 'limit must be at most 10']
  ])('refuses %s with %j', (value, limits, message) => {
    expect(() => assertInteger(value, 'limit', limits)).toThrow(typeError(message))
  })
})

describe('assertFunction and assertSignal', () => {
  it('accept the real thing', () => {
    assertFunction(async () => {}, 'handler')
    assertSignal(undefined)
    assertSignal(new AbortController().signal)
    assertSignal({ aborted: false, addEventListener() {}, removeEventListener() {} })
  })

  it('refuse anything else', () => {
    expect(() => assertFunction({}, 'handler')).toThrow(typeError('handler must be a function, got object'))
    for (const value of [null, {}, new AbortController(), { aborted: false }, 5]) {
      expect(() => assertSignal(value, 'stop')).toThrow(/^stop must be an AbortSignal/)
    }
  })
})

describe('assertOptions', () => {
  const check = (options: object) =>
    assertOptions(options as { timeoutMs?: 1; signal?: 1; limit?: 1 }, 'options', ['timeoutMs', 'signal', 'limit'])

  it('accepts known names, also with undefined values', () => {
    check({})
    check({ timeoutMs: 1, signal: undefined })
  })

  it.each([
    ['timeout', 'timeoutMs'], ['timeoutMS', 'timeoutMs'], ['singal', 'signal'], ['limits', 'limit'], ['Limit', 'limit']
  ])('takes %s for %s', (typo, meant) => {
    expect(() => check({ [typo]: 1 })).toThrow(typeError(`options has no option "${typo}"; did you mean "${meant}"?`))
  })

  it('lists the known options where nothing is close', () => {
    expect(() => check({ encryption: 1 })).toThrow(
      typeError('options has no option "encryption"; known options are timeoutMs, signal, limit')
    )
  })

  it.each([undefined, null, 5, 'x', []])('refuses %j', (value) => {
    expect(() => assertOptions(value as never, 'options', [])).toThrow(/^options must be an object/)
  })
})
