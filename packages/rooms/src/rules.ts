import type { Role } from './roles.js'

/** What a room asks of its members; see {@link Room.setRules}. */
export interface RoomRules {
  /**
   * Slow mode: how long a member below moderator waits between two messages, in milliseconds, up to six hours; 0 for
   * none. Times are those that the member's own device states. So each writes at most {@link MAX_IN_A_ROW} messages with
   * nobody else's in between, which no clock helps against. Default 0.
   */
  readonly slowModeMs: number
  /**
   * Whether readers write nothing at all: their devices have no place in the room's log, for names and reactions
   * either. Members and above write. Default `false`.
   */
  readonly broadcast: boolean
  /**
   * The least role for messages with links in them. Default `member`: for all who write. Messages of lesser roles say
   * whether they have any; what has some and says that it has none is shown as `unknown`.
   */
  readonly links: WritingRole
  /** The least role for messages that are not text: files, voice notes, polls, an app's own. Default `member`. */
  readonly media: WritingRole
  /** Whether members may see who is there, and who types. Default `true`. */
  readonly presence: boolean
}

/** A role that a rule may ask for. */
export type WritingRole = Exclude<Role, 'reader' | 'owner'>
