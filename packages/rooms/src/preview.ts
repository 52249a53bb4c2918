import type { Message } from './message.js'

/** How many of the last messages a {@link RoomPreview} has at most. */
export const MAX_PREVIEW_MESSAGES = 50

/**
 * What the room says of a preview, once it is there.
 *
 * - `confirmed`: who showed it is in the room, and every message of it was said by whom it names.
 * - `refuted`: they are not, or the room does not have one of the messages, or has it of another.
 * - `unknown`: the room did not come in time, or was closed.
 */
export type PreviewVerdict = 'confirmed' | 'refuted' | 'unknown'

/**
 * The last messages of a room that is being joined, as who lets this device in has them: to be shown while the room itself
 * is still coming. Somebody who knows the room's key has made it, and nothing else of it is certain until the verdict.
 */
export interface RoomPreview {
  /** Of the room. */
  readonly id: string
  /** The room's name, or `''`. Not covered by the verdict. */
  readonly name: string
  /** The device that shows it, by id, as the session has proven it. */
  readonly by: string
  /**
   * The newest messages, oldest first, at most {@link MAX_PREVIEW_MESSAGES}: with their newest version, and without
   * reactions, votes, replies and pins. Of those with much in them some may be missing, and those that are deleted are. The
   * verdict covers who said what is there; not that nothing is left out, nor the names beside it, unless their person signed them.
   */
  readonly messages: readonly Message[]
  /** What the room turns out to say of it. Never rejects. */
  readonly verdict: Promise<PreviewVerdict>
}
