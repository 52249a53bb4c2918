import { expect, test } from 'vitest'
import type { MirrorClient } from '@covey/mirror/client'
import type { Room } from '@covey/rooms'
import type { RoomCores } from '@covey/rooms/internal'
import { holdRoom } from '../src/hold-room.js'

// White box: a room whose cores become more at any moment of a look.

/** Waits for so many microtasks. */
async function microtasks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve()
}

const nothing = (): void => undefined

test('what a room has when mirrors are told of it, is told, wherever the last look is just then', async () => {
  for (let gap = 0; gap < 16; gap++) {
    const keys = [new Uint8Array(32).fill(1)]
    let told = 0
    const cores = { keys: async () => [...keys], mirrors: async () => [], onchange: () => nothing, tellMirrors: () => nothing }
    const holding = { name: nothing, hold: (held: Uint8Array[]) => void (told = held.length), close: nothing, mirrors: [] }
    const client = { open: () => holding, mirrors: ['a mirror'], on: () => nothing }
    const held = holdRoom({ on: () => nothing } as unknown as Room, cores as unknown as RoomCores, client as unknown as MirrorClient)
    await microtasks(gap)
    keys.push(new Uint8Array(32).fill(2))
    await held.look()
    expect([gap, told]).toEqual([gap, 2])
  }
})
