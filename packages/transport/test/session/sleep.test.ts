import { expect, test } from 'vitest'
import { encodeZ32 } from '@covey/core'
import { connect, createPair, createSide, type Side } from './pair.js'

const SECOND = 1_000

test.each([
  ['has said that it sleeps', true, 120],
  ['has vanished', false, 45]
])('a peer that %s is waited for', async (_, isAsleep, waitSeconds) => {
  const { leader, follower } = createPair()
  await connect(leader, follower)
  await opened(leader, follower)
  if (isAsleep) await follower.sessions.suspend()
  else for (const stream of leader.streams) stream.destroy()
  const state = leader.sessions.get(encodeZ32(follower.keyPair.publicKey))!
  while (state.path !== 'offline') await turn()
  expect(leader.opened[0]!.isPeerAsleep).toBe(isAsleep)
  state.tick(Date.now() + (waitSeconds - 2) * SECOND)
  expect(leader.closed).toEqual([])
  state.tick(Date.now() + (waitSeconds + 2) * SECOND)
  expect(leader.closed).toHaveLength(1)
})

test('who wakes in time goes on with the same session', async () => {
  const { leader, follower } = createPair()
  await connect(leader, follower)
  await opened(leader, follower)
  await leader.sessions.suspend()
  const [refused] = await connect(follower, leader)
  expect(refused.destroying).toBe(false)
  expect(leader.streams.at(-1)!.destroying).toBe(true)
  leader.sessions.resume()
  await connect(leader, follower)
  while (follower.opened[0]!.active === null || leader.opened[0]!.active === null) await turn()
  expect([leader.opened.length, follower.opened.length]).toEqual([1, 1])
  expect(follower.opened[0]!.isPeerAsleep).toBe(false)
})

test('a peer that sleeps gives way to one that is there, where there is no room for both', async () => {
  // There is room for eight.
  const [host, ...guests] = Array.from({ length: 10 }, (_, i) => createSide(i + 20)) as [Side, ...Side[]]
  for (const guest of guests.slice(0, 8)) await connect(host, guest)
  while (host.opened.length < 8) await turn()
  const [ninth, tooMany] = [guests[7]!, guests[8]!]
  expect((await connect(host, tooMany))[0].destroying).toBe(true)
  await ninth.sessions.suspend()
  const state = host.sessions.get(encodeZ32(ninth.keyPair.publicKey))!
  while (!state.isAsleep) await turn()
  await connect(host, tooMany)
  while (host.opened.length < 9) await turn()
  expect(host.closed.map((session) => encodeZ32(session.remotePublicKey))).toEqual([encodeZ32(ninth.keyPair.publicKey)])
})

async function opened(...sides: Side[]): Promise<void> {
  while (sides.some((side) => side.opened.length === 0)) await turn()
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
