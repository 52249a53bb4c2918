import type Hyperswarm from 'hyperswarm'
import { expect, onTestFinished, test } from 'vitest'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import { createNode, localNetwork, openStore, type Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { bytes, openPair, take, text } from './channels/support.js'
import { codeOf, connected, startNode, temporaryFolder, topicOf, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('not a packet leaves a suspended node, with sessions, a topic and a contact that is out of reach', { timeout: 30_000 }, async () => {
  const { nodes } = await openPair(net, bytes)
  await nodes[0].join(topicOf('silent')).flushed()
  nodes[0].addContact(new Uint8Array(32).fill(3))
  const awake = packetsOf(nodes[0])
  await elapsed(1_500)
  expect(packetsOf(nodes[0])).toBeGreaterThan(awake)
  await nodes[0].suspend()
  expect(nodes[0].isSuspended).toBe(true)
  const before = packetsOf(nodes[0])
  // Long enough for keep-alives (1 s), a dial of the contact (0.5 s) and the announcer's pings (3 s).
  await elapsed(5_000)
  expect(packetsOf(nodes[0])).toBe(before)
  expect([nodes[0].peers, nodes[0].path(nodes[1].id)]).toEqual([[], 'offline'])
})

test('the session is kept on both sides, and what was written meanwhile arrives, at once', { timeout: 30_000 }, async () => {
  const { nodes, channels } = await openPair(net, text)
  const ends: unknown[] = []
  for (const node of nodes) node.on('disconnect', (event) => ends.push(event))
  const isOffline = nodes[1].once('path')
  await nodes[0].suspend()
  expect(await isOffline).toEqual({ peer: nodes[0].id, path: 'offline' })
  await channels[1].send(nodes[0].id, 'while you slept')
  await channels[0].send(nodes[1].id, 'in my sleep')
  await elapsed(1_000)
  const arriving = channels.map((channel) => take(channel.messages(), 1))
  const startedAt = performance.now()
  await nodes[0].resume()
  expect(await Promise.all(arriving)).toEqual([
    [{ peer: nodes[1].id, message: 'while you slept' }],
    [{ peer: nodes[0].id, message: 'in my sleep' }]
  ])
  // See bench/channels.ts for what it takes.
  expect(performance.now() - startedAt).toBeLessThan(2_000)
  expect(ends).toEqual([])
  expect(nodes[0].isSuspended).toBe(false)
})

test('a peer that was told does not dial', { timeout: 30_000 }, async () => {
  const { nodes } = await openPair(net, bytes)
  const swarm = partsOf(nodes[1]).swarm as Hyperswarm
  const dials: unknown[] = []
  const dial = swarm.dht.connect.bind(swarm.dht)
  swarm.dht.connect = (...args) => {
    dials.push(args[0])
    return dial(...args)
  }
  await nodes[0].suspend()
  await elapsed(1_500)
  expect(dials).toEqual([])
  await nodes[0].resume()
  await online(nodes[0], nodes[1])
  // One that breaks is dialled.
  for (const connection of swarm.connections) connection.destroy()
  await nodes[1].once('path')
  await elapsed(500)
  expect(dials.length).toBeGreaterThan(0)
})

test('both may sleep: the last to wake finds the other', { timeout: 30_000 }, async () => {
  const { nodes } = await openPair(net, bytes)
  await Promise.all(nodes.map((node) => node.suspend()))
  await nodes[1].resume()
  await elapsed(300)
  await nodes[0].resume()
  await online(nodes[0], nodes[1])
})

test('it can be suspended and resumed however often and quickly; the last word counts', { timeout: 40_000 }, async () => {
  const { nodes } = await openPair(net, bytes)
  await Promise.all([nodes[0].suspend(), nodes[0].suspend()])
  await nodes[0].suspend()
  await Promise.all([nodes[0].resume(), nodes[0].resume()])
  await nodes[0].resume()
  await online(nodes[0], nodes[1])
  void nodes[0].suspend()
  void nodes[0].resume()
  void nodes[0].suspend()
  await nodes[0].resume()
  expect(nodes[0].isSuspended).toBe(false)
  await online(nodes[0], nodes[1])
  void nodes[0].resume()
  await nodes[0].suspend()
  expect(nodes[0].isSuspended).toBe(true)
  const before = packetsOf(nodes[0])
  await elapsed(1_500)
  expect(packetsOf(nodes[0])).toBe(before)
})

test('a new node can be suspended at once, and meets others when it is resumed', { timeout: 30_000 }, async () => {
  const [a, b] = await Promise.all([startNode(net), startNode(net)])
  await a.suspend()
  const before = packetsOf(a)
  const topic = a.join(topicOf('later'))
  expect(await codeOf(() => a.connect(b.publicKey))).toBe('NODE_SUSPENDED')
  a.addContact(b.publicKey)
  await elapsed(1_000)
  expect(packetsOf(a)).toBe(before)
  await b.join(topicOf('later')).flushed()
  await a.resume()
  await connected(a, b.id)
  await topic.flushed()
})

test('a connect that is under way ends with a reason', async () => {
  const node = await startNode(net)
  const connecting = node.connect(new Uint8Array(32).fill(5)).catch((error: unknown) => error)
  await elapsed(100)
  await node.suspend()
  expect(await connecting).toMatchObject({ code: 'NODE_SUSPENDED', retryable: true })
})

test.each([['suspended', 500], ['falling asleep', 0]])('it can be closed while it is %s', { timeout: 30_000 }, async (_, afterMs) => {
  const [node, other] = await Promise.all([startNode(net, await temporaryFolder()), startNode(net)])
  const folder = await temporaryFolder()
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  onTestFinished(() => identity.close())
  const closing = createNode({ identity, store: await openStore(folder), network: localNetwork(net.network.bootstrap) })
  closing.join(topicOf('closing'))
  await (partsOf(other).swarm as Hyperswarm).listen()
  await closing.connect(other.publicKey)
  const suspended = closing.suspend()
  await elapsed(afterMs)
  await closing.close()
  await suspended
  expect(await codeOf(() => closing.suspend())).toBe('NODE_CLOSED')
  expect(await codeOf(() => closing.resume())).toBe('NODE_CLOSED')
  await (await openStore(folder)).close()
  expect(node.isSuspended).toBe(false)
})

test('a network that is gone does not hold it up', { timeout: 30_000 }, async () => {
  const { createLocalNetwork } = await import('@covey/testing')
  const network = await createLocalNetwork()
  const node = await startNode({ network })
  await node.join(topicOf('cut off')).flushed()
  await network.close()
  const startedAt = performance.now()
  await node.suspend()
  expect(performance.now() - startedAt).toBeLessThan(4_000)
})

test.each([false, true])('nor does it hold up closing; suspended first: %s', { timeout: 30_000 }, async (isSuspended) => {
  const { createLocalNetwork } = await import('@covey/testing')
  const network = await createLocalNetwork()
  const node = await startNode({ network })
  await node.join(topicOf('closing alone')).flushed()
  if (isSuspended) await node.suspend()
  await network.close()
  const startedAt = performance.now()
  await node.close()
  expect(performance.now() - startedAt).toBeLessThan(isSuspended ? 1_000 : 3_000)
})

function packetsOf(node: Node): number {
  return ((partsOf(node).swarm as Hyperswarm).dht as unknown as { udx: { packetsTransmitted: number } }).udx.packetsTransmitted
}

async function online(a: Node, b: Node): Promise<void> {
  const isOnline = (): boolean => a.path(b.id) !== 'offline' && b.path(a.id) !== 'offline'
  while (!isOnline()) await elapsed(20)
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

