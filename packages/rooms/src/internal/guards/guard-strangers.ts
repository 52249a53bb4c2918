import { equalBytes } from '@covey/core'
import type { UpstreamRange, UpstreamWriter } from './autobase-internals.js'

/**
 * How many blocks are read of a writer that is not in the room: the op that lets it in, which may be
 * refused and written again. What it writes when it is in, is read when it is in here.
 */
const MAX_STRANGER_BLOCKS = 8

/**
 * Reads little of a writer that is not in the room.
 *
 * The attack, in autobase 7.28.1: blocks of writers that were never added, or were removed, are
 * downloaded, ordered and kept like those of all others (index.js:1806, lib/apply-state.js:1257), and
 * everybody's next block names them; `apply` alone does not see them. Whoever has the key of the room,
 * from a public link or from a former membership, can have as much stored and ordered as they write.
 *
 * What somebody who is in builds on has to be read however long it is, or that one could not be read
 * either: they may have known the writer as a member. So the bound falls as soon as a block waits for it.
 *
 * @param active all writers that are open.
 */
export function guardStranger(writer: UpstreamWriter, active: () => Iterable<UpstreamWriter>): void {
  const first = writer.nodes.length
  const resume = writer._resume.bind(writer)
  const load = writer._loadNextNode.bind(writer)

  /** Blocks from here on are not read now. */
  function limit(): number {
    const isIn = !writer.isRemoved || writer.isActiveIndexer
    return isIn || isAwaited(writer, writer.nodes.length, active()) ? Infinity : first + MAX_STRANGER_BLOCKS
  }

  writer._loadNextNode = async () => writer.nodes.length < limit() && load()

  writer._resume = () => {
    const end = limit()
    if (end === Infinity) return resume()
    if (writer.range?.range.end === end) return
    writer._pause()
    const start = writer.nodes.length
    if (start < end) writer.range = writer.core.download({ start, end, linear: true }) as UpstreamRange
  }
}

/** Whether a block of somebody who is in waits for block `index` of a writer, or for one that waits for it. */
function isAwaited(
  writer: UpstreamWriter,
  index: number,
  active: Iterable<UpstreamWriter>,
  asked = new Set<UpstreamWriter>()
): boolean {
  if (asked.has(writer)) return false
  asked.add(writer)
  for (const other of active) {
    const heads = other === writer ? [] : (other.node?.actualHeads ?? [])
    if (!heads.some(({ key, length }) => length > index && equalBytes(key, writer.core.key))) continue
    if (!other.isRemoved || isAwaited(other, other.node!.length - 1, active, asked)) return true
  }
  return false
}
