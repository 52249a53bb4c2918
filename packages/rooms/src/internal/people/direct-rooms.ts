import { encodeZ32, equalBytes } from '@covey/core'
import type { OpenRoom } from '../open-room.js'
import type { RoomRow, RoomView } from '../view.js'

/** The other person of a direct room, or `undefined` for a room that is none, or none of `self`. */
export function otherOf(row: RoomRow | null, self: Uint8Array): Uint8Array | undefined {
  const { founder, peer } = row ?? {}
  if (!founder || !peer) return undefined
  if (equalBytes(founder, self)) return peer
  return equalBytes(peer, self) ? founder : undefined
}

/** What the open rooms say of somebody. */
export interface Directory {
  /** The direct room with somebody. Of several, which two devices of one person can make, all choose the same. */
  find(person: string): Promise<OpenRoom | undefined>
  /** The devices of somebody, as far as rooms know them; at most so many. */
  devicesOf(person: Uint8Array, limit: number): Promise<Uint8Array[]>
  /** Whether somebody is in a room with this device's person. */
  shares(person: Uint8Array): Promise<boolean>
}

export function createDirectory(self: Uint8Array, rooms: () => Iterable<OpenRoom>): Directory {
  /** Who a direct room is shared with never changes. */
  const others = new WeakMap<RoomView, string | undefined>()

  async function otherIn({ view }: OpenRoom): Promise<string | undefined> {
    if (others.has(view)) return others.get(view)
    const row = await view.room()
    const key = otherOf(row, self)
    const other = key && encodeZ32(key)
    if (row !== null) others.set(view, other)
    return other
  }

  return {
    async find(person) {
      let found: OpenRoom | undefined
      for (const opened of rooms()) {
        if ((await otherIn(opened)) !== person) continue
        if (found === undefined || opened.room.id < found.room.id) found = opened
      }
      return found
    },
    async devicesOf(person, limit) {
      const devices = new Map<string, Uint8Array>()
      for (const { view } of rooms()) {
        for (const { device, removed } of await view.devicesOf(person)) if (!removed) devices.set(encodeZ32(device), device)
        if (devices.size >= limit) break
      }
      return [...devices.values()].slice(0, limit)
    },
    async shares(person) {
      for (const { view } of rooms()) if (((await view.member(person))?.role ?? 0) > 0) return true
      return false
    }
  }
}
