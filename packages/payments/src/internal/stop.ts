import { onAbort } from '@covey/core'

/** Ends one thing that is under way: what listens to the signal, and what would be waited for all the same. */
export interface Stop {
  /** Aborts with the one that was given, and when it is stopped, where the runtime has `AbortController` (Bare has none). */
  readonly signal: AbortSignal | undefined
  /** Waits for something until this is stopped; then it rejects with the reason. */
  until<Value>(work: Value | PromiseLike<Value>): Promise<Value>
  stop(reason: unknown): void
  /** To be called when it is over. */
  done(): void
}

export function createStop(outer: AbortSignal | undefined): Stop {
  const controller = typeof AbortController === 'undefined' ? undefined : new AbortController()
  let reject: (reason: unknown) => void = () => undefined
  const stopped = new Promise<never>((_, fail) => (reject = fail))
  // It is told to whoever waits by `until`.
  stopped.catch(() => undefined)
  const done = onAbort(outer, (reason) => controller?.abort(reason))
  return {
    signal: controller?.signal ?? outer,
    until: (work) => Promise.race([work, stopped]),
    stop(reason) {
      reject(reason)
      controller?.abort(reason)
    },
    done
  }
}
