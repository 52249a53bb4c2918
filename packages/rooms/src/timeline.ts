import type { Message } from './message.js'

/** What {@link Room.timeline} shows. */
export interface TimelineOptions {
  /** How many messages, the last ones; 1 to {@link MAX_WINDOW}. Default {@link DEFAULT_WINDOW}. */
  readonly window?: number
  /** Those in the thread that begins with the message of this id. Default: all of the room. */
  readonly thread?: string
  /** Ends the iteration with its reason. */
  readonly signal?: AbortSignal
}

/**
 * One step from a snapshot to the next. Taken in their order, each on the list that those before it have left, they
 * lead from the messages of the one to those of the other; there are no fewer that do.
 */
export type TimelineChange =
  | { readonly type: 'remove'; readonly index: number }
  /** `to` is an index of the list without the message that moves. */
  | { readonly type: 'move'; readonly from: number; readonly to: number }
  | { readonly type: 'insert'; readonly index: number; readonly message: Message }
  /** The message of the same id, which says something else now, or of which something has become. */
  | { readonly type: 'update'; readonly index: number; readonly message: Message }

/** The last messages at one moment. Frozen; a message in which nothing has changed is the same object as before. */
export interface TimelineSnapshot {
  /** Oldest first, each id once. */
  readonly messages: readonly Message[]
  /** What has changed since the snapshot before; in the first, that all are there. */
  readonly changes: readonly TimelineChange[]
  /** Whether there are messages before these: see {@link RoomTimeline.showMore}. */
  readonly hasOlder: boolean
}

/**
 * The last messages of a room, those that are pending at their end, as they are and as they become: with edits, reactions and deletions, and in the room's
 * order, whenever it changes. Each iteration begins with a snapshot of what is there, and gives another when something
 * is different; who is slow misses nothing but what was in between. It ends when the room closes.
 */
export interface RoomTimeline extends AsyncIterable<TimelineSnapshot> {
  /**
   * Shows so many more of the past, in the next snapshot.
   *
   * @param count 1 or more; in all it is at most {@link MAX_WINDOW}.
   */
  showMore(count: number): void
}
