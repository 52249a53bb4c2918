import Hypercore from 'hypercore'
import { decodeLink, encodeLink, encodeZ32, equalBytes } from '@covey/core'
import { RoomError } from './errors.js'
import { decodeStruct, encodeStruct, type Structs } from './internal/structs.js'
import type { Role } from './roles.js'

/** How {@link Room.createInvite} makes an invite. */
export interface CreateInviteOptions {
  /** How long the invite can be used, in milliseconds. Default: for ever. */
  readonly expiresInMs?: number
  /** How many devices can join by it, 1 to {@link MAX_INVITE_USES}. Default: as many as that. */
  readonly uses?: number
  /** What those who join may do; less than who invites. Default `member`; in a broadcast room `reader`. */
  readonly role?: Exclude<Role, 'owner'>
  /** The id of the identity that alone can join by it. Default: whoever has the link. */
  readonly inviteeId?: string
  /**
   * Whether a moderator has to approve whoever comes with the link: {@link Room.joinRequests}. The time
   * that an invite lasts is for asking; a request waits for longer. Default `false`.
   */
  readonly approval?: boolean
  /**
   * Whether the link lets in by itself, also while nobody of the room is online. The key that the room's
   * structure is encrypted with is in it: whoever has the link sees, for ever, which devices are in the
   * room and when they write, though not what. For admins, and for members and readers. Default `false`.
   */
  readonly public?: boolean
  readonly signal?: AbortSignal
}

/** An invite of a room, as its members see it. The link itself only its maker has. */
export interface InviteInfo {
  /** z-base-32. */
  readonly id: string
  /** The id of the identity that made it. */
  readonly author: string
  /** What those who join by it may do. */
  readonly role: Role
  /** How many devices have joined by it. */
  readonly used: number
  /** How many may; `undefined` for any number. */
  readonly uses: number | undefined
  /** Milliseconds since 1970, by its maker's clock; `undefined` for never. */
  readonly expiresAt: number | undefined
  /** The id of the identity that alone can join by it; `undefined` for whoever has the link. */
  readonly inviteeId: string | undefined
  readonly isRevoked: boolean
  /** Whether a moderator has to approve who comes with it. */
  readonly needsApproval: boolean
  /** Whether it lets in by itself. */
  readonly isPublic: boolean
}

/** What a link says of itself. Nobody has checked that: the room decides. */
export interface InviteDetails {
  /** Of the room that it is for. */
  readonly roomId: string
  /** Milliseconds since 1970, by its maker's clock; `undefined` for never. */
  readonly expiresAt: number | undefined
  /** Whether whoever joins by it has to wait until a moderator approves. */
  readonly needsApproval: boolean
  /** Whether it lets in by itself. */
  readonly isPublic: boolean
}

export type InviteLink = Structs['invite-link']

const MAX_INVITE_BYTES = 1_024

export function encodeInvite(invite: InviteLink): string {
  return encodeLink('invite', encodeStruct('invite-link', invite))
}

/** @throws {CoreError} LINK_… for a text that is no whole invite link. */
export function decodeInvite(text: string): InviteLink {
  const { body } = decodeLink(text, { kind: 'invite', maxBytes: MAX_INVITE_BYTES })
  const invite = decodeStruct('invite-link', body)
  if (invite === undefined || !isSound(invite)) {
    throw new RoomError('INVITE_MALFORMED', 'The link is whole, but holds no invite.', {
      hint: 'Ask for a new invite, or update the app that you open it with.'
    })
  }
  return invite
}

/** The keys of a public link belong to the room that the link names. */
function isSound({ key, encryptionKey, discoveryKey }: InviteLink): boolean {
  if (!key && !encryptionKey) return true
  return !!key && !!encryptionKey && equalBytes(Hypercore.discoveryKey(key), discoveryKey)
}

/**
 * What an invite link says of itself, without asking anybody: for what an app shows before it joins.
 *
 * @throws {CoreError} LINK_… for a text that is no whole invite link
 * @throws {RoomError} INVITE_MALFORMED
 */
export function inspectInvite(text: string): InviteDetails {
  const { discoveryKey, expiresAt, approval, key } = decodeInvite(text)
  return {
    roomId: encodeZ32(discoveryKey),
    expiresAt: expiresAt || undefined,
    needsApproval: approval === true,
    isPublic: !!key
  }
}
