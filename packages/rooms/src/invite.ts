import { decodeLink, encodeLink } from '@covey/core'
import { RoomError } from './errors.js'
import { decodeStruct, encodeStruct, type Structs } from './internal/structs.js'
import type { Role } from './roles.js'

/** How {@link Room.createInvite} makes an invite. */
export interface CreateInviteOptions {
  /** How long the invite can be used, in milliseconds. Default: for ever. */
  readonly expiresInMs?: number
  /** How many devices can join by it, 1 to {@link MAX_INVITE_USES}. Default: as many as that. */
  readonly uses?: number
  /** What those who join may do; less than who invites. Default `member`. */
  readonly role?: Exclude<Role, 'owner'>
  /** The id of the identity that alone can join by it. Default: whoever has the link. */
  readonly inviteeId?: string
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
  if (invite === undefined) {
    throw new RoomError('INVITE_MALFORMED', 'The link is whole, but holds no invite.', {
      hint: 'Ask for a new invite, or update the app that you open it with.'
    })
  }
  return invite
}
