import { raceSignal, throwIfAborted } from '@covey/core'

/** What is done one after the other where the key is the same. */
export interface Turns {
  /** An abort ends the waiting; what has begun goes on, and the next waits for it. */
  take<Value>(key: string, signal: AbortSignal | undefined, work: () => Promise<Value>): Promise<Value>
  /** Resolves when all that was begun has ended. */
  end(): Promise<void>
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>()
  return {
    take(key, signal, work) {
      const former = last.get(key) ?? Promise.resolve()
      const begin = (): ReturnType<typeof work> => {
        throwIfAborted(signal)
        return work()
      }
      const working = former.then(begin, begin)
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
