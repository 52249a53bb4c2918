import { assertFunction, assertInteger, assertOptions, assertSignal } from './assert.js'
import { CoreError } from './errors.js'

/** The longest time that `setTimeout` can wait; beyond it, it fires at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

/**
 * Throws the signal's reason if it has been aborted. Takes `undefined`, so that an optional signal
 * needs no check.
 *
 * @throws the signal's `reason`, whatever it is.
 * @example
 * ```ts
 * import { throwIfAborted } from '@covey/core'
 *
 * async function load(options: { signal?: AbortSignal } = {}) {
 *   throwIfAborted(options.signal)
 * }
 * await load()
 * ```
 */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason
}

/**
 * Calls `listener` with the signal's reason once it is aborted; at once if it already is. Returns a
 * function that stops listening, to be called when the work is done.
 *
 * @throws {TypeError} when an argument has the wrong type.
 * @example
 * ```ts
 * import { onAbort } from '@covey/core'
 *
 * const controller = new AbortController()
 * const stopListening = onAbort(controller.signal, (reason) => console.log(reason))
 * stopListening()
 * ```
 */
export function onAbort(signal: AbortSignal | undefined, listener: (reason: unknown) => void): () => void {
  assertSignal(signal)
  assertFunction(listener, 'listener')
  if (signal === undefined) return () => {}
  if (signal.aborted) {
    listener(signal.reason)
    return () => {}
  }
  const abort = (): void => listener(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  return () => signal.removeEventListener('abort', abort)
}

/**
 * Settles as `promise` does, or rejects with the signal's reason if that comes first. The work behind
 * `promise` goes on; when it fails later, nobody is bothered.
 *
 * @throws {TypeError} when `signal` is not an `AbortSignal`.
 * @example
 * ```ts
 * import { raceSignal } from '@covey/core'
 *
 * console.log(await raceSignal(Promise.resolve('done'), AbortSignal.timeout(1_000)))
 * ```
 */
export function raceSignal<Value>(promise: PromiseLike<Value>, signal: AbortSignal | undefined): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stopListening = onAbort(signal, reject)
    promise.then(
      (value) => {
        stopListening()
        resolve(value)
      },
      (error: unknown) => {
        stopListening()
        reject(error)
      }
    )
  })
}

/** Options of {@link withTimeout}. */
export interface TimeoutOptions {
  /** How long to wait, in milliseconds, at most 2^31 - 1 (24 days). */
  timeoutMs: number
  /** Rejects with its reason when aborted first. */
  signal?: AbortSignal | undefined
  /** Makes the error to reject with. Default: a `CoreError` with the code `TIMEOUT`. */
  onTimeout?: (() => Error) | undefined
}

/**
 * Settles as `work` does, unless the time-out or the signal comes first. A function is called at
 * once, but not at all when the signal has been aborted before. The work itself goes on: hand it the
 * signal too, if it can be stopped.
 *
 * @throws {CoveyError} TIMEOUT, unless `onTimeout` makes another error.
 * @throws the signal's `reason` when it is aborted.
 * @throws {TypeError} when an option is wrong.
 * @example
 * ```ts
 * import { withTimeout } from '@covey/core'
 *
 * const answer = await withTimeout(async () => 42, {
 *   timeoutMs: 1_000,
 *   onTimeout: () => new Error('no answer')
 * })
 * console.log(answer)
 * ```
 */
export async function withTimeout<Value>(
  work: PromiseLike<Value> | (() => PromiseLike<Value> | Value),
  options: TimeoutOptions
): Promise<Value> {
  assertOptions(options, 'options', ['timeoutMs', 'signal', 'onTimeout'])
  const { timeoutMs, signal, onTimeout = () => timeoutError(timeoutMs) } = options
  assertInteger(timeoutMs, 'timeoutMs', { min: 0, max: MAX_TIMEOUT_MS })
  assertSignal(signal)
  assertFunction(onTimeout, 'onTimeout')

  const started = typeof work === 'function' ? start(work, signal) : work
  let timer: ReturnType<typeof setTimeout> | undefined
  const timedOut = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  }).then((): never => {
    throw onTimeout()
  })
  try {
    return await raceSignal(Promise.race([started, timedOut]), signal)
  } finally {
    clearTimeout(timer)
  }
}

async function start<Value>(work: () => PromiseLike<Value> | Value, signal: AbortSignal | undefined): Promise<Value> {
  throwIfAborted(signal)
  return work()
}

function timeoutError(timeoutMs: number): CoreError {
  return new CoreError('TIMEOUT', `Not done within ${timeoutMs} ms.`, { retryable: true })
}
