import { expect } from 'vitest'
import type { Room } from '@covey/rooms'
import { partsOfRooms } from '../src/internal/rooms-parts.js'
import type { Place } from '../src/internal/shelf/place.js'
import type { TestPeer } from './support.js'

export function made({ rooms }: Pick<TestPeer, 'rooms'>, i: number): Promise<Room> {
  return rooms.create({ name: `Room ${i}` })
}

export function openRooms({ rooms }: TestPeer): string[] {
  return [...partsOfRooms(rooms).open.keys()]
}

export function placeOf({ rooms }: TestPeer, { id }: Pick<Room, 'id'>): Place {
  return partsOfRooms(rooms).places.get(id)!
}

/** Resolves when a room is asleep, with all that has been written. */
export async function bringToSleep(peer: TestPeer, room: Room): Promise<void> {
  const place = placeOf(peer, room)
  await expect
    .poll(
      async () => {
        const isIdle = place.opened?.isBusy() !== true
        if (isIdle) await place.rest()
        return place.opened === undefined && place.note !== undefined
      },
      { timeout: 30_000 }
    )
    .toBe(true)
}

/** Keeps another room open, so that where one may be open, all others fall asleep by themselves. */
export async function keepOther(peer: TestPeer): Promise<void> {
  const other = await made(peer, 0)
  const reading = other.messages({ live: true })[Symbol.asyncIterator]()
  reading.next().catch(() => undefined)
}
