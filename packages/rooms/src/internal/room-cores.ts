import { encodeZ32, equalBytes } from '@covey/core'
import type { Room } from '../room.js'
import type { UpstreamAutobase } from './guards/autobase-internals.js'
import type { OpenRoom } from './open-room.js'
import type { RoomView } from './view.js'

/** What a room lies in: everyone's writing, and the views that were made of it. */
export interface RoomCores {
  /** This device's own, 32 bytes. */
  readonly own: Uint8Array
  /** How many blocks of it everything takes that this device has said so far; resolves when it is in them. */
  written(): Promise<number>
  /** The keys of all, the own first. */
  keys(): Promise<Uint8Array[]>
  /** The members' other devices, by id. */
  devices(): Promise<string[]>
  /** Looks for news of a device whose core, by key, somebody says to have so many blocks of; they need not be right. */
  wake(key: Uint8Array, length: number): Promise<void>
  /** Calls back when there may be others. */
  onchange(listener: () => void): () => void
}

const registry = new WeakMap<Room, RoomCores>()

export function registerCores({ room, base, view, log, onpeople }: OpenRoom): void {
  const { key: own } = base.local
  const others = async () => (await view.all('devices')).filter(({ writer }) => !equalBytes(writer, own))
  registry.set(room, {
    own,
    async written() {
      // `send` resolves when a message is in the outbox.
      await log.settled()
      return base.local.length
    },
    async keys() {
      const { byName } = (base as unknown as UpstreamAutobase<RoomView>)._viewStore
      const views = [...byName.values()].flatMap(({ core }) => core.key ?? [])
      return [own, ...views, ...(await others()).map(({ writer }) => writer)]
    },
    async wake(key, length) {
      const isDevice = (await view.device(key)) !== null
      if (isDevice && !base.closing) base.hintWakeup([{ key, length }])
    },
    onchange: onpeople,
    devices: async () => (await others()).filter(({ removed }) => !removed).map(({ device }) => encodeZ32(device))
  })
}

/**
 * What a room lies in.
 *
 * @throws {TypeError} when `room` was not opened by this copy of the package.
 */
export function coresOf(room: Room): RoomCores {
  const cores = registry.get(room)
  if (cores === undefined) throw new TypeError('room must come from createRooms()')
  return cores
}
