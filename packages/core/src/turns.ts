import { raceSignal, throwIfAborted } from './abort.js'

/** Work of which each piece waits for those before it of the same key, and for no other. */
export interface Turns {
  /**
   * Does `work` when all before it of this key has ended, whatever became of it, and settles as it does. An abort ends the waiting: what has
   * begun goes on, and the next waits for it; what has not is not begun.
   *
   * @throws the signal's `reason` when it is aborted.
   */
  take<Value>(key: string, signal: AbortSignal | undefined, work: () => Promise<Value>): Promise<Value>
  /** Resolves when all that was taken until now has ended. */
  end(): Promise<void>
}

/**
 * Runs work of one key one after the other, and of different keys side by side.
 *
 * @example
 * ```ts
 * import { createTurns } from '@covey/core'
 *
 * const turns = createTurns()
 * await Promise.all(['first', 'second'].map((text) => turns.take('door', undefined, async () => console.log(text))))
 * ```
 */
export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>()
  return {
    take(key, signal, work) {
      const working = (last.get(key) ?? Promise.resolve()).then(() => {
        throwIfAborted(signal)
        return work()
      })
      const settled: Promise<void> = working.then(ignore, ignore).then(() => {
        if (last.get(key) === settled) last.delete(key)
      })
      last.set(key, settled)
      return raceSignal(working, signal)
    },
    async end() {
      await Promise.all(last.values())
    }
  }
}

function ignore(): void {
  // It is told to whom it concerns; here only the time counts.
}
