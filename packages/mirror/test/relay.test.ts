import { createHash } from 'node:crypto'
import type Corestore from 'corestore'
import { expect, test } from 'vitest'
import type { Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { noNetwork, pathTo, startNode, startRelay, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('two devices meet at a relay by key, and data flows both ways', async () => {
  const relay = await startRelay(net)
  const init = { relays: [relay.address], policy: 'relay-only' as const }
  const [a, b] = await Promise.all([startNode(net, init), startNode(net, init)])
  await a.connect(b.publicKey)
  expect([a.path(b.id), b.path(a.id)]).toEqual(['relayed', 'relayed'])
  expect(a.relays).toEqual([relay.id])
  expect(await copy(a, b, 200)).toBe(true)
  expect(await copy(b, a, 200)).toBe(true)
  expect(relay.stats().forwardedBytes).toBeGreaterThan(200 * 65_536 * 2)
})

test('where UDP is blocked, the relay is reached over a WebSocket', async () => {
  const relay = await startRelay(net)
  const [a, b] = await Promise.all([
    startNode(net, { relays: [relay.address], network: noNetwork() }),
    startNode(net, { relays: [relay.address] })
  ])
  await a.connect(b.publicKey)
  expect(a.path(b.id)).toBe('relayed')
})

test('a relay is found by its key alone', async () => {
  const relay = await startRelay(net)
  await relay.announced()
  const init = { relays: [{ publicKey: relay.publicKey }], policy: 'relay-only' as const }
  const [a, b] = await Promise.all([startNode(net, init), startNode(net, init)])
  await a.connect(b.publicKey)
  expect(a.path(b.id)).toBe('relayed')
})

test('relayed at first, then direct, and nothing is lost or doubled', { timeout: 60_000 }, async () => {
  const relay = await startRelay(net)
  const [a, b] = await Promise.all([
    startNode(net, { relays: [relay.address], policy: 'relay-only' }),
    startNode(net, { relays: [relay.address], policy: 'relay-only' })
  ])
  await a.connect(b.publicKey)
  const copying = copy(a, b, 800)
  await until(() => relay.stats().forwardedBytes > 10_000_000)
  const direct = pathTo(a, b.id, 'direct')
  b.addContact(a.publicKey, { policy: 'auto' })
  a.addContact(b.publicKey, { policy: 'auto' })
  await direct
  expect(await copying).toBe(true)
  await until(() => relay.stats().circuits === 0)
})

/** Whether all blocks of a core come to another node, as they were written. */
async function copy(from: Node, to: Node, count: number): Promise<boolean> {
  const mine = storeOf(from).get({ name: `core-${count}` })
  const blocks = Array.from({ length: count }, (_, i) => Buffer.alloc(65_536, i))
  await mine.append(blocks)
  const theirs = storeOf(to).get({ key: mine.key! })
  const hash = createHash('sha256')
  for (const i of blocks.keys()) hash.update((await theirs.get(i))!)
  return hash.digest().equals(createHash('sha256').update(Buffer.concat(blocks)).digest())
}

function storeOf(node: Node): Corestore {
  return partsOf(node).corestore as Corestore
}
