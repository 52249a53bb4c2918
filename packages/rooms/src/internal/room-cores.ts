import { encodeZ32, equalBytes } from '@covey/core'
import type { Room } from '../room.js'
import type { UpstreamAutobase } from './guards/autobase-internals.js'
import type { OpenRoom } from './open-room.js'
import type { HealthWatch } from './room-health.js'
import type { RoomView } from './view.js'

/** What a room lies in: everyone's writing, and the views that were made of it. */
export interface RoomCores {
  /** This device's own, 32 bytes. */
  readonly own: Uint8Array
  /**
   * How many blocks of it everything takes that this device has said so far; resolves when it is in them.
   *
   * @throws {RoomError} ROOM_CLOSED, ROOM_NOT_WRITABLE, ROOM_STORAGE_FAILED when something that was told as sent cannot be written.
   */
  written(): Promise<number>
  /** The keys of all, the own first. */
  keys(): Promise<Uint8Array[]>
  /** The links of the mirrors that the room names; none for who is no member. */
  mirrors(): Promise<readonly string[]>
  /** The members' other devices, by id. */
  devices(): Promise<string[]>
  /** Looks for news of a device whose core, by key, somebody says to have so many blocks of; they need not be right. */
  wake(key: Uint8Array, length: number): Promise<void>
  /** Where a message lies, when it is in the log: the last block of the first `length` of a core, by its key. */
  locate(id: Uint8Array): Promise<{ readonly key: Uint8Array; readonly length: number } | undefined>
  /** Whether this device has left the room, and others have heard of it: nobody has to hold it for this device any more. */
  isLeft(): boolean
  /** Calls back when there may be others. */
  onchange(listener: () => void): () => void
  /** Takes what tells of the mirrors that hold the room; to be called, what is returned, when they have changed. */
  readonly tellMirrors: HealthWatch['tellMirrors']
}

const registry = new WeakMap<Room, RoomCores>()

export function registerCores(room: Room, cores: RoomCores): void {
  registry.set(room, cores)
}

/** Those of a room for as long as it is open. */
export function coresIn({ room, base, view, roster, viewKeeper, log, health, onpeople }: OpenRoom): RoomCores {
  const { key: own } = base.local
  const others = async () => [...(await roster.devices()).values()].filter(({ writer }) => !equalBytes(writer, own))
  return {
    own,
    async written() {
      // `send` resolves when a message is in the outbox.
      await log.settled()
      // What could not be written from there is now, or this says why not.
      await log.append([])
      return base.local.length
    },
    async keys() {
      const { byName } = (base as unknown as UpstreamAutobase<RoomView>)._viewStore
      const views = [...byName.values()].flatMap(({ core }) => core.key ?? [])
      // Who has just come in reads first, and has to know of the others later.
      return [own, ...views, ...(viewKeeper.isCalm() ? await others() : []).map(({ writer }) => writer)]
    },
    async mirrors() {
      const { mirrors, role } = await room.info()
      // Whoever is out is told nothing by the room, and has nothing to tell it.
      return role === undefined ? [] : mirrors
    },
    async wake(key, length) {
      const isDevice = (await view.device(key)) !== null
      if (isDevice && !base.closing) base.hintWakeup([{ key, length }])
    },
    async locate(id) {
      await log.settled()
      let row = await view.message(id)
      // One of this device that could not be written from there is now, or this says why not.
      if (row === null) await log.append([])
      row ??= await view.message(id)
      return row?.length ? { key: row.writer, length: row.length } : undefined
    },
    onchange(listener) {
      base.on('reboot', listener)
      const stops = [onpeople(listener), viewKeeper.oncalm(listener)]
      return () => {
        base.off('reboot', listener)
        for (const stop of stops) stop()
      }
    },
    isLeft: () => false,
    tellMirrors: health.tellMirrors,
    async devices() {
      await viewKeeper.calm()
      return (await others()).filter(({ removed }) => !removed).map(({ device }) => encodeZ32(device))
    }
  }
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
