import { describe, expect, it } from 'vitest'
import { MAX_CONTEXT_BYTES, MAX_LABEL_LENGTH, MAX_STATEMENT_BYTES, verifyStatement } from '@covey/identity'
import { open, ROOM } from './support/open.js'

const alice = await open()
const bob = await open()
const body = { domain: 'test/writer/1', context: ROOM, data: new Uint8Array([1, 2, 3]) }
const statement = alice.signStatement(body.domain, body.context, body.data)
const expected = { ...body, device: alice.device.publicKey }

describe('a statement', () => {
  it('verifies for the device, domain, context and data that it was made of', () => {
    expect(verifyStatement(statement, expected)).toBe(true)
  })

  it('may have the largest of everything, and empty context and data', () => {
    for (const [domain, context, data] of [
      ['\uffff'.repeat(MAX_LABEL_LENGTH), new Uint8Array(MAX_CONTEXT_BYTES), new Uint8Array(MAX_STATEMENT_BYTES)],
      ['x', new Uint8Array(), new Uint8Array()]
    ] as const) {
      const made = alice.signStatement(domain, context, data)
      expect(verifyStatement(made, { domain, context, data, device: alice.device.publicKey })).toBe(true)
    }
  })

  it.each([
    ['another device', { device: bob.device.publicKey }],
    ["the person's key", { device: alice.identity.publicKey }],
    ['another domain', { domain: 'test/writer/2' }],
    ['a domain that continues', { domain: 'test/writer/11' }],
    ['another context', { context: new Uint8Array(32) }],
    ['other data', { data: new Uint8Array([1, 2, 4]) }],
    // Lengths are signed: what moves from one field to the next is another statement.
    ['a byte moved from context to data', { context: ROOM.subarray(1), data: new Uint8Array([0xaa, 1, 2, 3]) }],
    ['a letter moved from domain to context', { domain: 'test/writer/', context: new Uint8Array([49, ...ROOM]) }],
    ['a key of the wrong length', { device: alice.device.publicKey.subarray(1) }],
    ['an empty domain', { domain: '' }],
    ['a domain that is too long', { domain: 'x'.repeat(MAX_LABEL_LENGTH + 1) }],
    ['a context that is too long', { context: new Uint8Array(MAX_CONTEXT_BYTES + 1) }],
    ['too much data', { data: new Uint8Array(MAX_STATEMENT_BYTES + 1) }]
  ])('does not verify for %s', (_, changes) => {
    expect(verifyStatement(statement, { ...expected, ...changes })).toBe(false)
  })

  it('does not verify when altered, cut, continued or of another version', () => {
    for (let bit = 0; bit < statement.length * 8; bit++) {
      const flipped = Uint8Array.from(statement)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(verifyStatement(flipped, expected), `bit ${bit}`).toBe(false)
    }
    expect(verifyStatement(statement.subarray(0, -1), expected)).toBe(false)
    expect(verifyStatement(Uint8Array.of(...statement, 0), expected)).toBe(false)
    expect(verifyStatement(new Uint8Array(), expected)).toBe(false)
  })

  it('is not made of what cannot be verified', () => {
    expect(() => alice.signStatement('', ROOM, ROOM)).toThrow(TypeError)
    expect(() => alice.signStatement('x'.repeat(MAX_LABEL_LENGTH + 1), ROOM, ROOM)).toThrow(TypeError)
    expect(() => alice.signStatement('x', new Uint8Array(MAX_CONTEXT_BYTES + 1), ROOM)).toThrow(TypeError)
    expect(() => alice.signStatement('x', ROOM, new Uint8Array(MAX_STATEMENT_BYTES + 1))).toThrow(TypeError)
  })
})
