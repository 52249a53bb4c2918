import { decodeKey, encodeZ32, equalBytes } from '@covey/core'
import type { OpenRoom } from '../open-room.js'
import type { Place } from '../shelf/place.js'
import type { DeviceRow, RoomRow } from '../view.js'

/** The other person of a direct room, or `undefined` for a room that is none, or none of `self`. */
export function otherOf(row: RoomRow | null, self: Uint8Array): Uint8Array | undefined {
  const { founder, peer } = row ?? {}
  if (!founder || !peer) return undefined
  if (equalBytes(founder, self)) return peer
  return equalBytes(peer, self) ? founder : undefined
}

/** The direct room with somebody. */
export interface DirectRoom {
  readonly id: string
  readonly discoveryKey: Uint8Array
  /** Whether the other person has come into it. */
  hasOther(): Promise<boolean>
}

/** What the rooms say of somebody, those that are asleep too. */
export interface Directory {
  /** The direct room with somebody. Of several, which two devices of one person can make, all choose the same. */
  find(person: string): Promise<DirectRoom | undefined>
  /** The devices of somebody, as far as rooms know them; at most so many. */
  devicesOf(person: Uint8Array, limit: number): Promise<Uint8Array[]>
  /** Whether somebody is in a room with this device's person. */
  shares(person: Uint8Array): Promise<boolean>
  /** From which epoch on a certificate of somebody is good: before it, one of their devices was revoked. */
  minEpochOf(person: Uint8Array): Promise<number>
}

/** What is asked of a room, open or asleep. */
interface Asked {
  readonly place: Place
  /** The other person of a direct room. */
  other(): Promise<Uint8Array | undefined>
  devicesOf(person: Uint8Array): Promise<readonly Pick<DeviceRow, 'device' | 'removed'>[]>
  hasMet(person: Uint8Array): Promise<boolean>
  has(person: Uint8Array): Promise<boolean>
  minEpochOf(person: Uint8Array): Promise<number>
}

export function createDirectory(self: Uint8Array, places: () => Iterable<Place>): Directory {
  /** Who a direct room is shared with never changes. */
  const others = new Map<string, Uint8Array | undefined>()

  async function otherIn(id: string, { view }: OpenRoom): Promise<Uint8Array | undefined> {
    if (others.has(id)) return others.get(id)
    const row = await view.room()
    const other = otherOf(row, self)
    if (row !== null) others.set(id, other)
    return other
  }

  function ask(place: Place): Asked {
    const { note } = place
    if (place.opened === undefined && note !== undefined) {
      const of = (person: Uint8Array) => note.devices.filter(({ identity }) => equalBytes(identity, person))
      return {
        place,
        other: async () => note.other ?? undefined,
        devicesOf: async (person) => of(person),
        hasMet: async (person) => of(person).length > 0,
        has: async (person) => of(person).some(({ removed }) => !removed),
        minEpochOf: async (person) => Math.max(0, ...of(person).map(({ minEpoch }) => minEpoch ?? 0))
      }
    }
    // A room that does not open says so elsewhere, and is with nobody.
    const use = <Value>(otherwise: Value, work: (room: OpenRoom) => Promise<Value>): Promise<Value> =>
      place.use(work).catch((error: unknown) => (place.opened === undefined ? otherwise : Promise.reject(error)))
    return {
      place,
      other: () => use(undefined, (room) => otherIn(place.id, room)),
      devicesOf: (person) => use([], ({ view }) => view.devicesOf(person)),
      hasMet: (person) => use(false, async ({ view }) => (await view.member(person)) !== null),
      has: (person) => use(false, async ({ view }) => ((await view.member(person))?.role ?? 0) > 0),
      minEpochOf: (person) => use(0, async ({ view }) => (await view.member(person))?.minEpoch ?? 0)
    }
  }

  const rooms = (): Asked[] => [...places()].map(ask)

  return {
    async find(person) {
      const key = decodeKey(person)
      let found: DirectRoom | undefined
      for (const { place, other, hasMet } of rooms()) {
        const them = await other()
        if (them === undefined || !equalBytes(them, key) || (found !== undefined && found.id < place.id)) continue
        found = { id: place.id, discoveryKey: place.discoveryKey, hasOther: () => hasMet(key) }
      }
      return found
    },
    async devicesOf(person, limit) {
      const devices = new Map<string, Uint8Array>()
      for (const room of rooms()) {
        for (const { device, removed } of await room.devicesOf(person)) if (!removed) devices.set(encodeZ32(device), device)
        if (devices.size >= limit) break
      }
      return [...devices.values()].slice(0, limit)
    },
    async shares(person) {
      for (const { has } of rooms()) if (await has(person)) return true
      return false
    },
    async minEpochOf(person) {
      let least = 0
      for (const room of rooms()) least = Math.max(least, await room.minEpochOf(person))
      return least
    }
  }
}
