import type { Room as RoomAlone, Rooms as RoomsAlone, RoomsEvents as RoomsEventsAlone } from '@covey/rooms'
import type { RoomAvatars } from './avatar.js'
import type { RoomFiles } from './room-files.js'
import type { RoomMirrors } from './room-mirrors.js'
import type { RoomPayments } from './room-payments.js'
import type { RoomTips } from './room-tips.js'

/** A room of a peer: encrypted, with its files, and held by the peer's mirrors. */
export interface Room extends RoomAlone, RoomAvatars, RoomMirrors {
  /** What is shared in it. */
  readonly files: RoomFiles
  /** What is asked for, paid and verified in it, by the peer's wallet; without one, what others do is verified all the same. */
  readonly payments: RoomPayments & RoomTips
}

/** The rooms of a peer: all that it is a member of, opened as they are used. */
export interface Rooms extends RoomsAlone<Room> {}

/** What happens to the rooms of a peer. */
export type RoomsEvents = RoomsEventsAlone<Room>
