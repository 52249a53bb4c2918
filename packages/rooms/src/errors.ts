import { CoveyError } from '@covey/core'

/**
 * - `ROOM_CLOSED`: the room, or its peer, was closed.
 * - `ROOM_NOT_FOUND`: this peer is in no room of this id.
 * - `ROOM_NOT_WRITABLE`: this device may read the room, but not write to it.
 * - `ROOM_FORBIDDEN`: the member's role does not allow it.
 * - `ROOM_STORAGE_FAILED`: the disk did not take it, and nothing was sent; or not what arrived, and the room stops.
 * - `ROOM_BROKEN`: the room's log cannot be read on; the cause says why.
 * - `ROOM_SPLIT`: what was shown here is not what the room's indexers signed; it is being brought to that.
 * - `WRITER_FROZEN`: a device wrote what breaks the log; nothing more of it is read, everyone else goes on.
 * - `UPSTREAM_UNSUPPORTED`: a module of the stack has a version that the guards were not written for.
 * - `MESSAGE_EMPTY`, `MESSAGE_TOO_LARGE`, `MESSAGE_MALFORMED`: the text cannot be sent as it is.
 * - `MESSAGE_TOO_SOON`: the room is in slow mode.
 * - `MESSAGE_NOT_FOUND`: there is no message with this id here.
 * - `MESSAGE_DELETED`: there is nothing left of it to change.
 * - `TOO_MANY_REACTIONS`, `TOO_MANY_PINS`: the message, or the room, has as many as it may have.
 * - `REPORT_NOT_FOUND`: no report of this id waits. `TOO_MANY_REPORTS`: as many of this member's do as may.
 * - `POLL_NOT_FOUND`: the message is no poll, or cannot be read here. `POLL_CLOSED`: it has ended.
 * - `COLLECTION_NOT_FOUND`: no admin has said who may write to the collection.
 * - `COLLECTION_FULL`: it, or the room, has as much as it may have.
 * - `ENTRY_UNREADABLE`: this device has not been given the key yet.
 * - `MEMBER_NOT_FOUND`, `INVITE_NOT_FOUND`: nor a member, or an invite, of this id.
 * - `INVITE_MALFORMED`: the link is whole, but no invite is in it.
 * - `INVITE_EXPIRED`, `INVITE_USED_UP`, `INVITE_REFUSED`: the room did not let this device in.
 * - `PERSON_BLOCKED`: this peer's person has blocked them.
 * - `TOO_MANY_PEOPLE`: a list of people has as many as it may have.
 * - `BUNDLE_UNREADABLE`, `BUNDLE_NOT_WRITTEN`: the file cannot be read, or not be written; the cause says why.
 * - `BUNDLE_MALFORMED`: it is no bundle, or it is cut short or damaged. What came before the damage has been taken.
 * - `BUNDLE_UNSUPPORTED`: it is of a later version.
 * - `BUNDLE_FOREIGN`: it is of a room that this peer is not in.
 * - `JOIN_IN_PROGRESS`: this peer is joining or leaving that room already.
 * - `JOIN_REQUEST_NOT_FOUND`: nobody waits under this id to be let in.
 * - `JOIN_TIMEOUT`: nobody answered in time who could let this device in.
 * - `PREVIEW_REFUTED`: what a device showed of a room before it was here is not what the room says.
 * - `LINK_MALFORMED`: the link is whole, but not one by which a device is linked.
 * - `LINK_EXPIRED`, `LINK_USED`, `LINK_REFUSED`: the other device did not make this one the person's.
 * - `LINK_TIMEOUT`: the other device did not answer in time, or went away.
 * - `LINK_REQUEST_NOT_FOUND`: no device waits under this id to be confirmed.
 * - `DEVICE_NOT_FOUND`: the person has no such device.
 * - `DEVICE_UNLINKED`: another device has taken this one from the person.
 * - `DEVICE_LINKED`: this folder's device shares a person's rooms already.
 */
export type RoomErrorCode =
  | 'ROOM_CLOSED'
  | 'ROOM_NOT_FOUND'
  | 'ROOM_NOT_WRITABLE'
  | 'ROOM_FORBIDDEN'
  | 'ROOM_STORAGE_FAILED'
  | 'ROOM_BROKEN'
  | 'ROOM_SPLIT'
  | 'WRITER_FROZEN'
  | 'UPSTREAM_UNSUPPORTED'
  | 'MESSAGE_EMPTY'
  | 'MESSAGE_TOO_LARGE'
  | 'MESSAGE_MALFORMED'
  | 'MESSAGE_TOO_SOON'
  | 'MESSAGE_NOT_FOUND'
  | 'MESSAGE_DELETED'
  | 'POLL_NOT_FOUND'
  | 'POLL_CLOSED'
  | 'REPORT_NOT_FOUND'
  | 'TOO_MANY_REPORTS'
  | 'TOO_MANY_REACTIONS'
  | 'TOO_MANY_PINS'
  | 'COLLECTION_NOT_FOUND'
  | 'COLLECTION_FULL'
  | 'ENTRY_UNREADABLE'
  | 'MEMBER_NOT_FOUND'
  | 'INVITE_NOT_FOUND'
  | 'INVITE_MALFORMED'
  | 'INVITE_EXPIRED'
  | 'INVITE_USED_UP'
  | 'INVITE_REFUSED'
  | 'PERSON_BLOCKED'
  | 'TOO_MANY_PEOPLE'
  | 'BUNDLE_UNREADABLE'
  | 'BUNDLE_NOT_WRITTEN'
  | 'BUNDLE_MALFORMED'
  | 'BUNDLE_UNSUPPORTED'
  | 'BUNDLE_FOREIGN'
  | 'JOIN_IN_PROGRESS'
  | 'JOIN_REQUEST_NOT_FOUND'
  | 'JOIN_TIMEOUT'
  | 'PREVIEW_REFUTED'
  | 'LINK_MALFORMED'
  | 'LINK_EXPIRED'
  | 'LINK_USED'
  | 'LINK_REFUSED'
  | 'LINK_TIMEOUT'
  | 'LINK_REQUEST_NOT_FOUND'
  | 'DEVICE_NOT_FOUND'
  | 'DEVICE_UNLINKED'
  | 'DEVICE_LINKED'

/** What `@covey/rooms` throws; see {@link RoomErrorCode}. */
export class RoomError extends CoveyError<RoomErrorCode> {
  override readonly name = 'RoomError'
}
