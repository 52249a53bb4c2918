import { onAbort } from './abort.js'
import { assertFunction, assertInteger, assertOptions } from './assert.js'
import { CoreError } from './errors.js'

/**
 * How many values a queue holds by default. More than any burst of live messages should bring, and
 * few enough that a consumer who has stopped reading costs megabytes, not the process.
 */
export const DEFAULT_QUEUE_MAX_LENGTH = 65_536

/** Options of {@link createAsyncQueue}. */
export interface AsyncQueueOptions {
  /** How many values may wait to be read. Default {@link DEFAULT_QUEUE_MAX_LENGTH}. */
  maxLength?: number | undefined
  /**
   * What happens when one more is pushed: `fail` (the default) ends the queue with `QUEUE_OVERFLOW`
   * after the values that it holds, so that a gap is never taken for the whole; `drop-oldest` keeps
   * the newest values, for what is only of interest while it is fresh.
   */
  onOverflow?: 'fail' | 'drop-oldest' | undefined
  /** When aborted, waiting values are dropped and reading rejects with its reason. */
  signal?: AbortSignal | undefined
  /**
   * Called once, when the queue takes no more values, for whatever reason: the place to stop what
   * feeds it. Must not throw.
   */
  onClose?: (() => void) | undefined
}

/**
 * Values from a producer to whoever iterates. All iterators share the queue: each value goes to one
 * of them, in the order in which they asked, and leaving a `for await` loop closes the queue.
 */
export interface AsyncQueue<Value> extends AsyncIterable<Value> {
  /** How many values wait to be read. */
  readonly length: number
  /** Adds a value. `false` if the queue was closed and did not take it. */
  push(value: Value): boolean
  /** Closes the queue: iterators are done when they have read what it holds. */
  end(): void
  /** Closes the queue: iterators reject with `error` when they have read what it holds. */
  fail(error: unknown): void
  /** The iterator. `return()` drops what the queue holds and closes it. */
  [Symbol.asyncIterator](): AsyncQueueIterator<Value>
}

/** An iterator of an {@link AsyncQueue}. `next` may be called again before the last one settled. */
export interface AsyncQueueIterator<Value> extends AsyncIterator<Value, undefined, undefined> {
  return(): Promise<IteratorResult<Value, undefined>>
}

/**
 * Makes a queue that is filled by `push` and read with `for await`.
 *
 * @throws {TypeError} when an option is wrong.
 * @example
 * ```ts
 * import { createAsyncQueue } from '@covey/core'
 *
 * const queue = createAsyncQueue<string>({ onClose: () => console.log('closed') })
 * queue.push('one')
 * queue.push('two')
 * queue.end()
 * for await (const value of queue) console.log(value)
 * ```
 */
export function createAsyncQueue<Value>(options: AsyncQueueOptions = {}): AsyncQueue<Value> {
  assertOptions(options, 'options', ['maxLength', 'onOverflow', 'signal', 'onClose'])
  const { maxLength, onOverflow, onClose } = options
  if (maxLength !== undefined) assertInteger(maxLength, 'maxLength', { min: 1 })
  if (onClose !== undefined) assertFunction(onClose, 'onClose')
  if (onOverflow !== undefined && onOverflow !== 'fail' && onOverflow !== 'drop-oldest') {
    throw new TypeError('onOverflow must be "fail" or "drop-oldest"')
  }
  return new Queue<Value>(options)
}

type Read<Value> = Promise<IteratorResult<Value, undefined>>

class Queue<Value> implements AsyncQueue<Value> {
  readonly #maxLength: number
  readonly #dropOldest: boolean
  readonly #onClose: (() => void) | undefined
  readonly #stopListening: () => void
  #signal: AbortSignal | undefined
  #values: (Value | undefined)[] = []
  #head = 0
  #readers: ((read: Read<Value>) => void)[] = []
  /** What reading gives when nothing is left; `undefined` while the queue is open. */
  #ending: (() => Read<Value>) | undefined

  constructor({ maxLength, onOverflow, signal, onClose }: AsyncQueueOptions) {
    this.#maxLength = maxLength ?? DEFAULT_QUEUE_MAX_LENGTH
    this.#dropOldest = onOverflow === 'drop-oldest'
    this.#onClose = onClose
    this.#signal = signal
    // An aborted signal calls back before there is anything to stop.
    this.#stopListening = () => {}
    this.#stopListening = onAbort(signal, (reason) => {
      this.#clear()
      this.fail(reason)
    })
  }

  get length(): number {
    return this.#values.length - this.#head
  }

  push(value: Value): boolean {
    if (this.#ending !== undefined) return false
    const reader = this.#readers.shift()
    if (reader !== undefined) {
      reader(Promise.resolve({ done: false, value }))
      return true
    }
    if (this.length >= this.#maxLength) {
      if (!this.#dropOldest) {
        this.fail(overflowError(this.#maxLength))
        return false
      }
      this.#take()
    }
    this.#values.push(value)
    return true
  }

  end(): void {
    this.#close(done)
  }

  fail(error: unknown): void {
    this.#close(() => Promise.reject(error))
  }

  [Symbol.asyncIterator](): AsyncQueueIterator<Value> {
    return {
      next: () => this.#next(),
      return: () => {
        this.#clear()
        this.#close(done)
        // Who has left is done, even if the queue failed or is aborted meanwhile.
        this.#ending = done
        this.#signal = undefined
        return done()
      }
    }
  }

  #next(): Read<Value> {
    // The signal also cuts short the reading of a queue that was closed before, with values in it.
    if (this.#signal?.aborted) {
      this.#clear()
      return Promise.reject(this.#signal.reason)
    }
    if (this.length > 0) return Promise.resolve({ done: false, value: this.#take() })
    if (this.#ending !== undefined) return this.#ending()
    return new Promise((resolve) => this.#readers.push(resolve))
  }

  #close(ending: () => Read<Value>): void {
    if (this.#ending !== undefined) return
    this.#ending = ending
    this.#stopListening()
    for (const reader of this.#readers.splice(0)) reader(ending())
    this.#onClose?.()
  }

  /** `shift` moves every value of a long array; this moves them once in a while. */
  #take(): Value {
    const value = this.#values[this.#head] as Value
    this.#values[this.#head++] = undefined
    if (this.#head * 2 > this.#values.length) {
      this.#values = this.#values.slice(this.#head)
      this.#head = 0
    }
    return value
  }

  #clear(): void {
    this.#values = []
    this.#head = 0
  }
}

function done(): Promise<{ done: true; value: undefined }> {
  return Promise.resolve({ done: true, value: undefined })
}

function overflowError(maxLength: number): CoreError {
  return new CoreError('QUEUE_OVERFLOW', `The reader fell behind by more than ${maxLength} values.`, {
    retryable: true,
    hint: 'Read faster, or start again from the last value that was read.'
  })
}
