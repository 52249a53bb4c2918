import { encode } from '@dnsquery/dns-packet'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { introduce, recognise } from '../../src/internal/lan/introductions.js'
import { decodeMessage, encodeAnnouncement, encodeGoodbye, encodeQuery, isRelevant } from '../../src/internal/lan/packet.js'

const KEY = new Uint8Array(32).fill(1)
const ADDRESS = { host: '192.168.1.10', port: 49_737 }
const announced = encodeAnnouncement('alice', ADDRESS, introduce(KEY, [], ADDRESS)[0]!)

test('a query tells who asks', () => {
  expect(decodeMessage(encodeQuery('alice'))).toEqual({ kind: 'query', from: 'alice' })
})

test('an announcement fits into one packet, and tells where', () => {
  expect(announced.length).toBeLessThanOrEqual(1_472)
  const message = decodeMessage(announced)
  if (message?.kind !== 'announcement') throw new Error('It is no announcement.')
  expect(message).toMatchObject({ from: 'alice', port: ADDRESS.port })
  expect(recognise(message.introductions, [KEY], ADDRESS)).toEqual([KEY])
})

test('a goodbye says nothing that is remembered', () => {
  expect(isRelevant(encodeGoodbye('alice'))).toBe(true)
  expect(decodeMessage(encodeGoodbye('alice'))).toBeNull()
})

const pointer = { type: 'PTR', name: '_covey._udp.local', ttl: 120, data: 'alice._covey._udp.local' } as const
const server = { type: 'SRV', name: 'alice._covey._udp.local', data: { target: 'alice.local', port: 1 } } as const

test.each([
  ['another service', encode({ type: 'query', questions: [{ name: '_ipp._tcp.local', type: 'PTR' }] })],
  ['an announcement without its key material', encode({ type: 'response', answers: [pointer, server] })],
  ['one whose text is too short', encode({ type: 'response', answers: [pointer, server, { type: 'TXT', name: server.name, data: 'hello' }] })],
  ['one of another domain', encode({ type: 'response', answers: [{ ...pointer, data: 'alice._covey._udp.example' }] })],
  ['nothing', new Uint8Array(0)],
  ['less than a header', announced.subarray(0, 11)],
  ['one that is too large', Uint8Array.of(...announced, ...new Uint8Array(1_473 - announced.length))],
  ['one with 65,535 questions', announced.with(4, 0xff).with(5, 0xff)],
  ['one with 65,535 additional records', announced.with(10, 0xff).with(11, 0xff)],
  ['a name that points at itself', Uint8Array.of(...new Uint8Array(5), 1, ...new Uint8Array(6), 0xc0, 12, 6, ...Buffer.from('_covey'))]
])('%s is passed over', (_, packet) => {
  expect(decodeMessage(packet)).toBeNull()
})

test('port 0 is no port', () => {
  const [introductions] = introduce(KEY, [], { ...ADDRESS, port: 0 })
  expect(decodeMessage(encodeAnnouncement('alice', { ...ADDRESS, port: 0 }, introductions!))).toBeNull()
})

test('whatever bytes come, there is an answer and no throw', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 1_600 }),
    // Announcements with some bytes replaced, and cut.
    fc.tuple(fc.array(fc.tuple(fc.nat(announced.length - 1), fc.nat(255)), { maxLength: 12 }), fc.nat(announced.length)).map(([changes, length]) => {
      const packet = announced.slice(0, length)
      for (const [at, byte] of changes) if (at < length) packet[at] = byte
      return packet
    })
  )
  fc.assert(
    fc.property(bytes, (packet) => {
      const message = decodeMessage(packet)
      if (message?.kind !== 'announcement') return
      expect(message.port).toBeGreaterThan(0)
      expect(message.introductions.entries).toHaveLength(20)
    }),
    { numRuns: 2_000 }
  )
})
