import { expect, test } from 'vitest'
import { receive, start, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('a peer that is suspended has what was said meanwhile when it is resumed', { timeout: 30_000 }, async () => {
  const [alice, bob] = await Promise.all([start({ network: net.network, name: 'Alice' }), start({ network: net.network, name: 'Bob' })])
  const room = await alice.rooms.create({ name: 'Tea' })
  const joined = await bob.rooms.join(await room.createInvite())
  await alice.suspend()
  await alice.suspend()
  expect(alice.isSuspended).toBe(true)
  await joined.send('while you slept')
  await alice.resume()
  expect((await receive(room, 'while you slept')).authorName).toBe('Bob')
  expect(alice.isSuspended).toBe(false)
  await alice.suspend()
  await alice.close()
  await expect(alice.resume()).rejects.toMatchObject({ code: 'NODE_CLOSED' })
})
