import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RelayAddress } from '@covey/transport'
import { decodeHints, encodeHints, isPublic, MAX_HINTS_BYTES } from '../src/internal/relay/hints.js'

const publicKey = new Uint8Array(32).fill(9)

function hintsOf(addresses: string[], isLocal = false): string[] {
  const decoded = decodeHints(encodeHints([{ publicKey, addresses }]), isLocal)
  if (!decoded.ok) throw decoded.error
  const [{ webSockets, udp }] = decoded.value as [(typeof decoded.value)[number]]
  return [...webSockets.map(({ host, path }) => host + path), ...udp.map(({ host }) => host)]
}

test('the bytes of hints', () => {
  const bytes = encodeHints([{ publicKey, addresses: ['ws://a.example:80'] }, { publicKey }])
  expect(Buffer.from(bytes).toString('hex')).toBe(`02${'09'.repeat(32)}0111${Buffer.from('ws://a.example:80').toString('hex')}${'09'.repeat(32)}00`)
})

test('of many relays and addresses a few are named, the first ones, and none that is long', () => {
  const relays: RelayAddress[] = [1, 2, 3].map((fill) => ({
    publicKey: new Uint8Array(32).fill(fill),
    addresses: [`wss://relay.example/${'x'.repeat(200)}`, 'ws://a.example', 'ws://b.example', 'ws://c.example']
  }))
  const bytes = encodeHints(relays)
  expect(bytes.length).toBeLessThanOrEqual(MAX_HINTS_BYTES)
  const decoded = decodeHints(bytes, false)
  expect(decoded.ok && decoded.value.map(({ webSockets }) => webSockets.map(({ host }) => host))).toEqual([['a.example', 'b.example'], ['a.example', 'b.example']])
})

test('decoding is total, and what is decoded is of the internet', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), (bytes) => {
      const decoded = decodeHints(bytes, false)
      if (!decoded.ok) return
      for (const { webSockets, udp } of decoded.value) for (const { host } of [...webSockets, ...udp]) expect(isPublic(host)).toBe(true)
    }),
    { numRuns: 5_000 }
  )
})

test('what leads into a network of one’s own is left out, and what is no address', () => {
  expect(hintsOf(['ws://127.0.0.1:8080', 'udp://192.168.1.1:53'])).toEqual([])
  expect(hintsOf(['http://a.example', 'ws://a.example:99999'])).toEqual([])
  // A path without TLS may be of any program.
  expect(hintsOf(['ws://a.example/admin', 'wss://a.example/covey'])).toEqual(['a.example/covey'])
  expect(hintsOf(['ws://127.0.0.1:8080', 'udp://192.168.1.1:53'], true)).toEqual(['127.0.0.1/', '192.168.1.1'])
})

test.each([
  ['8.8.8.8', true],
  ['203.0.113.7', true],
  ['relay.example.org', true],
  ['2606:4700::1111', true],
  ...['0.0.0.0', '10.1.2.3', '127.0.0.1', '100.64.0.1', '169.254.169.254', '172.16.0.1', '192.168.0.1', '224.0.0.1', '255.255.255.255'].map((host) => [host, false] as const),
  // Other ways to write addresses, as a URL takes them.
  ...['0177.0.0.1', '2130706433', '0x7f.0.0.1', '127.1', '1.2.3.256', '::1', '::ffff:127.0.0.1', 'fe80::1', 'fd00::1', '2002:7f00:1::', '2001:0:7f00:1::'].map((host) => [host, false] as const),
  ...['localhost', 'router', 'printer.local', 'nas.lan', 'a.internal', 'x.localhost'].map((host) => [host, false] as const)
] as [string, boolean][])('%s is a host of the internet: %s', (host, expected) => {
  expect(isPublic(host)).toBe(expected)
})
