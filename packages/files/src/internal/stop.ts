import { onAbort } from '@covey/core'

/** What ends all that one operation waits for: its signal, or the first failure of its file. */
export class Stop {
  readonly #waiting = new Set<(reason: unknown) => void>()
  readonly #stopListening: () => void
  #stopped: { readonly reason: unknown } | undefined

  constructor(signal: AbortSignal | undefined) {
    this.#stopListening = onAbort(signal, (reason) => this.stop(reason))
  }

  stop(reason: unknown): void {
    this.#stopped ??= { reason }
    for (const reject of this.#waiting) reject(reason)
    this.#waiting.clear()
  }

  /** Settles as `work` does, unless it is stopped before. */
  guard<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (done: () => void) => {
        this.#waiting.delete(reject)
        done()
      }
      work.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error))
      )
      if (this.#stopped !== undefined) reject(this.#stopped.reason)
      else this.#waiting.add(reject)
    })
  }

  throwIfStopped(): void {
    if (this.#stopped !== undefined) throw this.#stopped.reason
  }

  /** To be called when the operation is over. */
  close(): void {
    this.#stopListening()
  }
}
