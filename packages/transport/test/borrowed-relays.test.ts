import NoiseSecretStream from '@hyperswarm/secret-stream'
import type HyperDHT from 'hyperdht'
import { expect, onTestFinished, test } from 'vitest'
import { decodeHints, encodeHints } from '../src/internal/relay/hints.js'
import { Relays } from '../src/internal/relay/relays.js'
import { relayTargets } from '../src/relay.js'

/** The relays of a device that reaches none, and the dials that it has begun by their keys. */
function relaysOf(): { relays: Relays; dials: NoiseSecretStream[] } {
  const dials: NoiseSecretStream[] = []
  const connect = (): NoiseSecretStream => {
    dials.push(new NoiseSecretStream(true, null, { autoStart: false }))
    return dials.at(-1)!
  }
  const keyPair = NoiseSecretStream.keyPair(new Uint8Array(32).fill(1))
  const dht = { connect } as unknown as HyperDHT
  const relays = new Relays({ dht, keyPair, relays: [], isAllowed: () => true, onconnection: () => undefined, onhop: () => undefined })
  onTestFinished(() => relays.close())
  return { relays, dials }
}

test.each(['ws://[2600:::1]:80', 'ws://[2600::12345]:80', 'ws://xn--a.com', 'wss://xn--.com'])('a peer that names %s as a relay stops nobody', async (address) => {
  const hints = decodeHints(encodeHints([{ publicKey: new Uint8Array(32).fill(9), addresses: [address] }]), false)
  if (!hints.ok) throw hints.error
  const { relays, dials } = relaysOf()
  relays.borrow(hints.value)
  relays.tick(Date.now() + 1_000)
  // By its key it may be found yet.
  await expect.poll(() => dials.length).toBeGreaterThan(0)
})

test('more relays of peers than are used at a time are not dialled anew at each look', () => {
  const { relays, dials } = relaysOf()
  const peers = Array.from({ length: 9 }, (_, i) => relayTargets([i * 2 + 1, i * 2 + 2].map((fill) => ({ publicKey: new Uint8Array(32).fill(fill) })), 'relays'))
  // As nine peers that are out of reach do within a second.
  for (let i = 0; i < 4; i++) for (const theirs of peers) relays.borrow(theirs)
  expect(dials.filter((stream) => !stream.destroying)).toHaveLength(16)
  expect(dials).toHaveLength(16)
})
