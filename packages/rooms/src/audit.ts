import type { CallOptions } from './room.js'
import type { Role } from './roles.js'
import type { RoomRules } from './rules.js'

/** What somebody did that {@link Room.auditLog} tells of. */
export type AuditAction =
  | 'create'
  | 'admit'
  | 'enter'
  | 'addDevice'
  | 'leave'
  | 'remove'
  | 'ban'
  | 'unban'
  | 'mute'
  | 'unmute'
  | 'setRole'
  | 'transfer'
  | 'rename'
  | 'setRules'
  | 'setMirrors'
  | 'setCollection'
  | 'setIndexers'
  | 'createInvite'
  | 'revokeInvite'
  | 'revokeDevice'
  | 'equivocation'
  | 'delete'
  | 'pin'
  | 'unpin'
  | 'closePoll'
  | 'resolveReport'

/** One thing that somebody did in a room, by the authority that they have or had. */
export interface AuditEntry {
  /** The place of the entry, for `before`. It may change until the room's indexers have signed the order. */
  readonly cursor: string
  readonly action: AuditAction
  /** The id of the identity that did it: by the core that it is in, which nobody else writes. */
  readonly by: string
  /** The id of the identity that it was done to; of a message, its author; of a report, who reported. */
  readonly subject?: string
  /** The id of the message that it was done to. */
  readonly messageId?: string
  /** The role that somebody was given, or invited for. */
  readonly role?: Role
  /** What was changed of the rules. */
  readonly rules?: Partial<RoomRules>
  /** Milliseconds since 1970, by the clock of who did it, and not later than now. */
  readonly sentAt: number
}

/** Which entries {@link Room.auditLog} gives. */
export interface AuditLogOptions extends CallOptions {
  /** The `cursor` of an entry: those before it. Default: the last ones. */
  readonly before?: string
  /** How many at most, 1 to 1,000. Default 100. */
  readonly limit?: number
}
