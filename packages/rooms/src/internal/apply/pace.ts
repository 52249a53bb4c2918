import { equalBytes } from '@covey/core'
import { MAX_IN_A_ROW } from '../../constants.js'
import { isAtLeast, type Role } from '../../roles.js'
import type { RoomRules } from '../../rules.js'
import type { MetaRow, PaceRow } from '../view.js'

/** What slow mode is judged by. */
export interface Paced {
  readonly rules: Pick<RoomRules, 'slowModeMs'>
  readonly role: Role
  /** Of the person who wants to write, if they have written while the room was slow. */
  readonly pace: Pick<PaceRow, 'sentAt'> | null
  /** How many the person has written up to here, with nobody else in between. */
  readonly inARow: number
}

/** Whether slow mode is for somebody: those who moderate it are not held up. */
export function isPaced({ slowModeMs }: Paced['rules'], role: Role): boolean {
  return slowModeMs > 0 && !isAtLeast(role, 'moderator')
}

/**
 * Whether slow mode lets somebody write. There is no clock that everybody believes. What is compared is what one
 * person says themselves, of two of their own messages: nobody gets into trouble by the clock of another, and a clock
 * that was set back holds nobody up. Who lies about it is bounded by the order alone, in which others write too.
 * Both look at what the author had before them: so no order of the room takes a message from who was honest.
 */
export function keepsPace({ rules, role, pace, inARow }: Paced, sentAt: number): boolean {
  if (!isPaced(rules, role)) return true
  return inARow < MAX_IN_A_ROW && (pace === null || Math.abs(sentAt - pace.sentAt) >= rules.slowModeMs)
}

/** How many messages of somebody are the last of the room. */
export function countInARow({ speaker, inARow }: MetaRow, identity: Uint8Array): number {
  return speaker && equalBytes(speaker, identity) ? (inARow ?? 0) : 0
}
