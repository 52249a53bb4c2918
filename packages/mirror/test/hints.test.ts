import type Hyperswarm from 'hyperswarm'
import NoiseSecretStream from '@hyperswarm/secret-stream'
import { expect, test } from 'vitest'
import { encodeZ32 } from '@covey/core'
import type { Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { copy } from './copy.js'
import { pathTo, startNode, startRelay, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('peers tell each other of their relays, and meet there when there is no other way', { timeout: 30_000 }, async () => {
  const relay = await startRelay(net)
  const [a, b] = await Promise.all([startNode(net), startNode(net, { relays: [relay.address] })])
  const ends: unknown[] = []
  a.on('disconnect', (event) => ends.push(event))
  a.addContact(b.publicKey)
  await pathTo(a, b.id, 'direct')
  for (const node of [a, b]) cutOff(node)
  await pathTo(a, b.id, 'relayed')
  expect(await copy(a, b, 20)).toBe(true)
  expect([a.relays, ends]).toEqual([[relay.id], []])
})

test('who is relay-only goes to no relay that a peer has named: it would see the address', { timeout: 30_000 }, async () => {
  const [mine, theirs] = await Promise.all([startRelay(net), startRelay(net)])
  const hidden = await startNode(net, { relays: [mine.address], policy: 'relay-only' })
  const peer = await startNode(net, { relays: [theirs.address, mine.address] })
  await hidden.connect(peer.publicKey)
  await mine.close()
  await pathTo(hidden, peer.id, 'offline')
  const { dht } = partsOf(hidden).swarm as Hyperswarm
  const dial = dht.connect.bind(dht)
  const dialled: string[] = []
  dht.connect = (key, ...rest) => {
    dialled.push(encodeZ32(key as Uint8Array))
    return dial(key, ...rest)
  }
  // It looks for its own relay again, and again.
  await until(() => dialled.length > 2)
  expect(new Set(dialled)).toEqual(new Set([mine.id]))
  expect(theirs.stats().clients).toBe(1)
})

/** From now on it has no direct way to anybody. */
function cutOff(node: Node): void {
  const { dht, connections } = partsOf(node).swarm as Hyperswarm
  dht.connect = () => {
    const stream = new NoiseSecretStream(true, null, { autoStart: false })
    stream.destroy(new Error('There is no way.'))
    return stream
  }
  for (const connection of connections) connection.destroy()
}
