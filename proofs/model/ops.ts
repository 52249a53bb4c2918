// Membership, roles, seniority and voiding as the rules are told, in plain values: what an op wants, what
// it does (`step`), and which are void (`resolve`). Nothing in these three files may call the code that it
// is held against: two who read the same rules have to come to the same answer.

export const RANK = { none: 0, reader: 1, member: 2, moderator: 3, admin: 4, owner: 5 } as const

/** The writer after whom the room is named. */
export const FOUNDER = 'i0d0'

/** What an op wants. People, devices, writers and invites go by names. */
export type Want =
  | { readonly type: 'create'; readonly identity: string; readonly device: string }
  | {
      readonly type: 'admit'
      readonly identity: string
      readonly device: string
      readonly writer: string
      readonly epoch: number
      readonly role: number
      readonly invite: string | undefined
      /** Whether the secret that was shown is of another invite. */
      readonly isForged: boolean
      /** Whether the author approves of the use of the invite, whose secret is not shown then. */
      readonly isApproved: boolean
    }
  | {
      readonly type: 'enter'
      readonly identity: string
      readonly device: string
      readonly epoch: number
      readonly invite: string
      readonly isForged: boolean
    }
  | {
      readonly type: 'addDevice'
      readonly identity: string
      readonly device: string
      readonly writer: string
      readonly epoch: number
      /** The device that certified it, where it was not the identity. */
      readonly issuer: string | undefined
    }
  | {
      readonly type: 'invite'
      readonly invite: string
      readonly role: number
      readonly uses: number | undefined
      readonly expiresAt: number | undefined
      readonly invitee: string | undefined
      readonly needsApproval: boolean
      readonly isPublic: boolean
    }
  | { readonly type: 'revokeInvite'; readonly invite: string }
  | { readonly type: 'settings' }
  | { readonly type: 'mirrors' }
  | { readonly type: 'rules'; readonly broadcast: boolean }
  | { readonly type: 'leave' }
  | { readonly type: 'setRole'; readonly identity: string; readonly role: number; readonly seen: Seen }
  | { readonly type: 'remove'; readonly identity: string; readonly ban: boolean; readonly seen: Seen }
  | { readonly type: 'mute'; readonly identity: string; readonly muted: boolean }
  | { readonly type: 'unban'; readonly identity: string }
  | { readonly type: 'transfer'; readonly identity: string }
  | { readonly type: 'revokeDevice'; readonly identity: string; readonly device: string; readonly epoch: number }
  | { readonly type: 'equivocation'; readonly writer: string }
  /** One writer, or three. */
  | { readonly type: 'indexers'; readonly writers: readonly string[] }

/** How much of each writer of the target the author says to have read. */
export type Seen = ReadonlyMap<string, number>

export interface Op {
  readonly writer: string
  /** The op is block `length - 1` of its writer. */
  readonly length: number
  readonly sentAt: number
  readonly want: Want
  /** Whether its writer is the one after whom the room is named. Default: it is {@link FOUNDER}. */
  readonly isFounder?: boolean
}

/** What is signed by who it is about: who brings it does not matter. */
export const IS_SIGNED_BY_SUBJECT: ReadonlySet<Want['type']> = new Set(['revokeDevice', 'enter', 'equivocation'])

export interface ModelMember {
  readonly role: number
  readonly muted: boolean
  readonly minEpoch: number
  /** How often it has named indexers, as an admin. */
  readonly namings: number
}

interface ModelDevice {
  readonly device: string
  readonly identity: string
  readonly isRemoved: boolean
  /** That it signed two pasts. */
  readonly isForked?: boolean
  readonly issuer?: string | undefined
}

interface ModelInvite {
  readonly author: string
  readonly role: number
  readonly used: number
  readonly uses: number | undefined
  readonly expiresAt: number | undefined
  readonly invitee: string | undefined
  readonly needsApproval: boolean
  readonly isPublic: boolean
  readonly isRevoked: boolean
}

export interface ModelState {
  founded: boolean
  /** Who last changed the settings, by writer and length. */
  settings: string | undefined
  /** Who last named the mirrors, likewise. */
  mirrors: string | undefined
  /** Whether readers write nothing. */
  isBroadcast: boolean
  /** The writers that were named to index. */
  indexers: readonly string[]
  readonly members: Map<string, ModelMember>
  readonly devices: Map<string, ModelDevice>
  readonly bans: Map<string, number>
  readonly invites: Map<string, ModelInvite>
}
