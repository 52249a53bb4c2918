import {
  CoreError, decodeLink, encodeLink, encodeZ32, LINK_MAX_BODY_BYTES, LINK_MAX_CHARACTERS, type CoreErrorCode
} from '@covey/core'
import fc from 'fast-check'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { codeThrownBy, fromHex, thrownBy } from './support.js'
import golden from './vectors/link.json' with { type: 'json' }

const ALPHABET = 'ybndrfg8ejkmcpqxot1uwisza345h769'
const PREFIX = 'covey:invite/'
const body = new Uint8Array(32).map((_, index) => index * 7 + 3)
const invite = encodeLink('invite', body)

const kinds = fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'), minLength: 2, maxLength: 16 })
const bodies = fc.uint8Array({ maxLength: 400 })

/** A link with a right checksum around any content, built without the encoder. */
function seal(kind: string, ...content: number[]): string {
  const sum = new Uint8Array(4)
  new DataView(sum.buffer).setUint32(0, crc32(Buffer.concat([Buffer.from(kind), Buffer.from(content)])), true)
  return `covey:${kind}/${encodeZ32(new Uint8Array([...content, ...sum]))}`
}

/** The message and hint of the error with the expected code. */
function refusal(text: string, code: CoreErrorCode, options = {}): { message: string; hint: string | undefined } {
  const error = thrownBy(() => decodeLink(text, options))
  expect(error).toBeInstanceOf(CoreError)
  expect(error).toMatchObject({ code })
  return error as CoreError
}

describe('the link format', () => {
  it.each(golden.vectors)('is stable: $link', ({ kind, bodyHex, link }) => {
    expect(encodeLink(kind, fromHex(bodyHex))).toBe(link)
    expect(decodeLink(link)).toEqual({ kind, body: fromHex(bodyHex) })
  })

  it('round-trips any kind and body', () => {
    fc.assert(fc.property(kinds, bodies, (kind, content) => {
      expect(decodeLink(encodeLink(kind, content), { kind })).toEqual({ kind, body: content })
    }))
  })

  it('carries the longest body, with line breaks, within the longest text', () => {
    const longest = encodeLink('abcdefghijklmnop', new Uint8Array(LINK_MAX_BODY_BYTES).fill(255))
    const wrapped = longest.replace(/.{64}/g, '$&\r\n')
    expect(wrapped.length).toBeLessThan(LINK_MAX_CHARACTERS)
    expect(decodeLink(wrapped).body).toHaveLength(LINK_MAX_BODY_BYTES)
  })

  it('is not encoded for wrong arguments', () => {
    for (const kind of ['', 'a', 'Invite', 'in-vite', 'a'.repeat(17), 5]) {
      expect(() => encodeLink(kind as string, body)).toThrow(new TypeError('kind must be 2 to 16 lower case letters a to z'))
    }
    expect(() => encodeLink('invite', 'body' as never)).toThrow('body must be a Uint8Array, got string')
    expect(() => encodeLink('invite', new Uint8Array(LINK_MAX_BODY_BYTES + 1))).toThrow('body must be at most 2048 bytes, it is 2049')
  })
})

describe('decodeLink forgives', () => {
  it.each([
    ['upper case', invite.toUpperCase()],
    ['space around', `  \n${invite}\r\n`],
    ['angle brackets', `<${invite}>`],
    ['straight quotes', `"${invite}"`],
    ['curly quotes', `“${invite}”`],
    ['guillemets', `« ${invite} »`],
    ['back-ticks and all', ` \`<'${invite}'>\` `],
    ['line breaks of \\n', invite.replace(/.{20}/g, '$&\n')],
    ['line breaks and indentation', invite.replace(/.{20}/g, '$&\r\n   ')],
    ['zero-width and soft characters', invite.replace(/.{9}/g, '$&\u200b\u00ad')],
    ['a byte order mark', `\ufeff${invite}`]
  ])('%s', (_, text) => {
    expect(decodeLink(text, { kind: 'invite' })).toEqual({ kind: 'invite', body })
  })
})

describe('decodeLink refuses', () => {
  it.each([
    '', '   ', '""', 'hello', 'https://example.com/', 'covey', 'covey;invite/yyyy', 'covey:1nvite/yyyy', 'covey:a/yyyyyyyyyyyy',
    'covey:/yyyy', 'covey:abcdefghijklmnopq/yyyy', `see ${invite}`, 'covey:invité/yyyy', '\u212aovey:invite/yyyy'
  ])('what is no covey link: %j', (text) => {
    expect(refusal(text, 'LINK_NOT_COVEY').message).toBe('This is not a covey link.')
  })

  it('a link of another kind', () => {
    const { message, hint } = refusal(encodeLink('file', body), 'LINK_WRONG_KIND', { kind: 'invite' })
    expect(message).toBe('This is a file link; an invite link is needed here.')
    expect(hint).toBe('Use a link that starts with "covey:invite/".')
  })

  it('a link that is cut short anywhere, and counts what is missing', () => {
    for (let length = PREFIX.length + 10; length < invite.length; length++) {
      const missing = invite.length - length
      expect(refusal(invite.slice(0, length), 'LINK_TRUNCATED').message).toBe(
        `The link is cut short: ${missing === 1 ? '1 character is' : `${missing} characters are`} missing at the end.`
      )
    }
    for (let length = 'covey:'.length; length < PREFIX.length + 10; length++) {
      const missing = Math.min(10, PREFIX.length + 10 - length)
      expect(refusal(invite.slice(0, length), 'LINK_TRUNCATED').message).toBe(
        `The link is cut short: at least ${missing === 1 ? '1 character is' : `${missing} characters are`} missing at the end.`
      )
    }
  })

  it.each([['.', 1], ['yy', 2], [' see you there', 11], ['/0', 2]])('extra characters after the end: %j', (extra, count) => {
    expect(refusal(invite + extra, 'LINK_EXTRA_CHARACTERS').message).toBe(
      `The link is followed by ${count} more ${count === 1 ? 'character' : 'characters'}.`
    )
  })

  it.each([
    ['0', '"0"', 'Perhaps it should be "o".'],
    ['L', '"L"', 'Perhaps it should be "1" or "i".'],
    ['v', '"v"', 'Perhaps it should be "u".'],
    ['2', '"2"', 'Perhaps it should be "z".'],
    ['-', '"-"', undefined],
    ['😀', '"😀"', undefined],
    ['\u212a', '"\u212a"', undefined]
  ])('the character %s, and says where it stands', (character, shown, advice) => {
    const wrapped = `<${invite.slice(0, 18)}\r\n${character}${invite.slice(19)}>`
    const { message, hint } = refusal(wrapped, 'LINK_BAD_CHARACTER')
    expect(message).toBe(`Character 22 of the text, ${shown}, is never used in a link.`)
    expect(hint).toBe(advice ?? 'Copy the whole link again, or ask for it once more.')
  })

  it('a bad character within, rather than what follows the end', () => {
    refusal(`${invite.slice(0, 30)}0${invite.slice(31)}yy`, 'LINK_BAD_CHARACTER')
  })

  it('a changed character', () => {
    const index = invite.length - 20
    const changed = invite.slice(0, index) + (invite[index] === 'y' ? 'b' : 'y') + invite.slice(index + 1)
    expect(refusal(changed, 'LINK_DAMAGED').message).toBe('The link is damaged: its checksum does not match.')
  })

  it('the payload of one kind under another', () => {
    refusal(invite.replace('invite', 'device'), 'LINK_DAMAGED')
  })

  it.each([
    ['a length in a long form', seal('invite', 1, 0xfd, 1, 0, 9)],
    ['a length beyond all limits', seal('invite', 1, 0xfe, 255, 255, 255, 255, 9)],
    ['version 0', seal('invite', 0, 1, 9)],
    ['stray bits at the end', `${seal('invite', 1, 2, 9, 9).slice(0, -1)}9`]
  ])('%s', (_, text) => {
    refusal(text, 'LINK_DAMAGED')
  })

  it('a newer version, once it is known to be whole', () => {
    const newer = seal('invite', 2, 3, 7, 8, 9)
    expect(refusal(newer, 'LINK_TOO_NEW').hint).toBe('Update this app, then use the link again.')
    refusal(newer.slice(0, -1), 'LINK_TRUNCATED')
    refusal(newer, 'LINK_WRONG_KIND', { kind: 'file' })
    expect(decodeLink(seal('invite', 1, 3, 7, 8, 9)).body).toEqual(new Uint8Array([7, 8, 9]))
  })

  it('texts and bodies that are too long', () => {
    expect(refusal('x'.repeat(LINK_MAX_CHARACTERS + 1), 'LINK_TOO_LONG').message).toBe('The text has 4097 characters, a link at most 4096.')
    refusal('x'.repeat(LINK_MAX_CHARACTERS), 'LINK_NOT_COVEY')
    expect(refusal(invite, 'LINK_TOO_LONG', { maxBytes: 31 }).message).toBe('The link carries 32 bytes, at most 31 are allowed here.')
    expect(decodeLink(invite, { maxBytes: 32 }).body).toEqual(body)
  })

  it('wrong arguments', () => {
    expect(() => decodeLink(undefined as never)).toThrow(new TypeError('text must be a string, got undefined'))
    expect(() => decodeLink(invite, { maxByte: 5 } as never)).toThrow('did you mean "maxBytes"?')
    expect(() => decodeLink(invite, { maxBytes: LINK_MAX_BODY_BYTES + 1 })).toThrow('maxBytes must be at most 2048')
    expect(() => decodeLink(invite, { kind: 'X' })).toThrow(TypeError)
  })
})

describe('decodeLink detects', () => {
  // Bodies around a change of the length's form, and such as leave 0 to 7 characters in the last group.
  const links = [0, 1, 2, 3, 4, 5, 32, 252, 253].map((length) => encodeLink('invite', new Uint8Array(length).map((_, index) => index * 37)))

  it('every single changed character', () => {
    let changes = 0
    for (const link of links) {
      for (let index = 0; index < link.length; index++) {
        for (const character of `${ALPHABET}lv02:/.-é`) {
          if (character === link[index]) continue
          codeThrownBy(() => decodeLink(link.slice(0, index) + character + link.slice(index + 1)))
          changes++
        }
      }
    }
    expect(changes).toBeGreaterThan(40_000)
  })

  it('every lost and every doubled character', () => {
    for (const link of links) {
      for (let index = 0; index < link.length; index++) {
        codeThrownBy(() => decodeLink(link.slice(0, index) + link.slice(index + 1)))
        codeThrownBy(() => decodeLink(link.slice(0, index + 1) + link.slice(index)))
      }
    }
  })

  it('every pair of swapped neighbours', () => {
    let swaps = 0
    for (const link of links) {
      for (let index = 0; index + 1 < link.length; index++) {
        if (link[index] === link[index + 1]) continue
        codeThrownBy(() => decodeLink(link.slice(0, index) + link[index + 1] + link[index] + link.slice(index + 2)))
        swaps++
      }
    }
    expect(swaps).toBeGreaterThan(500)
  })
})

describe('50,000 random and mutated links', () => {
  const seen = new Map<CoreErrorCode | 'decoded', number>()

  it('are decoded or refused with a declared code, and no error repeats the body', () => {
    const noise = fc.string({ unit: fc.constantFrom(...ALPHABET, ...'lv02AZ:/<>". \n', 'é', '😀', '\ud800'), maxLength: 12 })
    const content = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 250, maxLength: 260 }))
    const edit = fc.record({ at: fc.nat(), remove: fc.nat({ max: 3 }), insert: noise })
    const mutated = fc.tuple(kinds, content, fc.array(edit, { maxLength: 3 })).map(([kind, bytes, edits]) => {
      const link = encodeLink(kind, bytes)
      const text = edits.reduce((part, { at, remove, insert }) => {
        const index = at % (part.length + 1)
        return part.slice(0, index) + insert + part.slice(index + remove)
      }, link)
      return { text, secret: link.split('/')[1]! }
    })
    const sealed = fc.tuple(kinds, fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat({ max: 3 })).map(([kind, bytes, version]) => ({
      text: seal(kind, version, bytes.length, ...bytes), secret: encodeZ32(bytes)
    }))
    const random = fc.oneof(noise, fc.string({ unit: 'binary' })).map((text) => ({ text: `covey:invite/${text}`, secret: text.trim() }))
    const long = fc.nat({ max: 9 }).map((extra) => ({ text: 'y'.repeat(LINK_MAX_CHARACTERS - 4 + extra), secret: 'yyyyyyyy' }))

    const cases = fc.oneof({ weight: 12, arbitrary: mutated }, { weight: 4, arbitrary: sealed }, { weight: 3, arbitrary: random }, long)
    const options = fc.constantFrom({}, { kind: 'invite' }, { maxBytes: 5 })
    fc.assert(fc.property(cases, options, ({ text, secret }, option) => {
      let outcome: CoreErrorCode | 'decoded' = 'decoded'
      try {
        decodeLink(text, option)
      } catch (error) {
        if (!(error instanceof CoreError) || error.hint === undefined) throw error
        outcome = error.code
        // Shorter pieces occur in the words of the messages by chance.
        const said = `${error.message} ${error.hint}`
        for (let at = 0; at + 8 <= secret.length; at += 4) {
          if (said.includes(secret.slice(at, at + 8))) expect.fail(`repeats the body: ${said}`)
        }
      }
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
    }), { numRuns: 50_000 })
  })

  it('reached every outcome', () => {
    expect([...seen.keys()].sort()).toEqual([
      'LINK_BAD_CHARACTER', 'LINK_DAMAGED', 'LINK_EXTRA_CHARACTERS', 'LINK_NOT_COVEY', 'LINK_TOO_LONG', 'LINK_TOO_NEW',
      'LINK_TRUNCATED', 'LINK_WRONG_KIND', 'decoded'
    ])
  })
})
