/** Closes one thing that was opened. */
export type Closer = () => Promise<void> | void

/** What has been opened, and so has to be closed. */
export interface Closers {
  /** Whether {@link Closers.close} has been called. */
  readonly isClosing: boolean
  /** Adds what has just been opened, also while the others are closed already. */
  add(closer: Closer): void
  /**
   * Closes from last to first. Idempotent. What fails does not keep the rest from being closed.
   *
   * @throws what the first of them threw, when all are closed.
   */
  close(): Promise<void>
  /**
   * Closes everything because something has failed.
   *
   * @throws `error`, whatever else fails.
   */
  closeAndThrow(error: unknown): Promise<never>
}

/**
 * Remembers what a function opens one after the other, so that all of it is closed again: at the end, or when one
 * of them does not open.
 *
 * @example
 * ```ts
 * import { createClosers } from '@covey/core'
 *
 * const closers = createClosers()
 * closers.add(() => console.log('the door, second'))
 * closers.add(async () => console.log('the window, first'))
 * await closers.close()
 * ```
 */
export function createClosers(): Closers {
  const opened: Closer[] = []
  let closing: Promise<void> | undefined

  async function closeAll(before: Promise<void> | undefined): Promise<void> {
    const errors: unknown[] = []
    await before?.catch((error: unknown) => errors.push(error))
    for (let closer = opened.pop(); closer !== undefined; closer = opened.pop()) {
      try {
        await closer()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }

  const close = (): Promise<void> => (closing = closeAll(closing))

  return {
    get isClosing() {
      return closing !== undefined
    },
    add: (closer) => void opened.push(closer),
    close,
    closeAndThrow: (error) =>
      close().then(
        () => Promise.reject(error),
        () => Promise.reject(error)
      )
  }
}
