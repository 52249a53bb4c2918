import { createEvents, onAbort, throwIfAborted, type CoveyError } from '@covey/core'
import type { MessageRow, RoomView } from './view.js'
import { mapKey } from './map-key.js'
import type { PendingMessage, PendingMessages } from './pending-messages.js'

/** What one iteration covers: orders of messages, `from` included and `to` excluded. */
export interface Span {
  readonly from: number
  /** `undefined`: for ever. */
  readonly to: number | undefined
  /** Whether those that are pending are left out until they have a place. */
  readonly isSentOnly?: boolean
}

/** A message with a place in the order, or one that has none yet. */
export interface TimelineRow extends PendingMessage, Partial<Pick<MessageRow, 'order' | 'thread' | 'identity' | 'device'>> {
  readonly isPending?: boolean
}

/** The messages of a room in their order, which may still change where a quorum has not signed it. */
export interface Timeline {
  count(): Promise<number>
  /** How many of them, from the first on, have their place for ever: a quorum has signed it. */
  settled(): Promise<number>
  /**
   * Every message of a span once, whatever is reordered meanwhile: one that moves is not given again,
   * and one that lands before those that were given already is given when it lands. One that is pending is
   * given once what is before it was, if the span has no end, and not again when it lands.
   */
  rows(span: Span, signal?: AbortSignal): AsyncGenerator<TimelineRow, void, undefined>
  /** To be called when messages from `order` on may be others. `undefined`: from an unknown one on. */
  changed(order: number | undefined): void
  /** Ends what is being iterated, with `error` if there is one. */
  close(error?: Error): void
}

const PAGE_ROWS = 64
/** How many ids an iteration remembers before it asks which of them can no longer move. */
const PRUNE_IDS = 4_096

/** @param onpage called with what is about to be shown together. */
export function createTimeline(view: RoomView, pending: PendingMessages, onpage: (rows: readonly MessageRow[]) => void = () => undefined): Timeline {
  const signals = createEvents<{ change: { order: number | undefined }; close: void; error: CoveyError }>()
  let closed: { error: Error | undefined } | undefined

  async function* rows({ from, to, isSentOnly = false }: Span, signal?: AbortSignal): AsyncGenerator<TimelineRow, void, undefined> {
    let next = from
    /** All messages below are final and were given. */
    let final = from
    const given = new Set<string>()
    let wake = (): void => undefined
    const stopAbort = onAbort(signal, () => wake())
    /** From which order on what has been read may be out of date. */
    let changed = Infinity
    /** Whether there is nothing to read in the view. */
    let isCaughtUp = false
    const stopChange = signals.on('change', ({ order = final }) => {
      changed = Math.min(changed, order)
      next = Math.max(from, Math.min(next, order))
      isCaughtUp = false
      wake()
    })
    const stopAdd = pending.on('add', () => wake())
    // Should it come after all, it comes as another.
    const stopSettle = pending.on('settle', ({ id, isWithdrawn }) => void (isWithdrawn && given.delete(mapKey(id))))
    const stopClose = signals.on('close', () => wake())

    /** @throws what the iteration has to end with, if not well. */
    function isOver(): boolean {
      throwIfAborted(signal)
      if (closed?.error !== undefined) throw closed.error
      return closed !== undefined
    }

    try {
      while (to === undefined || next < to) {
        if (isOver()) return
        const woken = new Promise<void>((resolve) => (wake = resolve))
        if (isCaughtUp) {
          const fresh = isSentOnly ? undefined : [...pending.all()].find(({ id }) => !given.has(mapKey(id)))
          if (fresh === undefined) {
            await woken
            continue
          }
          given.add(mapKey(fresh.id))
          yield { ...fresh, isPending: true }
          continue
        }
        const start = next
        changed = Infinity
        const page = await view.messages(start, Math.min(to ?? Infinity, start + PAGE_ROWS))
        // Changed while it was read: what was read may be neither the old state nor the new one.
        if (changed <= start) continue
        if (page.length === 0) {
          if (to !== undefined) return
          isCaughtUp = true
          continue
        }
        next = Math.min(start + page.length, changed)
        onpage(page)
        if (given.size > PRUNE_IDS) final = await forgetFinal(given, final, start)
        for (const row of page) {
          if (row.order >= changed) break
          const id = mapKey(row.id)
          if (given.has(id)) continue
          if (isOver()) return
          given.add(id)
          yield row
        }
      }
    } catch (error) {
      // What is closed beneath a reader fails in its own words.
      if (!isOver()) throw error
    } finally {
      stopAbort()
      stopChange()
      stopAdd()
      stopSettle()
      stopClose()
    }
  }

  const settled = async (): Promise<number> => (await view.meta(view.db.core.signedLength)).messages

  /** Forgets the ids of messages that a quorum has signed: their order is for ever. */
  async function forgetFinal(given: Set<string>, final: number, upTo: number): Promise<number> {
    const end = Math.min(await settled(), upTo)
    for (let start = final; start < end; start += PAGE_ROWS) {
      for (const { id } of await view.messages(start, Math.min(end, start + PAGE_ROWS))) given.delete(mapKey(id))
    }
    return Math.max(final, end)
  }

  return {
    count: async () => (await view.meta()).messages,
    settled,
    rows,
    changed: (order) => void signals.emit('change', { order }),
    close(error) {
      closed = { error }
      void signals.emit('close', undefined)
    }
  }
}
