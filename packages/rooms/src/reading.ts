import type { CallOptions } from './room.js'

/** What this device's person has not read, of others, neither deleted nor of somebody who is blocked. */
export interface Unread {
  /** How many messages; of the last 1,000. */
  readonly count: number
  /** How many of them mention this device's person. */
  readonly mentions: number
  /** The id of the first of them. */
  readonly first?: string
}

/** How far a member says to have read. */
export interface Receipt {
  /** The id of the identity. */
  readonly memberId: string
  /** The last message that they have read; all before it count as read. */
  readonly messageId: string
  /** Milliseconds since 1970, by their clock, and no later than now. */
  readonly readAt: number
}

/** How far the people of a room have read. */
export interface RoomReading {
  /**
   * Marks everything up to a message as read, by this device's person, on all of their devices. A mark does not go back.
   * Others are told of it where the peer was opened with `readReceipts`, some seconds later, in rooms of at most
   * {@link MAX_RECEIPT_MEMBERS} members.
   *
   * @param id by default the last message of the room.
   * @throws {RoomError} MESSAGE_NOT_FOUND, ROOM_CLOSED
   */
  markRead(id?: string, options?: CallOptions): Promise<void>
  /** What came after the mark; with none, all that is here. An `update` event tells that it may be other. */
  unread(): Promise<Unread>
  /** How far those members have read who tell it, this person too; none of somebody who is blocked. An `update` event tells that it may be other. */
  receipts(): Promise<Receipt[]>
  /**
   * The members, by id, who say to have read a message, but for its author.
   *
   * @throws {RoomError} MESSAGE_NOT_FOUND
   */
  readBy(messageId: string): Promise<string[]>
}
