import { onAbort } from './abort.js'
import { assertFunction, assertOptions, assertString } from './assert.js'
import { CoreError, type CoveyError } from './errors.js'

/**
 * Something with typed events. `Events` maps each name to its payload. Payloads are plain data, so
 * that they can cross a message channel. Events are hints: what must not be missed comes as an
 * `AsyncIterable` instead.
 *
 * @example
 * ```ts
 * import type { CoveyError, EventSource } from '@covey/core'
 *
 * interface ClockEvents { tick: { atMs: number }; error: CoveyError }
 *
 * function watch(clock: EventSource<ClockEvents>): () => void {
 *   return clock.on('tick', async ({ atMs }) => console.log(atMs))
 * }
 * console.log(watch.name)
 * ```
 */
export interface EventSource<Events extends object> {
  /**
   * Calls `handler` at each such event, until the returned function is called. A handler may be
   * async; one that throws or rejects is reported by the `error` event. Adding one function twice
   * calls it twice.
   *
   * @throws {TypeError} when an argument has the wrong type.
   */
  on<Name extends keyof Events & string>(event: Name, handler: EventHandler<Events[Name]>): () => void
  /**
   * The payload of the next such event.
   *
   * @throws the signal's `reason` when it is aborted first.
   */
  once<Name extends keyof Events & string>(
    event: Name,
    options?: { signal?: AbortSignal | undefined }
  ): Promise<Events[Name]>
}

/** A function called with an event's payload. A promise that it returns is awaited. */
export type EventHandler<Payload> = (payload: Payload) => unknown

/** An {@link EventSource} and the means to emit: to be kept inside, while the source is handed out. */
export interface EventEmitter<Events extends object> extends EventSource<Events> {
  /**
   * Calls the handlers, in the order in which they were added, and resolves when all have settled.
   * It never rejects. A handler that is removed meanwhile is not called any more; one that is added
   * meanwhile is called from the next event on.
   *
   * A failed handler is reported by an `error` event with the code `EVENT_HANDLER_FAILED`. An `error`
   * event that nobody handles is printed with `console.error`.
   */
  emit<Name extends keyof Events & string>(event: Name, payload: Events[Name]): Promise<void>
}

/**
 * Makes an event emitter. `Events` must have an `error` event whose payload is any `CoveyError`.
 *
 * @example
 * ```ts
 * import { createEvents, type CoveyError } from '@covey/core'
 *
 * const events = createEvents<{ message: { text: string }; error: CoveyError }>()
 * const stop = events.on('message', async ({ text }) => console.log(text))
 * await events.emit('message', { text: 'hello' })
 * stop()
 * ```
 */
export function createEvents<Events extends { error: CoveyError }>(): EventEmitter<Events> {
  return new Emitter<Events>()
}

/** An object for each call of `on`, so that a function added twice can be removed once. */
interface Subscription {
  readonly handler: EventHandler<never>
}

class Emitter<Events extends { error: CoveyError }> implements EventEmitter<Events> {
  readonly #subscriptions = new Map<string, Set<Subscription>>()

  on<Name extends keyof Events & string>(event: Name, handler: EventHandler<Events[Name]>): () => void {
    assertString(event, 'event', { minLength: 1 })
    assertFunction(handler, 'handler')
    const subscription: Subscription = { handler }
    const subscriptions = this.#subscriptions.get(event) ?? new Set()
    this.#subscriptions.set(event, subscriptions.add(subscription))
    return () => void subscriptions.delete(subscription)
  }

  once<Name extends keyof Events & string>(
    event: Name,
    options: { signal?: AbortSignal | undefined } = {}
  ): Promise<Events[Name]> {
    return new Promise((resolve, reject) => {
      assertOptions(options, 'options', ['signal'])
      const stopHandling = this.on(event, (payload) => {
        stopHandling()
        stopListening()
        resolve(payload)
      })
      const stopListening = onAbort(options.signal, (reason) => {
        stopHandling()
        reject(reason)
      })
    })
  }

  async emit<Name extends keyof Events & string>(event: Name, payload: Events[Name]): Promise<void> {
    const subscriptions = this.#subscriptions.get(event) ?? new Set()
    if (event === 'error' && subscriptions.size === 0) return print(payload)
    const calls = [...subscriptions].map(async (subscription) => {
      if (!subscriptions.has(subscription)) return
      try {
        await (subscription.handler as EventHandler<Events[Name]>)(payload)
      } catch (cause) {
        await this.#report(event, payload, cause)
      }
    })
    await Promise.all(calls)
  }

  async #report(event: string, payload: unknown, cause: unknown): Promise<void> {
    // An error event about a failed error handler would call that handler again, without end.
    if (event === 'error') return print('A handler of the "error" event failed:', cause, 'It was given:', payload)
    const error = new CoreError('EVENT_HANDLER_FAILED', `A handler of the "${event}" event failed.`, {
      cause,
      hint: 'Catch errors inside the handler; `cause` is what it threw.'
    })
    await this.emit('error', error as CoveyError as Events['error'])
  }
}

function print(...parts: unknown[]): void {
  // oxlint-disable-next-line no-console -- the last resort: nobody handles this, and it must not get lost
  console.error(...parts)
}
