import { equalBytes, throwIfAborted } from '@covey/core'
import type { MessagesOptions } from '../message.js'
import type { MessageFinder } from './find-message.js'
import { decodeOp } from './op.js'
import type { Timeline, TimelineRow } from './timeline.js'
import type { RoomView } from './view.js'

/** The messages of a thread, as {@link Timeline.rows} gives those of a room; without `live`, as they are now. */
export async function threadRows(
  view: RoomView,
  finder: MessageFinder,
  timeline: Timeline,
  { thread, since, before, limit, live, pending = true, signal }: MessagesOptions & { readonly thread: string }
): Promise<AsyncIterable<TimelineRow>> {
  const named = await finder.demand(thread)
  const root = (named.thread && (await view.message(named.thread))) || named
  const from = since === undefined ? root.order : (await finder.demand(since)).order + 1
  const to = before === undefined ? Infinity : (await finder.demand(before)).order
  const all = (await view.threadOrders(root.order)).filter((order) => order >= from && order < to)
  const orders = since === undefined ? all.slice(-(limit ?? all.length)) : all.slice(0, limit)
  function isIn({ thread: of, isPending, op }: TimelineRow): boolean {
    const id = isPending ? decodeOp(op)?.header.target : of
    return !!id && equalBytes(id, root.id)
  }

  async function* past(): AsyncGenerator<TimelineRow, void, undefined> {
    for (const order of orders) {
      throwIfAborted(signal)
      const [row] = await view.messages(order, order + 1)
      if (row !== undefined && isIn(row)) yield row
    }
  }
  async function* present(): AsyncGenerator<TimelineRow, void, undefined> {
    const start = limit === undefined ? from : (orders[0] ?? from)
    for await (const row of timeline.rows({ from: start, to: undefined, isSentOnly: !pending }, signal)) if (isIn(row)) yield row
  }
  return live === true ? present() : past()
}
