import Hypercore from 'hypercore'
import { encodeZ32 } from '@covey/core'
import { roleOf } from '../../roles.js'
import { KEY_BYTES, randomBytes } from '../crypto.js'
import { openRoom, type OpenRoom } from '../open-room.js'
import type { RoomsParts } from '../rooms-parts.js'
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
  /** Whether this device is in all the rooms of the list. */
  isSynced(): Promise<boolean>
}

export interface RoomListInit extends Pick<RoomsParts, 'stack' | 'records' | 'open' | 'joining' | 'opening' | 'enter'> {
  readonly state: PersonalState
  readonly entries: DeviceEntries
}

export function createRoomList({ stack, records, open, joining, opening, enter, state, entries }: RoomListInit): RoomList {
  const { publicKey: self } = stack.identity.identity
  let ids: ReadonlySet<string> = new Set()

  /** The rooms that the person is in, with what opens them. */
  function listed() {
    return state.entries(PREFIX).flatMap(([id, value]) => {
      const entry = decodeStruct('personal-room-entry', value)
      return entry && !entry.left && encodeZ32(Hypercore.discoveryKey(entry.key)) === id ? [{ id, ...entry }] : []
    })
  }

  /** Tells of a room, or that the person has left it; or asks to be let in. */
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

  /** Opens a room that another device has told of. */
  async function follow(key: Uint8Array, encryptionKey: Uint8Array): Promise<void> {
    await opening(async () => {
      const discoveryKey = Hypercore.discoveryKey(key)
      const known = await records.get(discoveryKey)
      const record = known ?? { namespace: randomBytes(KEY_BYTES), discoveryKey }
      const opened = await openRoom({ ...stack, namespace: record.namespace, key, encryptionKey })
      await records.put({ ...record, key })
      return enter(opened)
    })
  }

  return {
    async changed() {
      const list = listed()
      for (const { id, key, encryptionKey } of list) {
        if (open.has(id) || joining.has(id)) continue
        joining.add(id)
        await follow(key, encryptionKey).finally(() => joining.delete(id))
      }
      const before = ids
      ids = new Set(list.map(({ id }) => id))
      for (const opened of open.values()) if (ids.has(opened.room.id) !== before.has(opened.room.id)) await compare(opened)
    },
    compare,
    async isSynced() {
      for (const { id } of listed()) if (!(await open.get(id)?.isAdmitted())) return false
      return true
    }
  }
}
