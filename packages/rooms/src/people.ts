import type { Content, EventSource } from '@covey/core'
import type { RoomError } from './errors.js'
import type { Room } from './room.js'
import type { JoinOptions } from './rooms.js'

/** What a person says of themselves: proven to be theirs, and chosen by them alone. */
export interface Profile {
  /** Not unique; at most {@link MAX_NAME_BYTES} as UTF-8, without what a display would act upon. */
  readonly name: string
  /** A line about the person; at most {@link MAX_BIO_BYTES} as UTF-8, or `''`. */
  readonly bio: string
  /** Says where their picture is; of whatever type, where somebody else chose it. `covey` makes and reads those. */
  readonly avatar?: Content
}

/** What {@link PersonProfile.set} changes; what is left out stays. */
export interface ProfileChange {
  readonly name?: string
  readonly bio?: string
  /** `null` for none; of at most {@link MAX_AVATAR_OFFER_BYTES}. */
  readonly avatar?: Content | null
}

/** The profile of this peer's person. All of their rooms show it. */
export interface PersonProfile {
  get(): Profile
  /**
   * Resolves when the change is durable on this device. Every room learns of it: at once where this device may write,
   * else when it may. Of what two devices of a person set, the later one by their clocks counts.
   *
   * @throws {TypeError} that names the field
   */
  set(change: ProfileChange): Promise<Profile>
}

/** Somebody whom this peer's person knows. */
export interface Contact {
  /** The id of the identity. */
  readonly id: string
  /** What this peer's person calls them, told to nobody else; `''` for nothing. */
  readonly name: string
  /** Milliseconds since 1970. */
  readonly addedAt: number
}

/** Somebody whom this peer's person wants nothing of. */
export interface BlockedPerson {
  /** The id of the identity. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly blockedAt: number
}

/** What {@link Contacts.report} notes. */
export interface ReportInit {
  /** At most {@link MAX_REASON_BYTES} as UTF-8. */
  readonly reason: string
  /** The id of the room where it happened. */
  readonly roomId?: string
  /** The id of the message that it is about. */
  readonly messageId?: string
}

/** What was noted about somebody. */
export interface Report extends ReportInit {
  /** The id of the identity that it is about. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly reportedAt: number
}

/** What happens to {@link Contacts}. Hints for a display. */
export interface ContactsEvents {
  /** A contact, a block or a report was added, changed or removed. `id`: of the identity. */
  update: { readonly id: string }
  /** A handler of `update` failed. */
  error: RoomError
}

/**
 * Whom this peer's person knows, and whom they want nothing of. On the person's devices, sealed, and told to nobody: those
 * who are blocked are not told either. Of what two devices did to one person while they knew nothing of each other, the
 * later one by their clocks counts. Reports stay on the device.
 */
export interface Contacts extends EventSource<ContactsEvents> {
  /** By name, then by id. */
  list(): Contact[]
  get(id: string): Contact | undefined
  /**
   * Adds somebody, or gives who is there another name.
   *
   * @throws {RoomError} TOO_MANY_PEOPLE where there are {@link MAX_CONTACTS}
   */
  add(id: string, options?: { readonly name?: string }): Promise<Contact>
  /** Idempotent. What there is with them stays: a direct room, and a block. */
  remove(id: string): Promise<void>
  /**
   * Blocks somebody. What they wrote and write is of kind `blocked` in all rooms, for this person alone; their devices, as far as any room knows
   * them, are not connected with, so that what they write comes by others, if at all; and they cannot ask for a direct
   * room. Idempotent.
   *
   * @throws {TypeError} for this peer's own identity
   * @throws {RoomError} TOO_MANY_PEOPLE where {@link MAX_CONTACTS} are blocked
   */
  block(id: string): Promise<void>
  /** Idempotent. What was hidden is shown again. */
  unblock(id: string): Promise<void>
  isBlocked(id: string): boolean
  /** Who was blocked last first. */
  blocked(): BlockedPerson[]
  /**
   * Notes something about somebody, for whoever is to judge it: nothing is sent. Of more than {@link MAX_REPORTS} the
   * oldest goes.
   */
  report(id: string, report: ReportInit): Promise<Report>
  /** The newest first. */
  reports(): Report[]
}

/** Who may ask for a direct room. `known`: contacts, and people in a room with this peer's person. */
export type RequestsFrom = 'anyone' | 'known' | 'nobody'

/** Somebody who wants a direct room with this peer's person, and waits. */
export interface DmRequest extends Profile {
  /** The id of the identity that asks: proven. */
  readonly id: string
  /** Milliseconds since 1970, by this device's clock. */
  readonly askedAt: number
}

/** What happens to {@link DirectMessages}. Hints for a display: what waits, {@link DirectMessages.requests} gives. */
export interface DirectMessagesEvents {
  /** Somebody asks for a direct room who did not wait yet. */
  request: DmRequest
  /** Something failed in the background. */
  error: RoomError
}

/**
 * Direct rooms: each for this peer's person and one other, both of whom own it, and nobody else ever comes in. There is
 * one with each person, which is made when both want it.
 */
export interface DirectMessages<R extends Room = Room> extends EventSource<DirectMessagesEvents> {
  /**
   * The direct room with somebody. Where there is none yet, they are asked for one, again whenever they can be met, also
   * after a restart and when this call was given up; or accepted, where they have asked. Nobody is told of being declined.
   *
   * @param id of the identity.
   * @throws {TypeError} for this peer's own identity
   * @throws {RoomError} PERSON_BLOCKED, JOIN_TIMEOUT where they have not accepted in time, TOO_MANY_PEOPLE where
   *   {@link MAX_WANTED} are asked already, ROOM_CLOSED
   */
  open(id: string, options?: JoinOptions): Promise<R>
  /** Who waits for an answer, who came first first. Of strangers there are at most 32, of all 256. */
  requests(): DmRequest[]
  /**
   * As {@link open}, of somebody who waits. They have to be met once more.
   *
   * @throws {RoomError} JOIN_REQUEST_NOT_FOUND
   */
  accept(id: string, options?: JoinOptions): Promise<R>
  /** Does not hear of somebody's wish any more, who is not told; or of one's own, where there is no room yet. Idempotent. */
  decline(id: string): Promise<void>
}
