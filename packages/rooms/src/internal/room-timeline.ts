import { assertInteger, assertOptions, assertSignal, assertString, equalBytes, isCoveyError, onAbort, throwIfAborted } from '@covey/core'
import { DEFAULT_WINDOW, MAX_WINDOW } from '../constants.js'
import type { Message } from '../message.js'
import type { Room } from '../room.js'
import type { TimelineOptions, TimelineSnapshot } from '../timeline.js'
import { aboutMessage } from './about-message.js'
import { diffMessages, reuseMessages } from './diff-messages.js'
import type { MessageFinder } from './find-message.js'
import { mapKey } from './map-key.js'
import { decodeOp } from './op.js'
import type { WhileOpen } from './open-room.js'
import type { PendingMessages } from './pending-messages.js'
import type { Reader } from './reader.js'
import type { TimelineRow } from './timeline.js'
import type { MessageRow, RoomView } from './view.js'

export interface RoomTimelineInit {
  readonly view: RoomView
  readonly pending: PendingMessages
  readonly finder: MessageFinder
  readonly reader: Reader
  /** Calls back when anything in the room may be different, and when it is closed. */
  readonly onchange: (callback: () => void) => () => void
  readonly whileOpen: WhileOpen
}

/** How often what changed while it was read is read again before it is shown: the next snapshot mends it. */
const MAX_TRIES = 3

export function createRoomTimeline({ view, pending, finder, reader, onchange, whileOpen }: RoomTimelineInit): Pick<Room, 'timeline'> {
  /** The last rows, by one look at the view where they are not in a thread: no message is among them twice. */
  async function lastRows(window: number, thread: string | undefined): Promise<{ rows: MessageRow[]; root?: Uint8Array; hasOlder: boolean }> {
    if (thread === undefined) {
      const { messages } = await view.meta()
      const from = Math.max(0, messages - window)
      return { rows: (await view.messages(from, Infinity)).slice(-window), hasOlder: from > 0 }
    }
    const named = await finder.demand(thread)
    const root = (named.thread && (await view.message(named.thread))) || named
    const orders = await view.threadOrders(root.order)
    const pages = await Promise.all(orders.slice(-window).map((order) => view.messages(order, order + 1)))
    return { rows: pages.flat(), root: root.id, hasOlder: orders.length > window }
  }

  async function read(window: number, thread: string | undefined): Promise<{ messages: Message[]; hasOlder: boolean }> {
    // First: what is in the room by the time that the rows are read, is there twice rather than not at all.
    const waiting = [...pending.all()].map((message): TimelineRow => ({ ...message, isPending: true }))
    const { rows, root, hasOlder } = await lastRows(window, thread)
    const ids = new Set(rows.map(({ id }) => mapKey(id)))
    const shown = waiting.filter((row) => !ids.has(mapKey(row.id)) && (root === undefined || isSentTo(root, row)))
    const found = await Promise.all([...rows, ...shown].map(async (row) => reader.message(row, await aboutMessage(view, row))))
    const messages = found.filter((message) => message !== undefined)
    // Rows of a thread are looked at one by one: one that moved meanwhile may have been met twice.
    const each = [...new Map(messages.map((message) => [message.id, message])).values()]
    return { messages: each.slice(-window), hasOlder: hasOlder || each.length > window }
  }

  async function* iterate(
    windowOf: () => number,
    onresize: (callback: () => void) => () => void,
    { thread, signal }: TimelineOptions
  ): AsyncGenerator<TimelineSnapshot, void, undefined> {
    throwIfAborted(signal)
    let isStale = true
    let wake = (): void => undefined
    const change = (): void => {
      isStale = true
      wake()
    }
    const stops = [onchange(change), pending.on('add', change), pending.on('settle', change), onresize(change), onAbort(signal, change)]
    let last: TimelineSnapshot | undefined

    async function next(): Promise<{ messages: Message[]; hasOlder: boolean }> {
      for (let tries = 1; ; tries++) {
        isStale = false
        const found = await whileOpen(() => read(windowOf(), thread))
        if (!isStale || tries === MAX_TRIES) return found
      }
    }

    try {
      for (;;) {
        const woken = new Promise<void>((resolve) => (wake = resolve))
        if (!isStale) await woken
        throwIfAborted(signal)
        const { messages: found, hasOlder } = await next()
        const before = last?.messages ?? []
        const messages = reuseMessages(before, found)
        const changes = Object.freeze(diffMessages(before, messages))
        if (last !== undefined && changes.length === 0 && hasOlder === last.hasOlder) continue
        last = Object.freeze({ messages, changes, hasOlder })
        yield last
      }
    } catch (error) {
      if (last === undefined || !isCoveyError(error, 'ROOM_CLOSED')) throw error
    } finally {
      for (const stop of stops) stop()
    }
  }

  return {
    timeline(options = {}) {
      assertTimelineOptions(options)
      let { window = DEFAULT_WINDOW } = options
      const resized = new Set<() => void>()
      const onresize = (callback: () => void): (() => void) => {
        resized.add(callback)
        return () => void resized.delete(callback)
      }
      return {
        showMore(count) {
          assertInteger(count, 'count', { min: 1 })
          window = Math.min(MAX_WINDOW, window + count)
          for (const callback of resized) callback()
        },
        [Symbol.asyncIterator]: () => iterate(() => window, onresize, options)
      }
    }
  }
}

/** Whether a message that has no place yet will be in a thread, as its sender says. */
function isSentTo(root: Uint8Array, { op }: TimelineRow): boolean {
  const target = decodeOp(op)?.header.target
  return !!target && equalBytes(target, root)
}

/** @throws {TypeError} that names the field. */
export function assertTimelineOptions(options: TimelineOptions): void {
  assertOptions(options, 'options', ['window', 'thread', 'signal'])
  if (options.window !== undefined) assertInteger(options.window, 'options.window', { min: 1, max: MAX_WINDOW })
  if (options.thread !== undefined) assertString(options.thread, 'options.thread')
  assertSignal(options.signal, 'options.signal')
}
