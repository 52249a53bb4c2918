import { expect, test } from 'vitest'
import { codeOf, noNetwork, startNode, startRelay, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('with a DHT and a relay, peers are reached directly', async () => {
  const relay = await startRelay(net)
  const node = await startNode(net, { relays: [relay.address] })
  const found = await node.diagnose()
  expect(found.summary).toBe('Peers can be reached directly.')
  expect(found.publicAddress?.host).toBe('127.0.0.1')
  expect(found.udp.answered).toBe(found.udp.asked)
  expect(found.udp.answered).toBeGreaterThan(0)
  expect(found.relays).toEqual([{ id: relay.id, isReachable: true, roundTripMs: expect.any(Number) as number }])
  expect(Math.abs(found.clockAheadMs!)).toBeLessThan(1_000)
  expect(JSON.parse(JSON.stringify(found))).toEqual(found)
})

test('where UDP is blocked, the relay is what there is', async () => {
  const relay = await startRelay(net)
  const node = await startNode(net, { relays: [relay.address], network: noNetwork() })
  const found = await node.diagnose()
  expect(found.summary).toMatch(/block it: peers are reached through a relay only\.$/)
  expect(found).toMatchObject({ nat: 'unknown', publicAddress: null, udp: { answered: 0, roundTripMs: null } })
  expect(found.relays[0]!.isReachable).toBe(true)
})

test('where nothing answers, it says so, and which relays do not', async () => {
  const dead = { publicKey: new Uint8Array(32).fill(7), addresses: ['ws://127.0.0.1:9'] }
  const node = await startNode(net, { relays: [dead], network: noNetwork() })
  const found = await node.diagnose()
  expect(found.summary).toMatch(/^Nothing answers, over UDP or by a relay.* 1 of 1 relays do not answer\.$/)
  expect(found.clockAheadMs).toBe(null)
})

test('it can be given up, and is refused while there is no network to ask', async () => {
  const node = await startNode(net, { network: noNetwork() })
  const reason = new Error('enough')
  await expect(node.diagnose({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const aborter = new AbortController()
  const diagnosing = node.diagnose({ signal: aborter.signal })
  aborter.abort(reason)
  await expect(diagnosing).rejects.toBe(reason)
  await node.suspend()
  expect(await codeOf(() => node.diagnose())).toBe('NODE_SUSPENDED')
  await node.close()
  expect(await codeOf(() => node.diagnose())).toBe('NODE_CLOSED')
})
