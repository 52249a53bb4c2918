import type Hyperswarm from 'hyperswarm'
import { expect, test } from 'vitest'
import type { Room } from '@covey/rooms'
import { partsOf } from '@covey/transport/internal'
import { shareRoom, start, useLocalNetwork, type TestPeer } from './support.js'

const net = useLocalNetwork()

test('rooms are silent while their node sleeps, and have what was said when it is awake', { timeout: 40_000 }, async () => {
  const [alice, bob] = await Promise.all([start(net, 'Alice'), start(net, 'Bob')])
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  // An open invite has its host listen for candidates.
  await hers.createInvite()
  await alice.node.suspend()
  const before = packetsOf(alice)
  await his.send('while you slept')
  await hers.send('in my sleep')
  await new Promise((resolve) => setTimeout(resolve, 4_000))
  expect(packetsOf(alice)).toBe(before)
  const startedAt = performance.now()
  await alice.node.resume()
  await Promise.all([receive(hers, 'while you slept'), receive(his, 'in my sleep')])
  expect(performance.now() - startedAt).toBeLessThan(6_000)
})

async function receive(room: Room, text: string): Promise<void> {
  for await (const message of room.messages({ live: true, pending: false })) if (message.text === text) return
}

function packetsOf({ node }: TestPeer): number {
  return ((partsOf(node).swarm as Hyperswarm).dht as unknown as { udx: { packetsTransmitted: number } }).udx.packetsTransmitted
}
