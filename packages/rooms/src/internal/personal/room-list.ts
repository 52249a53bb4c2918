import Hypercore from 'hypercore'
import { encodeZ32, isCoveyError } from '@covey/core'
import { roleOf } from '../../roles.js'
import { KEY_BYTES, randomBytes } from '../crypto.js'
import { hintDevices } from '../hint-devices.js'
import { openRoom, type OpenRoom } from '../open-room.js'
import { rulesOf } from '../room-rules.js'
import type { RoomsParts } from '../rooms-parts.js'
import type { Place } from '../shelf/place.js'
import { decodeStruct, encodeStruct } from '../structs.js'
import type { DeviceEntries } from './let-devices-in.js'
import type { PersonalState } from './personal-state.js'

const PREFIX = 'room/'

/** Keeps the rooms of a person's devices the same. */
export interface RoomList {
  /** To be called when the list may be another. */
  changed(): Promise<void>
  /** To be called when a room was opened, or has other people. */
  compare(opened: OpenRoom): Promise<void>
  /** Has all rooms that this device waits for ask once more. */
  askAgain(): void
  /** Whether this device is in all the rooms of the list. */
  isSynced(): Promise<boolean>
  close(): Promise<void>
}

export interface RoomListInit {
  readonly parts: RoomsParts
  readonly state: PersonalState
  readonly entries: DeviceEntries
  /** Called when this device has come into a room, or one that it waits for has other people. */
  readonly onchange: () => void
  readonly onerror: (error: unknown) => void
}

/** A room of the list, with what opens it. */
interface Listed {
  readonly id: string
  readonly key: Uint8Array
  readonly encryptionKey: Uint8Array
}

export function createRoomList({ parts, state, entries, onchange, onerror }: RoomListInit): RoomList {
  const { node, stack, records, open, places, joining, assertOpen, enter } = parts
  const { publicKey: self } = stack.identity.identity
  /** Nothing before the list was read. */
  let ids: ReadonlySet<string> | undefined
  /** The rooms that this device is coming into, and waits to be let in. */
  const coming = new Map<string, OpenRoom>()
  const pending = new Set<Promise<void>>()
  let isClosing = false

  function listed(): Listed[] {
    return state.entries(PREFIX).flatMap(([id, value]) => {
      const entry = decodeStruct('personal-room-entry', value)
      return entry && !entry.left && encodeZ32(Hypercore.discoveryKey(entry.key)) === id ? [{ id, ...entry }] : []
    })
  }

  /** Tells of a room, or that the person has left it; or asks to be let in again. */
  async function compare(opened: OpenRoom): Promise<void> {
    const { base, room, view } = opened
    if (base.closing) return
    const isListed = listed().some(({ id }) => id === room.id)
    const isAdmitted = await opened.isAdmitted()
    const member = await view.member(self)
    const hasLeft = member !== null && roleOf(member.role) === undefined
    if (isListed && !isAdmitted && !hasLeft) entries.ask(opened)
    if (isListed ? !hasLeft : !isAdmitted) return
    const keys = { key: base.key!, encryptionKey: base.encryptionKey! }
    await state.set(PREFIX + room.id, encodeStruct('personal-room-entry', { ...keys, left: hasLeft }))
  }

  /** Opens a room that another device has told of, and waits until one of them has let this device in. */
  async function follow({ id, key, encryptionKey }: Listed): Promise<void> {
    const discoveryKey = Hypercore.discoveryKey(key)
    const known = await records.get(discoveryKey)
    // It comes into the room again when it is invited; and one that it is in, and that is in no list, was closed here.
    if (known?.left || known?.key) return
    const record = known ?? { namespace: randomBytes(KEY_BYTES), discoveryKey }
    // Without the key: it is a room that this device has but asked to join.
    if (known === undefined) await records.put(record)
    const opened = await openRoom({ ...stack, namespace: record.namespace, key, encryptionKey })
    const topic = node.join(discoveryKey)
    coming.set(id, opened)
    try {
      if (isClosing) return await opened.room.close()
      entries.ask(opened)
      opened.onpeople(onchange)
      await opened.until(async () => (await opened.isAdmitted()) || hintDevices(opened))
      await records.put({ ...record, key })
      assertOpen()
      enter(opened)
      onchange()
    } catch (error) {
      await opened.room.close()
      throw error
    } finally {
      coming.delete(id)
      await topic.close()
    }
  }

  /** Whether this device is in a room of the list, has left or closed it, or cannot be in it: a reader of a broadcast room lets in nobody. */
  async function isSettled({ id, key }: Listed): Promise<boolean> {
    const place = places.get(id)
    if (place !== undefined) return place.note?.admitted ?? place.use((opened) => opened.isAdmitted())
    const opened = coming.get(id)
    if (opened === undefined) {
      const record = await records.get(Hypercore.discoveryKey(key))
      return record?.left === true || !!record?.key
    }
    if (opened.base.closing) return false
    const [member, row] = await Promise.all([opened.view.member(self), opened.view.room()])
    return rulesOf(row).broadcast && roleOf(member?.role ?? 0) === 'reader'
  }

  function start(room: Listed): void {
    joining.add(room.id)
    const following = follow(room)
      // Closed, or left on another device.
      .catch((error: unknown) => isCoveyError(error, 'ROOM_CLOSED') || onerror(error))
      .then(() => {
        joining.delete(room.id)
        pending.delete(following)
      })
    pending.add(following)
  }

  return {
    async changed() {
      const list = listed()
      for (const room of list) if (!places.has(room.id) && !joining.has(room.id)) start(room)
      const before = ids
      ids = new Set(list.map(({ id }) => id))
      for (const [id, { room }] of coming) if (!ids.has(id)) await room.close()
      // Those that are asleep were compared while they were open, and are for what changes from then on.
      const changed = (id: string): boolean => ids!.has(id) !== (before?.has(id) ?? false)
      // Not so those of a time when there was no list: nobody has told of them.
      const isUntold = ({ id, note }: Place): boolean => before === undefined && note?.admitted === true && state.get(PREFIX + id) === undefined
      const isCompared = (place: Place): boolean => isUntold(place) || (changed(place.id) && (before !== undefined || open.has(place.id)))
      const compared = [...places.values()].filter(isCompared)
      // One that does not open says so itself, and is compared when it does.
      for (const place of compared) await place.use(compare).catch((error: unknown) => place.opened === undefined || onerror(error))
    },
    compare,
    askAgain() {
      for (const opened of coming.values()) entries.ask(opened)
    },
    async isSynced() {
      for (const room of listed()) if (!(await isSettled(room))) return false
      return true
    },
    async close() {
      isClosing = true
      await Promise.all([...coming.values()].map(({ room }) => room.close()))
      await Promise.all(pending)
    }
  }
}
