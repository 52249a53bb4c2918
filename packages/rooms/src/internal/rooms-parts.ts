import type { Node } from '@covey/transport'
import type { Room } from '../room.js'
import type { Rooms } from '../rooms.js'
import type { OpenRoom, OpenRoomInit } from './open-room.js'
import type { LocalContacts } from './people/contacts.js'
import type { RoomRecords } from './records.js'
import type { Place } from './shelf/place.js'

/** What the rooms of a peer are made of, for what is kept between the devices of its person. */
export interface RoomsParts {
  readonly node: Node
  readonly stack: Pick<OpenRoomInit, 'corestore' | 'wakeup' | 'identity' | 'meetingPlace' | 'profile' | 'isBlocked' | 'presence' | 'readReceipts'>
  readonly records: RoomRecords
  readonly contacts: LocalContacts
  /** The open rooms, by id. */
  readonly open: ReadonlyMap<string, OpenRoom>
  /** All rooms, by id, those that are asleep too. */
  readonly places: ReadonlyMap<string, Place>
  /** The ids of the rooms that are being joined, or left. */
  readonly joining: Set<string>
  /** @throws {RoomError} ROOM_CLOSED */
  readonly assertOpen: () => void
  /** Puts an opened room on the network and into the list. */
  readonly enter: (opened: OpenRoom) => Room
  /** Calls back with each room that is opened from now on, each time. */
  readonly onopen: (listener: (opened: OpenRoom) => void) => () => void
}

const parts = new WeakMap<Rooms, RoomsParts>()

export function registerParts(rooms: Rooms, its: RoomsParts): void {
  parts.set(rooms, its)
}

/** @throws {TypeError} for rooms that `createRooms()` of this copy of the package has not made. */
export function partsOfRooms(rooms: Rooms): RoomsParts {
  const its = parts.get(rooms)
  if (its === undefined) throw new TypeError('init.rooms must come from createRooms()')
  return its
}
