import Hypercore from 'hypercore'
import { expect, test } from 'vitest'
import { queryObjects } from 'node:v8'
import type { Room } from '@covey/rooms'
import { allOf, shareRoom, start, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

// In a file of its own: what is counted is all that the process has.
test('a talk leaves no more cores in memory the longer it lasts', { timeout: 90_000 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const rooms = (await shareRoom(alice, bob)) as [Room, Room]
  await talk(rooms, 'first', 10)
  const before = cores()
  await talk(rooms, 'then', 60)
  // Of those that were closed just now each is there for a moment.
  await expect.poll(cores, { interval: 1_000, timeout: 45_000 }).toBeLessThan(before + 10)
})

/** Each waits for the other. */
async function talk(rooms: readonly [Room, Room], what: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const text = `${what} ${i}`
    await rooms[i % 2]!.send(text)
    for (const room of rooms) await allOf(room, [text])
  }
}

/** How many sessions of cores are in memory, after a collection. */
function cores(): number {
  return queryObjects(Hypercore, { format: 'count' })
}
