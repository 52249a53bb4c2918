import type { Content } from '@covey/core'

/** A message, as this device can show it. Plain data; a later version of it is another object. */
export interface Message {
  /** Unique and the same on every peer; z-base-32. */
  readonly id: string
  /** The id of the identity whose device wrote it: proven, not claimed. */
  readonly author: string
  /** The name that the author goes by in this room, or `''`. Chosen by the author, and not unique. */
  readonly authorName: string
  /** The id of the device that wrote it. */
  readonly device: string
  /**
   * - `text`: what {@link text} says;
   * - `content`: what {@link content} holds, of whatever type, known to this app or not;
   * - `unknown`: made by a version that this one does not know;
   * - `unreadable`: this device has not been given the key, which it may get later.
   */
  readonly kind: 'text' | 'content' | 'unknown' | 'unreadable'
  /** Well-formed, and `''` unless {@link kind} is `text`. */
  readonly text: string
  /** What its {@link ContentType.read} reads; there if {@link kind} is `content`. */
  readonly content?: Content
  /**
   * What the author's clock said, in milliseconds since 1970, and never later than this device's clock.
   * Advice only: it orders nothing.
   */
  readonly sentAt: number
  /** Whether this device's own identity wrote it. */
  readonly isOwn: boolean
  /**
   * - `sent`: it has a place in the room's order, as far as this device knows;
   * - `pending`: it has none yet. Of this device's own, it is durable; of somebody else's, it came ahead of
   *   the log. {@link RoomEvents.settle} tells what becomes of it.
   */
  readonly state: 'pending' | 'sent'
}

/** Which messages {@link Room.messages} gives. All of them, oldest first, unless told otherwise. */
export interface MessagesOptions {
  /** Those after the message of this id. */
  readonly since?: string
  /** Those before the message of this id. */
  readonly before?: string
  /**
   * At most so many of the past: the first ones where `since` is given, else the last ones. Not with both
   * `since` and `live`, which would leave a gap.
   */
  readonly limit?: number
  /**
   * Whether to go on, when the past is told, with every message that comes: once, and as soon as it can be
   * shown, `pending` if need be. Not with `before`. Default `false`.
   */
  readonly live?: boolean
  /**
   * With `live`, whether a message is given while it is `pending`. Without, each is given when it is `sent`, those
   * of a device in its order: for what acts on messages. Default `true`.
   */
  readonly pending?: boolean
  /** Ends the iteration with its reason. */
  readonly signal?: AbortSignal
}
