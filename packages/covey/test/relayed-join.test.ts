import { expect, onTestFinished, test } from 'vitest'
import { localNetwork } from 'covey'
import { createRelay } from '@covey/mirror'
import { receive, start, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('who has no relay and no DHT joins by a link that names the host’s relay, and finds the way again', { timeout: 60_000 }, async () => {
  const relay = await createRelay({ network: net.network })
  onTestFinished(() => relay.close())
  const nowhere = localNetwork(['127.0.0.1:9'])
  const [alice, bob] = await Promise.all([
    start({ network: net.network, name: 'Alice', relays: [relay.address] }),
    start({ network: nowhere, name: 'Bob' })
  ])
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite()
  expect(invite.length).toBeLessThan(320)
  const joined = await bob.rooms.join(invite, { timeoutMs: 30_000 })
  await joined.send('by a relay')
  expect((await receive(room, 'by a relay')).authorName).toBe('Bob')
  // What the link said is remembered: the session comes back through the same relay.
  await bob.suspend()
  await room.send('while you slept')
  await bob.resume()
  await receive(joined, 'while you slept')
})
