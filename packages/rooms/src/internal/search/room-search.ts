import { assertInteger, assertOptions, assertSignal, assertString, equalBytes, raceSignal, throwIfAborted } from '@covey/core'
import { DEFAULT_SEARCH_LIMIT, MAX_SEARCH_LIMIT } from '../../constants.js'
import type { Message, SearchOptions } from '../../message.js'
import type { Room } from '../../room.js'
import { aboutMessage } from '../about-message.js'
import type { MessageFinder } from '../find-message.js'
import type { OpLog } from '../op-log.js'
import type { WhileOpen } from '../open-room.js'
import { createTurnTaker } from '../take-turns.js'
import { parseQuery, type Query } from './query.js'
import { SEGMENT_LINES, type Line } from './segment.js'
import { createTextIndex, type TextIndex, type TextIndexInit } from './text-index.js'

export interface RoomSearchInit extends TextIndexInit {
  readonly log: OpLog
  readonly finder: MessageFinder
  readonly whileOpen: WhileOpen
}

export interface RoomSearch extends Pick<Room, 'search'>, Pick<TextIndex, 'changed' | 'keysChanged' | 'reset'> {}

const MAX_QUERY_BYTES = 1_024

/** Goes through all that was said, newest first: see docs/decisions/search-by-reading.md. */
export function createRoomSearch({ log, finder, whileOpen, ...parts }: RoomSearchInit): RoomSearch {
  const { view, reader } = parts
  const index = createTextIndex(parts)
  const takeTurns = createTurnTaker()

  async function find(query: Query, { limit = DEFAULT_SEARCH_LIMIT, from, before, signal }: SearchOptions): Promise<Message[]> {
    // What was sent is found.
    await log.settled()
    await takeTurns('sync', () => index.sync(signal))
    const end = before === undefined ? Infinity : (await finder.demand(before)).order
    const found: Message[] = []
    for await (const { number, segment } of index.segments(Math.min(index.count(), Math.ceil(end / SEGMENT_LINES)))) {
      throwIfAborted(signal)
      if (segment === undefined || !query.mayBeIn(segment.text)) continue
      const lines = segment.lines()
      for (let i = Math.min(lines.length, end - number * SEGMENT_LINES) - 1; i >= 0; i--) {
        const line = lines[i]!
        if (!query.isIn(line.text) || (from !== undefined && (await reader.authorOf(line.writer)) !== from)) continue
        const message = await shown(number * SEGMENT_LINES + i, line)
        if (message !== undefined) found.push(message)
        if (found.length === limit) return found
      }
    }
    return found
  }

  /** The message of a line, if it is still what it was when the texts were looked at. */
  async function shown(order: number, { id }: Line): Promise<Message | undefined> {
    const [row] = await view.messages(order, order + 1)
    const message = row && equalBytes(row.id, id) ? await reader.message(row, await aboutMessage(view, row)) : undefined
    return message?.kind === 'deleted' || message?.kind === 'blocked' ? undefined : message
  }

  return {
    async search(text, options = {}) {
      assertString(text, 'text', { minLength: 1, maxBytes: MAX_QUERY_BYTES })
      assertOptions(options, 'options', ['limit', 'from', 'before', 'signal'])
      const { limit, from, before, signal } = options
      if (limit !== undefined) assertInteger(limit, 'options.limit', { min: 1, max: MAX_SEARCH_LIMIT })
      if (from !== undefined) assertString(from, 'options.from')
      if (before !== undefined) assertString(before, 'options.before')
      assertSignal(signal, 'options.signal')
      throwIfAborted(signal)
      const query = parseQuery(text)
      if (query === undefined) throw new TypeError('text must have 1 word to 16 to look for')
      return raceSignal(whileOpen(() => find(query, options)), signal)
    },
    changed: index.changed,
    keysChanged: index.keysChanged,
    reset: index.reset
  }
}
