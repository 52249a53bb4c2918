import type { Head } from 'autobase'

/** How many hints wait at a time; more are dropped, and heads and appends tell of the same writers. */
const MAX_HINTS = 1_024

/** How many writers that are none of the room's may be open because a peer spoke of them. */
const MAX_STRANGERS = 16

/**
 * Bounds what a peer can have opened by naming writers.
 *
 * The attack, in autobase 7.28.1: a wakeup announces up to 1,048,576 keys (protomux-wakeup,
 * index.js:611), each is opened as a writer with a core and a record on disk (index.js:1905, 1255),
 * and as long as it is said to have more blocks than it has, it is never closed (lib/writer.js:146).
 */
export function boundedHints(hints: readonly Head[], waiting: number): Head[] {
  return hints.slice(0, Math.max(0, MAX_HINTS - waiting))
}

/** Whether one more writer may be opened because a peer spoke of it. */
export async function mayWake(writer: {
  /** Whether it was ever added to the room. */
  readonly isKnown: () => Promise<boolean>
  /** How many are open that were not, or were removed. */
  readonly strangers: () => number
}): Promise<boolean> {
  return writer.strangers() < MAX_STRANGERS || writer.isKnown()
}
