import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { decodeIntroductions, encodeIntroductions, introduce, recognise } from '../../src/internal/lan/introductions.js'
import { topicOf } from '../support.js'

const KEY = new Uint8Array(32).fill(1)
const TEA = topicOf('tea')
const ADDRESS = { host: '192.168.1.10', port: 49_737 }

/** Written once by the code of the first version, and never again. */
const vector = JSON.parse(readFileSync(new URL('../vectors/lan.json', import.meta.url), 'utf8')) as Record<'host' | 'publicKey' | 'topic' | 'introductions', string> & { port: number }

test('what is on the wire is as it was', () => {
  const introductions = decodeIntroductions(Buffer.from(vector.introductions, 'hex'))!
  const [publicKey, topic] = [Buffer.from(vector.publicKey, 'hex'), Buffer.from(vector.topic, 'hex')]
  const found = recognise(introductions, [topic, publicKey], vector).map((key) => Buffer.from(key).toString('hex'))
  expect(found).toEqual([vector.publicKey, vector.publicKey])
})

test('who knows the key, or a topic, learns the key; all others learn nothing', () => {
  const [introductions] = introduce(KEY, [TEA], ADDRESS)
  expect(recognise(introductions!, [KEY], ADDRESS)).toEqual([KEY])
  expect(recognise(introductions!, [TEA], ADDRESS)).toEqual([KEY])
  expect(recognise(introductions!, [topicOf('coffee'), new Uint8Array(32).fill(2)], ADDRESS)).toEqual([])
})

test.each([
  ['another host', { ...ADDRESS, host: '192.168.1.11' }],
  ['another port', { ...ADDRESS, port: 49_738 }]
])('repeated from %s it is not recognised', (_, address) => {
  const [introductions] = introduce(KEY, [TEA], ADDRESS)
  expect(recognise(introductions!, [KEY, TEA], address)).toEqual([])
})

test('nothing that is said is said again, and its size does not tell how many topics there are', () => {
  const said = Array.from({ length: 20 }, (_, i) => introduce(KEY, Array.from({ length: i }, (_, j) => topicOf(`${j}`)), ADDRESS))
  expect(said.map((packets) => packets.length)).toEqual(Array.from({ length: 20 }, () => 1))
  expect(new Set(said.map(([introductions]) => encodeIntroductions(introductions!).length)).size).toBe(1)
  const pieces = said.flatMap(([introductions]) => [introductions!.salt, ...introductions!.entries]).map(String)
  expect(new Set(pieces).size).toBe(pieces.length)
})

test('of too many topics others are told each time, and the key always', () => {
  const topics = Array.from({ length: 500 }, (_, i) => topicOf(`${i}`))
  const known = (): string[] => {
    const packets = introduce(KEY, topics, ADDRESS)
    expect(packets).toHaveLength(8)
    expect(packets.some((introductions) => recognise(introductions, [KEY], ADDRESS).length > 0)).toBe(true)
    return topics.filter((topic) => packets.some((introductions) => recognise(introductions, [topic], ADDRESS).length > 0)).map(String)
  }
  const [first, second] = [known(), known()]
  expect(first).toHaveLength(8 * 20 - 1)
  expect(first).not.toEqual(second)
})

test('what is encoded is decoded, and anything else is none', () => {
  const [introductions] = introduce(KEY, [TEA], ADDRESS)
  const bytes = encodeIntroductions(introductions!)
  expect(recognise(decodeIntroductions(bytes)!, [TEA], ADDRESS)).toEqual([KEY])
  for (const other of [new Uint8Array(0), bytes.subarray(1), Uint8Array.of(...bytes, 0), bytes.with(0, 2)]) {
    expect(decodeIntroductions(other)).toBeNull()
  }
})

test('one that was tampered with is not believed', () => {
  const [introductions] = introduce(KEY, [TEA], ADDRESS)
  const bytes = encodeIntroductions(introductions!)
  fc.assert(
    fc.property(fc.integer({ min: 1, max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const found = recognise(decodeIntroductions(bytes.with(at, bytes[at]! ^ flip))!, [KEY, TEA], ADDRESS)
      // Whatever is left of it says the same key, or nothing.
      expect(found.every((key) => Buffer.compare(key, KEY) === 0)).toBe(true)
      expect(found.length).toBeLessThanOrEqual(2)
    })
  )
})
