import Autobase from 'autobase'
import { expect, test } from 'vitest'
import { queryObjects } from 'node:v8'
import type { Room } from '@covey/rooms'
import { coresOf } from '@covey/rooms/internal'
import { start, textsOf, useLocalNetwork } from './support.js'
import { bringToSleep, made } from './support-asleep.js'

const net = useLocalNetwork()

// In a file of its own: what is counted is all that the process has.
test('what was open of a room that has fallen asleep is let go of, whoever keeps the room', { timeout: 90_000 }, async () => {
  const alice = await start(net, 'Alice')
  const rooms: Room[] = []
  for (let i = 0; i < 6; i++) {
    const room = await made(alice, i)
    coresOf(room).tellMirrors(() => [])
    await room.send('a word')
    await room.health()
    rooms.push(room)
  }
  expect(bases()).toBeGreaterThanOrEqual(rooms.length)
  for (const room of rooms) await bringToSleep(alice, room)
  // Hypercore keeps a core for up to 25 s after it was closed, by a timer of its replicator.
  await expect.poll(bases, { interval: 1_000, timeout: 45_000 }).toBe(0)
  expect(await textsOf(rooms[0]!)).toEqual(['a word'])
})

/** How many logs are in memory, after a collection. */
function bases(): number {
  return queryObjects(Autobase, { format: 'count' })
}
