import type { EventSource } from '@covey/core'
import type { ImportedBundle } from './bundle.js'
import type { RoomError } from './errors.js'
import type { History } from './internal/keyring.js'
import type { Contacts, DirectMessages, PersonProfile } from './people.js'
import type { RoomPreview } from './preview.js'
import type { CallOptions, Room } from './room.js'
import type { RoomRules } from './rules.js'

/** What happens to the rooms of a peer. */
export interface RoomsEvents<R extends Room = Room> {
  /** A room was made, joined or found on disk. */
  open: { readonly room: R }
  /** This device has left a room, and has it in no list any more. */
  leave: { readonly id: string }
  /** Something failed in the background. */
  error: RoomError
}

/** How {@link Rooms.create} makes a room. */
export interface CreateRoomInit extends CallOptions {
  /** What members see; at most {@link MAX_NAME_BYTES} as UTF-8. */
  readonly name: string
  /** Default `full`. */
  readonly history?: History
  /** From the beginning; {@link Room.setRules} changes them. */
  readonly rules?: Partial<RoomRules>
}

/** How {@link Rooms.join} waits. */
export interface JoinOptions extends CallOptions {
  /** How long to wait for somebody to let the device in. Default {@link DEFAULT_JOIN_TIMEOUT_MS}. */
  readonly timeoutMs?: number
  /**
   * Called at most once, with the last messages of the room as who lets this device in has them, while the room itself is
   * still coming: an app has something to show at once, also where much of the room is yet to be ordered. Only in a
   * room with full history, and where somebody lets this device in who knows how to. What was shown and turns out not to be so
   * is told by the `error` event too, as PREVIEW_REFUTED.
   *
   * @example
   * ```ts
   * import { createPeer } from 'covey'
   *
   * async function joinAtOnce(invite: string): Promise<void> {
   *   const bob = await createPeer()
   *   const room = await bob.rooms.join(invite, {
   *     onPreview({ name, messages, verdict }) {
   *       console.log(name, messages.map(({ text }) => text))
   *       void verdict.then((said) => console.log(said)) // 'confirmed'
   *     }
   *   })
   *   for await (const { text } of room.messages({ limit: 50 })) console.log(text)
   * }
   * console.log(joinAtOnce.name)
   * ```
   */
  readonly onPreview?: (preview: RoomPreview) => void
}

/**
 * The rooms of a peer: all that it is a member of. A room is opened when it is used, and when somebody has news of it;
 * of those that are not used any more, the longest unused are put to sleep. An app does not notice: what it holds of a
 * room goes on to work.
 */
export interface Rooms<R extends Room = Room> extends EventSource<RoomsEvents<R>> {
  /** What this peer's person says of themselves, in all of their rooms. */
  readonly profile: PersonProfile
  /** Whom this peer's person knows, and whom they want nothing of. */
  readonly contacts: Contacts
  /** The rooms that this peer's person shares with one other each. */
  readonly directMessages: DirectMessages<R>
  /** Makes a room whose owner is this peer's identity. */
  create(init: CreateRoomInit): Promise<R>
  /**
   * Joins the room of an invite. Resolves when this device may write and holds the key to read. A
   * join that was cut short, also by a crash, can be tried again with the same invite and costs no
   * second use of it. For a room that the peer is in already, it is that room.
   *
   * @throws {CoreError} LINK_… for a text that is no whole invite link
   * @throws {RoomError} INVITE_MALFORMED, INVITE_EXPIRED, INVITE_USED_UP, INVITE_REFUSED,
   *   JOIN_TIMEOUT, JOIN_IN_PROGRESS, ROOM_CLOSED
   */
  join(invite: string, options?: JoinOptions): Promise<R>
  /**
   * Takes what {@link Room.exportBundle} of another device has written, for whatever room of this peer it is, and resolves
   * when the room has read it. Each block is proven to be of the device that wrote it, as if it had come over a network;
   * who carried it need not be trusted. What was imported before, also in part, is not written again.
   *
   * @throws {RoomError} BUNDLE_UNREADABLE; BUNDLE_MALFORMED, when what came before the damage has been taken;
   *   BUNDLE_UNSUPPORTED; BUNDLE_FOREIGN; ROOM_STORAGE_FAILED, ROOM_CLOSED
   * @example
   * ```ts
   * import { createPeer } from 'covey'
   *
   * const bob = await createPeer({ storage: './bob' })
   * const { room, blocks, summary } = await bob.rooms.importBundle('/media/stick/tea.bundle')
   * console.log(`${blocks} blocks of ${(await room.info()).name}`)
   * await room.exportBundle('/media/stick/back.bundle', { since: summary })
   * ```
   */
  importBundle(path: string, options?: CallOptions): Promise<ImportedBundle<R>>
  /**
   * Leaves a room, by its id, and takes it off this device. It is in no list any more when it resolves, and is closed for whoever
   * has it. The person gives up the membership by it, as by {@link Room.leave}, unless they have none any more, are alone in the
   * room, or read a broadcast room, where nobody hears them.
   *
   * What the person said in it last, that they leave, is kept until somebody else has it, also over restarts; then what the room
   * said is cleared from the disk. This device comes into the room again by another invite alone; others of the person
   * keep what they have of it.
   *
   * @throws {RoomError} ROOM_NOT_FOUND; ROOM_FORBIDDEN for the owner of a room in which there are others, who has to hand it to one
   *   of them first, and for a direct room; ROOM_CLOSED, ROOM_STORAGE_FAILED, ROOM_BROKEN for one that does not open
   * @example
   * ```ts
   * import { createPeer } from 'covey'
   *
   * const alice = await createPeer()
   * const room = await alice.rooms.create({ name: 'Tea' })
   * await alice.rooms.leave(room.id)
   * console.log(alice.rooms.list().length) // 0
   * ```
   */
  leave(id: string, options?: CallOptions): Promise<void>
  /** The room of this id, open or asleep; the same object each time. */
  get(id: string): R | undefined
  /** The rooms, open and asleep. Opens none. */
  list(): R[]
  /** Closes all rooms. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
