import type { CallOptions } from './room.js'

/** That a member has told moderators of a message. What it says is what the member says, and no more. */
export interface MessageReport {
  /** For {@link Room.resolveReport}; z-base-32. */
  readonly id: string
  /** The id of the identity that reports. */
  readonly by: string
  /** The id of the message. Absent: this device cannot read the report, which was written before its person was a moderator. */
  readonly messageId?: string
  /** `''` for none. */
  readonly reason: string
  /** Milliseconds since 1970, by the clock of who reports, and not later than now. */
  readonly sentAt: number
}

/** How {@link Room.report} reports. */
export interface ReportOptions extends CallOptions {
  /** At most {@link MAX_REASON_BYTES} as UTF-8. */
  readonly reason?: string
}

/** How {@link Room.resolveReport} deals with a report. */
export interface ResolveReportOptions extends CallOptions {
  /** What to do about the message, or its author, first. Default: nothing. */
  readonly action?: 'delete' | 'mute' | 'remove' | 'ban'
}
