import type { UpstreamRange, UpstreamWriter } from './autobase-internals.js'

/** How many blocks are under way while only the first append is wanted, which has a few. */
const FIRST_BLOCKS = 16

/**
 * Lets a newcomer read no more than the room's first append as long as it may go forward instead.
 *
 * No attack: the key of what the indexers sign follows from that append, and autobase 7.28.1 reads up to
 * 64 appends, of up to 4,096 blocks each, before it looks (index.js:1760), applies them, and then puts
 * all of it aside for what was signed.
 *
 * @param isNewcomer whether nothing but that has been applied here, and it is not settled yet whether to
 *   go forward. When it is, the base has to be bumped.
 */
export function readFirstAppend(writer: UpstreamWriter, isNewcomer: () => boolean): void {
  const load = writer._loadNextNode.bind(writer)
  const resume = writer._resume.bind(writer)
  writer._loadNextNode = async () => {
    const { length } = writer.nodes
    const isFirst = length === 0 || (writer.nodes.get(length - 1)?.batch ?? 1) > 1
    return (isFirst || !isNewcomer()) && load()
  }

  writer._resume = () => {
    if (!isNewcomer()) return resume()
    const start = writer.nodes.length
    const end = start + FIRST_BLOCKS
    if (writer.range?.range.end === end) return
    writer._pause()
    writer.range = writer.core.download({ start, end, linear: true }) as UpstreamRange
  }
}
