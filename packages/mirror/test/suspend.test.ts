import { expect, test } from 'vitest'
import { copy } from './copy.js'
import { pathTo, startNode, startRelay, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('a suspended node leaves its relay, and is back with the same session when it is resumed', { timeout: 30_000 }, async () => {
  const relay = await startRelay(net)
  const init = { relays: [relay.address], policy: 'relay-only' as const }
  const [a, b] = await Promise.all([startNode(net, init), startNode(net, init)])
  await a.connect(b.publicKey)
  await pathTo(b, a.id, 'relayed')
  const ends: unknown[] = []
  for (const node of [a, b]) node.on('disconnect', (event) => ends.push(event))
  await a.suspend()
  await until(() => relay.stats().clients === 1)
  expect([a.relays, b.path(a.id)]).toEqual([[], 'offline'])
  await b.suspend()
  await until(() => relay.stats().clients === 0)
  await Promise.all([a.resume(), b.resume()])
  await Promise.all([pathTo(a, b.id, 'relayed'), pathTo(b, a.id, 'relayed')])
  expect([relay.stats().clients, a.relays]).toEqual([2, [relay.id]])
  expect(await copy(a, b, 20)).toBe(true)
  expect(ends).toEqual([])
})
