import type NoiseSecretStream from '@hyperswarm/secret-stream'
import { expect, test } from 'vitest'
import type { Node } from '@covey/transport'
import { FRAME, partsOf } from '@covey/transport/internal'
import { copy } from './copy.js'
import { startLiar } from './liar.js'
import { pathTo, startNode, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('datagrams come through a relay, encrypted, and beside what is reliable', async () => {
  const kinds = new Set<number>()
  const texts: string[] = []
  const relay = await startLiar((frame, send) => {
    kinds.add(frame[0]!)
    texts.push(Buffer.from(frame).toString('latin1'))
    send(frame)
  })
  const init = { relays: [relay.address], policy: 'relay-only' as const }
  const [a, b] = await Promise.all([startNode(net, init), startNode(net, init)])
  await a.connect(b.publicKey)
  await pathTo(b, a.id, 'relayed')
  const [near, far] = [linkOf(a), linkOf(b)]
  const arrived: string[] = []
  for (const stream of [near, far]) stream.on('message', (bytes) => arrived.push(Buffer.from(bytes).toString()))
  near.trySend(Buffer.from('from the one'))
  far.trySend(Buffer.from('from the other'))
  await until(() => arrived.length === 2)
  expect(new Set(arrived)).toEqual(new Set(['from the one', 'from the other']))
  expect(kinds.has(FRAME.datagram)).toBe(true)
  expect(texts.some((text) => text.includes('from the'))).toBe(false)
  // What is larger than a packet is not sent, and the rest goes on.
  near.trySend(new Uint8Array(2_000))
  expect(await copy(a, b, 5)).toBe(true)
  expect(arrived).toHaveLength(2)
})

/** The connection below the only session of a node. */
function linkOf(node: Node): NoiseSecretStream {
  const { sessionSwarm } = partsOf(node) as { sessionSwarm: { connections: Set<{ active: { stream: NoiseSecretStream } }> } }
  return [...sessionSwarm.connections][0]!.active.stream
}
