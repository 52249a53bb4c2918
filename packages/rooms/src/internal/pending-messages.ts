import { createEvents, equalBytes, type CoveyError, type EventSource } from '@covey/core'
import { mapKey } from './map-key.js'
import { decodeOp } from './op.js'
import type { Flight } from './op-log.js'
import type { MessageRow, RoomView } from './view.js'

/** A message as it is before the log has it: own ones that are durable, and those of the fast lane. */
export type PendingMessage = Pick<MessageRow, 'id' | 'writer' | 'op'>

export interface PendingEvents {
  add: PendingMessage
  /** It is in the view now, or, if it is withdrawn, never will be. */
  settle: { readonly id: Uint8Array; readonly isWithdrawn: boolean }
}

/**
 * The messages that are shown and have no place in the order yet. The log alone says what becomes of
 * them: what its writer's chain has gone past is withdrawn, and so is what its writer had no right to.
 */
export interface PendingMessages extends EventSource<PendingEvents> {
  /** Adds one of this device's own, which the log tells about. */
  addOwn(message: PendingMessage): void
  /** Adds one of somebody else's, which is withdrawn when the log does not bring it in time. */
  addOther(message: PendingMessage, withinMs: number): void
  /** The log has told what became of one; `undefined`: the view will. */
  settle(id: Uint8Array, isAccepted: boolean | undefined): void
  get(id: Uint8Array): PendingMessage | undefined
  /** Oldest first; of a writer in their order. */
  all(): Iterable<PendingMessage>
  /** Those of a writer, oldest first: each names the one before it. */
  of(writer: Uint8Array): readonly PendingMessage[]
  readonly size: number
  /** Resolves when it is not pending, or never was, or at the close. */
  settled(id: Uint8Array): Promise<void>
  /** To be called when the view has changed. */
  changed(): void
  close(): void
}

interface Entry extends PendingMessage {
  readonly timer: ReturnType<typeof setTimeout> | undefined
  /** Whether the view is asked about it. */
  isWatched: boolean
}

export interface PendingMessagesInit {
  readonly view: RoomView
  /** Where `apply` notes that it took an op. */
  readonly flight: Flight
  readonly onerror: (error: unknown) => void
}

export function createPendingMessages({ view, flight, onerror }: PendingMessagesInit): PendingMessages {
  const events = createEvents<PendingEvents & { error: CoveyError }>()
  const entries = new Map<string, Entry>()
  /** Whoever waits for one of them. */
  const waiters = new Set<() => void>()
  let looking = false
  let again = false
  let isClosed = false
  let later: ReturnType<typeof setTimeout> | undefined

  function settle({ id, timer }: Entry, isWithdrawn: boolean): void {
    clearTimeout(timer)
    if (timer !== undefined) flight.delete(mapKey(id))
    if (entries.delete(mapKey(id))) void events.emit('settle', { id, isWithdrawn })
    wake()
  }

  function wake(): void {
    for (const each of waiters) each()
    waiters.clear()
  }

  function of(writer: Uint8Array): Entry[] {
    return [...entries.values()].filter((entry) => equalBytes(entry.writer, writer))
  }

  async function look(): Promise<void> {
    const writers = new Map(watched().map(({ writer }) => [mapKey(writer), writer]))
    for (const writer of writers.values()) await lookAt(writer)
  }

  function watched(): Entry[] {
    return [...entries.values()].filter(({ isWatched }) => isWatched)
  }

  function add(message: PendingMessage, withinMs?: number): void {
    const timer = withinMs === undefined ? undefined : setTimeout(() => settle(entry, true), withinMs)
    const entry: Entry = { ...message, timer, isWatched: timer !== undefined }
    if (timer !== undefined) flight.set(mapKey(message.id), false)
    entries.set(mapKey(message.id), entry)
    void events.emit('add', message)
  }

  async function lookAt(writer: Uint8Array): Promise<void> {
    // In this order: what is read later may know more, and not less.
    const chain = of(writer)
    const device = await view.device(writer)
    let last = (await view.writer(writer))?.head
    for (const entry of chain) {
      const isNext = follows(decodeOp(entry.op)?.header.previous, last)
      // One of this device's own is durable, and comes: what is between it and the one before it is no message.
      const isOwn = entry.timer === undefined
      const mayCome = device !== null && !device.removed && (isOwn || isNext)
      // The log has not gone beyond the one before it.
      const isWaiting = mayCome && isNext && !!last
      const isIn = !isWaiting && (!entries.has(mapKey(entry.id)) || (await view.message(entry.id)) !== null)
      if (isIn) settle(entry, false)
      else if (!mayCome) settle(entry, true)
      if (isIn || mayCome) last = entry.id
    }
  }

  async function run(): Promise<void> {
    looking = true
    while (again && !isClosed) {
      again = false
      await look()
    }
    looking = false
  }

  function check(): void {
    if (watched().length === 0) return
    again = true
    if (looking) return
    run().catch((error: unknown) => {
      looking = false
      if (!isClosed) onerror(error)
    })
  }

  return {
    on: events.on.bind(events),
    once: events.once.bind(events),
    addOwn: (message) => add(message),
    addOther(message, withinMs) {
      add(message, withinMs)
      // It may be in the view since it was looked for: but first it is shown.
      later ??= setTimeout(() => {
        later = undefined
        check()
      }, 0)
    },
    settle(id, isAccepted) {
      const entry = entries.get(mapKey(id))
      if (entry === undefined) return
      if (isAccepted !== undefined) return settle(entry, !isAccepted)
      entry.isWatched = true
      check()
    },
    get: (id) => entries.get(mapKey(id)),
    all: () => entries.values(),
    of,
    get size() {
      return entries.size
    },
    async settled(id) {
      while (entries.has(mapKey(id)) && !isClosed) await new Promise<void>((resolve) => void waiters.add(resolve))
    },
    changed() {
      // Now, and not later: what has been applied by then may not be in the view that is read.
      for (const entry of watched()) if (flight.get(mapKey(entry.id)) === true) settle(entry, false)
      check()
    },
    close() {
      isClosed = true
      clearTimeout(later)
      for (const entry of entries.values()) clearTimeout(entry.timer)
      entries.clear()
      wake()
    }
  }
}

/** Whether an op may come next: what comes after those that were not read begins anew. */
export function follows(previous: Uint8Array | null | undefined, last: Uint8Array | null | undefined): boolean {
  return !last || (!!previous && equalBytes(previous, last))
}
