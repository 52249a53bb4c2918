import type { Content } from '@covey/core'
import type { CallOptions } from './room.js'

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
   * - `blocked`: this device's person has blocked its author; told to nobody, and over when they are unblocked;
   * - `deleted`: nothing is left of it but who wrote it, and when;
   * - `unreadable`: this device has not been given the key, which it may get later.
   */
  readonly kind: 'text' | 'content' | 'unknown' | 'deleted' | 'unreadable' | 'blocked'
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
   * - `pending`: it has none yet. This device's own are shown so at once, and are durable when `send` resolves; of somebody
   *   else's, it came ahead of the log, and is not kept here yet. {@link RoomEvents.settle} tells what becomes of it.
   */
  readonly state: 'pending' | 'sent'
  /** Whom the text names, in its order. Chosen by the author: a member of these ids there need not be. */
  readonly mentions: readonly Mention[]
  /** The id of the message that it answers, as its author says; there may be none here. */
  readonly replyTo?: string
  /** The id of the message that the thread begins with that it is in. */
  readonly thread?: string
  /** How many messages are in the thread that begins with it. */
  readonly replies: number
  /** How often it was edited. What it said before, {@link Room.edits} gives. */
  readonly edits: number
  /** When it was edited last, as {@link sentAt}. */
  readonly editedAt?: number
  /** Most first. */
  readonly reactions: readonly Reaction[]
  /** If {@link content} is, or was when it was sent, a poll: how it stands. */
  readonly poll?: PollResult
  readonly isPinned: boolean
  /** Whether its author says that it is somebody else's: whose, nothing would prove. */
  readonly isForwarded: boolean
  /** The id of the identity that deleted it. */
  readonly deletedBy?: string
}

/** That a part of a text means a member. */
export interface Mention {
  /** The id of the identity. */
  readonly member: string
  /** Where the part begins, in code points of the text: `[...text].slice(start, start + length)`. */
  readonly start: number
  /** How many code points it has, 1 or more. */
  readonly length: number
}

/** The people who have reacted to a message in the same way. */
export interface Reaction {
  readonly emoji: string
  /** How many people. */
  readonly count: number
  /** The ids of their identities, who was first first. */
  readonly by: readonly string[]
  /** Whether this device's own identity is one of them. */
  readonly isOwn: boolean
}

/** How a poll stands. */
export interface PollResult {
  readonly question: string
  readonly isMultiple: boolean
  /** Whether no more votes count. */
  readonly isClosed: boolean
  /** How many people have chosen something. */
  readonly voters: number
  readonly options: readonly {
    readonly text: string
    /** How many people. */
    readonly count: number
    /** The ids of their identities. */
    readonly by: readonly string[]
    /** Whether this device's own identity is one of them. */
    readonly isOwn: boolean
  }[]
}

/** What a message said at one time. */
export interface MessageVersion extends Pick<Message, 'kind' | 'text' | 'content' | 'mentions'> {
  /** Milliseconds since 1970, as {@link Message.sentAt}. */
  readonly sentAt: number
}

/** How {@link Room.edit} edits. */
export interface EditOptions extends CallOptions {
  /** At most {@link MAX_MENTIONS}, in the order of the text, none over another. For texts. */
  readonly mentions?: readonly Mention[]
}

/** How {@link Room.send} sends. */
export interface SendOptions extends EditOptions {
  /** The id of the message that it answers: for members only, as all that is said. */
  readonly replyTo?: string
  /**
   * The id of the message whose thread it goes into, or of one in that thread. Whoever keeps the room's log without
   * being in it can see which messages are in a thread with each other.
   */
  readonly thread?: string
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
  /** Those in the thread that begins with the message of this id, but for that one. Default: those in threads too. */
  readonly thread?: string
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

/** What {@link Room.search} gives. */
export interface SearchOptions extends CallOptions {
  /** At most so many, of {@link MAX_SEARCH_LIMIT}. Default {@link DEFAULT_SEARCH_LIMIT}. */
  readonly limit?: number
  /** Those of the member of this id. */
  readonly from?: string
  /** Those before the message of this id: the last of a page, for the next one. */
  readonly before?: string
}
