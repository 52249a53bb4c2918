import type { Content, EventSource } from '@covey/core'
import type { RoomError } from './errors.js'
import type { ExportBundleOptions, ExportedBundle } from './bundle.js'
import type { Collection, CollectionOptions } from './collection.js'
import type { History } from './internal/keyring.js'
import type { CreateInviteOptions, InviteInfo } from './invite.js'
import type { EditOptions, Message, MessagesOptions, MessageVersion, SearchOptions, SendOptions } from './message.js'
import type { Profile } from './people.js'
import type { RoomGovernance } from './governance.js'
import type { RoomHealth } from './health.js'
import type { RoomReading } from './reading.js'
import type { Role } from './roles.js'
import type { RoomRules } from './rules.js'
import type { RoomTimeline, TimelineOptions } from './timeline.js'

/** What a room is. */
export interface RoomInfo {
  /** Chosen by its admins; `''` while this device cannot read it. */
  readonly name: string
  /** Milliseconds since 1970, by the founder's clock. */
  readonly createdAt: number
  /** What newcomers can read. */
  readonly history: History
  /** What it asks of its members. */
  readonly rules: RoomRules
  /** The links of its mirrors; none while this device cannot read them. See {@link Room.setMirrors}. */
  readonly mirrors: readonly string[]
  /** What this device's identity may do, or `undefined` while it is no member. */
  readonly role: Role | undefined
  /** The id of the identity that this room is shared with, of a direct room. */
  readonly directWith?: string
}

/** A person in a room, with what they say of themselves: `''` while unknown. */
export interface Member extends Profile {
  /** The id of the identity. */
  readonly id: string
  readonly role: Role
  /** Milliseconds since 1970, by the clock of who admitted the member. */
  readonly joinedAt: number
  /** Whether the member may not send messages at present. */
  readonly isMuted: boolean
  /** Whether this is the identity of this device. */
  readonly isSelf: boolean
}

/** When this device's person may send a message, as far as slow mode is concerned. */
export interface Pace {
  /** Milliseconds from now; 0 for now. */
  readonly waitMs: number
  /** Whether somebody else has to write first, which nobody can tell the time of. */
  readonly isOthersTurn: boolean
}

/**
 * That a device of a member writes more than the room's quota. Nothing of it is lost: it is read slowly,
 * and others are not held up. Whether to remove the member is for people to decide.
 */
export interface MemberFlood {
  /** The id of the identity. */
  readonly memberId: string
  /** The key of the device. z-base-32. */
  readonly device: string
  /** Whether the identity of this device may remove the member: who may, should be asked. */
  readonly mayRemove: boolean
}

/** Somebody who asks to be let in, and waits for a moderator to approve: proven to be who they are. */
export interface JoinRequest {
  /** For {@link Room.approve} and {@link Room.decline}; z-base-32. */
  readonly id: string
  /** The id of the identity that asks. */
  readonly identity: string
  /** Chosen by who asks, and not unique; `''` for none. */
  readonly name: string
  /** The id of the invite that they came with. */
  readonly inviteId: string
  /** What they may do when they are let in. */
  readonly role: Role
  /** Milliseconds since 1970, by the clock of the member whose device heard of it. */
  readonly askedAt: number
}

/** What became of a message that was `pending`. */
export interface MessageSettled {
  readonly id: string
  /**
   * `withdrawn`: the room did not take it, or its author never wrote it; a display takes it away. Should it
   * come by the log after all, {@link Room.messages} gives it again.
   */
  readonly state: 'sent' | 'withdrawn'
}

/** A member who is there: who has said so in the last minute or so, by a device that this one talks with. */
export interface MemberPresence {
  /** The id of the identity. */
  readonly memberId: string
  readonly isTyping: boolean
}

/** What happens in a room. Hints for a display; what must not be missed, {@link Room.messages} gives. */
export interface RoomEvents {
  /** Something of the room has changed. Many changes may make one event. */
  update: undefined
  /** A message that was shown as `pending` is sent, or is none. */
  settle: MessageSettled
  /** The room was closed here. */
  close: undefined
  /** A member has come, or is not there any more: on none of their devices that this one talks with. */
  presence: { readonly memberId: string; readonly isHere: boolean }
  /** A member types, or has stopped: by what they say, by having sent it, or after 8 s. */
  typing: { readonly memberId: string; readonly isTyping: boolean }
  /** A member writes more than the quota; again when it has long kept to it, and after the room was opened. */
  flood: MemberFlood
  /** An indexer came or went, a device is behind, a split was found; a second or so later, and once when it was opened. */
  health: RoomHealth
  /** Something failed in the background. */
  error: RoomError
}

/** What the calls that take time have in common. */
export interface CallOptions {
  /** Stops waiting, with its reason; what was handed over may still happen. */
  readonly signal?: AbortSignal
}

/** How {@link Room.remove} removes. */
export interface RemoveOptions extends CallOptions {
  /** Whether the person may not come back by another invite either, also where they have left already. Default `false`. */
  readonly ban?: boolean
}

/**
 * An encrypted room. It is opened when it is used, and stays open while something goes on: a call, an iteration of what is
 * live, or somebody who listens to `presence`, `typing` or `health`, which an open room alone can tell. Reading and writing
 * work offline; what was written reaches the others when they meet.
 */
export interface Room extends EventSource<RoomEvents>, RoomGovernance, RoomReading {
  /** The same on every peer; safe to show and to log. z-base-32. */
  readonly id: string
  info(): Promise<RoomInfo>
  members(): Promise<Member[]>
  /**
   * Sends a text, or a content of a type that `defineContent` has made. Resolves when it is durable on this
   * device, mostly while it is still `pending`: it is given at once by {@link messages} with `live`, and to the
   * members who are there. Calls in flight are written together, in the order of the calls.
   *
   * @param content a text is well-formed, 1 byte to {@link MAX_TEXT_BYTES} as UTF-8; the data of a content is at
   *   most `MAX_CONTENT_BYTES`.
   * @throws {RoomError} MESSAGE_EMPTY, MESSAGE_TOO_LARGE, MESSAGE_MALFORMED, MESSAGE_NOT_FOUND for `replyTo` and
   *   `thread`, ROOM_CLOSED, ROOM_NOT_WRITABLE, ROOM_FORBIDDEN, MESSAGE_TOO_SOON in slow mode, ROOM_STORAGE_FAILED
   */
  send(content: string | Content, options?: SendOptions): Promise<Message>
  /**
   * Sends what a message of any room says, marked as passed on.
   *
   * @throws as {@link send} does
   */
  forward(message: Pick<Message, 'kind' | 'text' | 'content'>, options?: CallOptions): Promise<Message>
  /**
   * Gives a message of one's own something else to say. Of its versions the first 64 and the newest are kept: see
   * {@link edits}.
   *
   * @throws {RoomError} MESSAGE_NOT_FOUND, MESSAGE_DELETED, ROOM_FORBIDDEN for all but its author; and what
   *   {@link send} throws
   */
  edit(id: string, content: string | Content, options?: EditOptions): Promise<Message>
  /**
   * What a message has said so far, oldest first, the present version last; nothing of one that was deleted.
   *
   * @throws {RoomError} MESSAGE_NOT_FOUND
   */
  edits(id: string): Promise<MessageVersion[]>
  /**
   * Takes back what a message says, with its versions and reactions; a message of kind `deleted` stays in its place.
   * Who has read it may have kept it, and its sealed bytes stay in the log of its author's device.
   *
   * @throws {RoomError} MESSAGE_NOT_FOUND, MESSAGE_DELETED, ROOM_FORBIDDEN for all but its author and moderators
   */
  delete(id: string, options?: CallOptions): Promise<void>
  /**
   * Reacts to a message; nothing happens where one has done so already.
   *
   * @param emoji at most {@link MAX_EMOJI_BYTES} as UTF-8.
   * @throws {RoomError} MESSAGE_NOT_FOUND, MESSAGE_DELETED, ROOM_FORBIDDEN for readers and the muted,
   *   TOO_MANY_REACTIONS where one has 16, or the message 4,096
   */
  react(id: string, emoji: string, options?: CallOptions): Promise<void>
  /** Takes a reaction of one's own back, if there is one. @throws {RoomError} MESSAGE_NOT_FOUND, MESSAGE_DELETED */
  unreact(id: string, emoji: string, options?: CallOptions): Promise<void>
  /**
   * Votes in a poll, in place of one's own vote before.
   *
   * @param id of a message whose content is of `pollContent`.
   * @param choices the numbers of the options, the first of which is 0; none takes a vote back.
   * @throws {RoomError} MESSAGE_NOT_FOUND, MESSAGE_DELETED, POLL_NOT_FOUND for a message that is none, POLL_CLOSED,
   *   ROOM_FORBIDDEN for readers and the muted
   * @throws {TypeError} for options that there are not, and for several where one is asked for
   */
  vote(id: string, choices: readonly number[], options?: CallOptions): Promise<void>
  /**
   * Ends a poll, for good: votes that come later in the room's order do not count.
   *
   * @throws {RoomError} MESSAGE_NOT_FOUND, MESSAGE_DELETED, POLL_NOT_FOUND, POLL_CLOSED, ROOM_FORBIDDEN for all but its
   *   author and moderators
   */
  closePoll(id: string, options?: CallOptions): Promise<void>
  /**
   * Pins a message for everybody.
   *
   * @throws {RoomError} MESSAGE_NOT_FOUND, MESSAGE_DELETED, ROOM_FORBIDDEN for members below moderator,
   *   TOO_MANY_PINS where there are 100
   */
  pin(id: string, options?: CallOptions): Promise<void>
  /** @throws {RoomError} MESSAGE_NOT_FOUND, MESSAGE_DELETED, ROOM_FORBIDDEN for members below moderator */
  unpin(id: string, options?: CallOptions): Promise<void>
  /** The messages that are pinned, in the room's order. */
  pins(): Promise<Message[]>
  /**
   * The messages of the room, in its order; with `live`, without end. Each is given once, also when
   * the order changes meanwhile, as it may until the room's indexers have signed it. Those that this device
   * has sent before are among them; those of others that are `pending`, only with `live`.
   *
   * @throws {RoomError} MESSAGE_NOT_FOUND for `since`, `before` or `thread`, ROOM_CLOSED
   */
  messages(options?: MessagesOptions): AsyncIterable<Message>
  /**
   * The last messages of the room, for a display: live snapshots, and what is different in each.
   *
   * @throws {RoomError} as it is iterated: MESSAGE_NOT_FOUND for `thread`, ROOM_CLOSED
   * @example
   * ```ts
   * import { createPeer } from 'covey'
   *
   * const alice = await createPeer()
   * const room = await alice.rooms.create({ name: 'Tea' })
   * for await (const { messages, changes } of room.timeline({ window: 50 })) console.log(messages.length, changes)
   * ```
   */
  timeline(options?: TimelineOptions): RoomTimeline
  /**
   * Records of an app, by key: replicated with the room, and sealed for its members.
   *
   * @param name the same in all apps that share them: 1 to {@link MAX_COLLECTION_NAME_BYTES} as UTF-8.
   * @throws {TypeError} that names the field.
   * @example
   * ```ts
   * import { createPeer, jsonCodec } from 'covey'
   *
   * const alice = await createPeer()
   * const room = await alice.rooms.create({ name: 'Kitchen' })
   * const stock = room.collection('stock', { codec: jsonCodec(Number), write: 'member' })
   * await stock.put('tea', 3)
   * for await (const { key, value } of stock.range()) console.log(key, value)
   * ```
   */
  collection<Value>(name: string, options: CollectionOptions<Value>): Collection<Value>
  /**
   * Finds messages by their words, newest first. A word is found in those that begin with it, whatever their case and
   * their accents; all that are given have to be there; what stands in quotes has to stand there like that. The texts of
   * a room are read for it when it is searched first, which takes seconds for 10,000, and kept on this device, sealed.
   *
   * @param text 1 byte to 1,024 as UTF-8, of 16 words at most.
   * @throws {RoomError} MESSAGE_NOT_FOUND for `before`, ROOM_CLOSED, ROOM_STORAGE_FAILED
   * @example
   * ```ts
   * import { createPeer } from 'covey'
   *
   * const alice = await createPeer()
   * const room = await alice.rooms.create({ name: 'Tea' })
   * await room.send('Green tea, or black?')
   * for (const { author, text } of await room.search('"green tea" bla')) console.log(author, text)
   * ```
   */
  search(text: string, options?: SearchOptions): Promise<Message[]>
  /** The message of this id, or `undefined`. */
  message(id: string): Promise<Message | undefined>
  /**
   * The id of the newest message whose place, like that of all before it, is for ever: a quorum of the room's
   * indexers has signed it. `undefined` while there is none. Whoever goes on from here after a restart,
   * with `messages({ since })`, misses nothing.
   */
  settled(): Promise<string | undefined>
  /**
   * A link by which others can join, while a member who may admit is online; with `public`, also while
   * nobody is.
   *
   * @throws {RoomError} ROOM_FORBIDDEN for members below moderator, ROOM_CLOSED, ROOM_NOT_WRITABLE
   */
  createInvite(options?: CreateInviteOptions): Promise<string>
  /** The invites of the room, used up, expired and revoked ones too. */
  invites(): Promise<InviteInfo[]>
  /**
   * Lets nobody in by an invite any more. Those who are in stay.
   *
   * @throws {RoomError} INVITE_NOT_FOUND, ROOM_FORBIDDEN for members below moderator
   */
  revokeInvite(id: string, options?: CallOptions): Promise<void>
  /**
   * Who waits to be let in by an invite that needs approval, on every member's device alike; each
   * person's device once, oldest first. An `update` event tells that there may be others.
   */
  joinRequests(): Promise<JoinRequest[]>
  /**
   * Lets somebody in who asked to be. They learn of it when they ask again, as `join` does by itself.
   *
   * @throws {RoomError} JOIN_REQUEST_NOT_FOUND, ROOM_FORBIDDEN for members below moderator, and for a
   *   role that is not below one's own
   */
  approve(requestId: string, options?: CallOptions): Promise<void>
  /**
   * Refuses to let somebody in by the invite that they came with.
   *
   * @throws {RoomError} JOIN_REQUEST_NOT_FOUND, ROOM_FORBIDDEN for members below moderator
   */
  decline(requestId: string, options?: CallOptions): Promise<void>
  /**
   * Writes what this device has of everybody's writing to a file, for a device of the room that is not to be met over
   * a network: whoever of the room gets it, by whatever carrier, gives it to {@link Rooms.importBundle}. Nobody else can
   * read it. The file is whole or not there, and takes the place of one that was.
   *
   * @param path of the file, in a folder that is there.
   * @throws {RoomError} BUNDLE_NOT_WRITTEN; BUNDLE_MALFORMED, BUNDLE_UNSUPPORTED for `since`; ROOM_CLOSED
   * @example
   * ```ts
   * import { createPeer } from 'covey'
   *
   * const alice = await createPeer({ storage: './alice' })
   * const room = await alice.rooms.create({ name: 'Tea' })
   * const { bytes } = await room.exportBundle('/media/stick/tea.bundle')
   * console.log(`${bytes} bytes to carry`)
   * ```
   */
  exportBundle(path: string, options?: ExportBundleOptions): Promise<ExportedBundle>
  /**
   * What this device has, for somebody who is to bring the rest: see {@link ExportBundleOptions.since}. 42 bytes and at
   * most 41 for each device of the room; only its members can read it.
   */
  bundleSummary(): Promise<Uint8Array>
  /**
   * The other members who are there now. Nobody is, where the rules of the room or this peer do without presence, or
   * the room has more than 256 devices.
   */
  presence(): Promise<MemberPresence[]>
  /**
   * Tells those who are there that this device's person types, or with `false` that they have stopped, as a message
   * that is sent tells by itself. It may be called at each key: it is said every 3 s at most. Nothing of it is kept.
   *
   * @throws {RoomError} ROOM_FORBIDDEN for readers and the muted
   */
  typing(isTyping?: boolean): Promise<void>
  /**
   * How the room is, as this device sees it: which indexers are there, what they have signed, who is behind, and what
   * was found wrong, in data and in a sentence. A `health` event tells when that is otherwise.
   *
   * @throws {RoomError} ROOM_CLOSED
   * @example
   * ```ts
   * import { createPeer } from 'covey'
   *
   * const alice = await createPeer()
   * const room = await alice.rooms.create({ name: 'Tea' })
   * console.log((await room.health()).sentence)
   * room.on('health', ({ state, sentence }) => console.log(state, sentence))
   * ```
   */
  health(): Promise<RoomHealth>
  /** How long slow mode has this device's person wait. */
  pace(): Promise<Pace>
  /**
   * Gives up the membership, on all devices. The room stays readable here as it is now; {@link Rooms.leave} takes it away as well.
   *
   * @throws {RoomError} ROOM_FORBIDDEN for the owner, who has to hand the room to somebody first; ROOM_NOT_WRITABLE for
   *   readers of a broadcast room, who write nothing: a moderator removes them
   */
  leave(options?: CallOptions): Promise<void>
  /** Closes the room on this device; it stays a member. The room is in no list of this peer's until it starts again. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
