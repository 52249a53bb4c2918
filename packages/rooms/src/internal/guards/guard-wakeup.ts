import type { Head } from 'autobase'
import { mapKey } from '../map-key.js'
import type { RateLimit } from './rate-limit.js'

/** How many hints wait at a time; more are dropped, and heads and appends tell of the same writers. */
const MAX_HINTS = 1_024

/** How many writers that are none of the room's may be open because a peer spoke of them. */
const MAX_STRANGERS = 16

/** How fast such writers are opened: each leaves a core on the disk, for ever. */
export const STRANGER_RATE = { burst: 64, perSecond: 0.2 }

/** How many wait for their turn. */
const MAX_WAITING = 64
const AGAIN_MS = 1_000

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
  /** Whether it is in the room now. */
  readonly isIn: () => Promise<boolean>
  /** How many are open that are not. */
  readonly strangers: () => number
  readonly rate: RateLimit
}): Promise<boolean> {
  if (await writer.isIn()) return true
  return writer.strangers() < MAX_STRANGERS && writer.rate.take()
}

/** Writers that nobody may open yet: they are spoken of once, and so have to be remembered. */
export interface Waiting {
  add(hint: Head): void
  close(): void
}

/** @param hint speaks of them again; those that have to wait still come back by `add`. */
export function createWaiting(hint: (hints: Head[]) => void): Waiting {
  const waiting = new Map<string, Head>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isClosed = false

  function again(): void {
    timer = undefined
    const hints = [...waiting.values()]
    waiting.clear()
    hint(hints)
  }

  return {
    add(head) {
      if (isClosed || waiting.size >= MAX_WAITING) return
      waiting.set(mapKey(head.key), head)
      timer ??= setTimeout(again, AGAIN_MS)
    },
    close() {
      isClosed = true
      clearTimeout(timer)
    }
  }
}
