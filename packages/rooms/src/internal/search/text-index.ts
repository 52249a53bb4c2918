import { isCoveyError, throwIfAborted } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import type Hypercore from 'hypercore'
import { NOTHING } from '../about-message.js'
import { mapKey } from '../map-key.js'
import { wordsOf } from '../message-words.js'
import type { Reader } from '../reader.js'
import { decodeStruct, encodeStruct } from '../structs.js'
import type { MessageRow, MessageStateRow, RoomView } from '../view.js'
import { normalizeText } from './query.js'
import { decodeSegment, encodeSegment, isSameLine, SEGMENT_LINES, UNREAD, versionOf, type Line, type Segment } from './segment.js'

export interface TextIndexInit {
  /** This device's own, with whose storage the texts are kept. */
  readonly core: Hypercore<unknown>
  readonly identity: LocalIdentity
  readonly view: RoomView
  readonly reader: Reader
  /** How many messages have a place for ever. */
  readonly settled: () => Promise<number>
}

/** The texts of a room by the order of their messages, sealed, on this device alone. */
export interface TextIndex {
  /** Makes it what the view is. What is aborted goes on from there the next time. */
  sync(signal: AbortSignal | undefined): Promise<void>
  /** How many segments there are. */
  count(): number
  /** Those of the numbers below `end`, the highest first. */
  segments(end: number): AsyncIterable<{ readonly number: number; readonly segment: Segment | undefined }>
  /** To be called when messages from an order on may be others, and with those that say something else. */
  changed(from: number, orders: Iterable<number>): void
  /** To be called when what could not be read may be readable. */
  keysChanged(): void
  /** To be called when the view has become another. */
  reset(): void
}

const LABEL = 'covey/room/search/2'

/** How many segments are read from the disk while one is looked at. */
const READ_AHEAD = 8

export function createTextIndex({ core, identity, view, reader, settled }: TextIndexInit): TextIndex {
  /** What may be other in the view; all of it, where this device did not look. */
  let stale = { all: true, from: Infinity, retry: false, segments: new Set<number>() }
  /** What holds a message that could not be read, and what one that was edited: which may come to be undone. */
  const unread = new Set<number>()
  const edited = new Set<number>()
  let known: { settled: number; segments: number } | undefined

  view.db.core.on('truncate', () => edited.forEach((number) => stale.segments.add(number)))

  async function sync(signal: AbortSignal | undefined): Promise<void> {
    known ??= (await load('mark', (bytes) => decodeStruct('search-mark', bytes))) ?? { settled: 0, segments: 0 }
    // Before anything is read: what is settled now is read as it stays, and what changes meanwhile is stale again.
    const final = await settled()
    const { messages: end } = await view.meta()
    const work = stale
    stale = { all: false, from: Infinity, retry: false, segments: new Set() }
    const from = work.all ? Math.min(work.from, known.settled) : work.from
    const segments = Math.ceil(end / SEGMENT_LINES)
    try {
      for (let number = 0; number < segments; number++) {
        const isMoved = (number + 1) * SEGMENT_LINES > from || number >= known.segments
        const isRetried = work.retry && unread.has(number)
        if (!work.all && !isMoved && !isRetried && !work.segments.has(number)) continue
        throwIfAborted(signal)
        await mend(number, Math.min(end, (number + 1) * SEGMENT_LINES), isMoved, isRetried || work.all)
      }
      for (let number = segments; number < known.segments; number++) await core.setUserData(`${LABEL}/${number}`, null)
      if (segments !== known.segments || (work.all && final !== known.settled)) await save('mark', encodeStruct('search-mark', { settled: final, segments }))
      known = { settled: final, segments }
    } catch (error) {
      for (const number of work.segments) stale.segments.add(number)
      stale = { all: stale.all || work.all, from: Math.min(stale.from, work.from), retry: stale.retry || work.retry, segments: stale.segments }
      throw error
    }
  }

  /** Makes a segment what its part of the view is. */
  async function mend(number: number, end: number, isMoved: boolean, isRetried: boolean): Promise<void> {
    const start = number * SEGMENT_LINES
    const before = (await segment(number))?.lines() ?? []
    const rows = isMoved || before.length !== end - start ? await view.messages(start, end) : undefined
    const states = new Map((await view.messageStates(start, end)).map((state) => [state.order, state]))
    const byId = new Map(before.map((line) => [mapKey(line.id), line]))
    const lines: Line[] = []
    for (let order = start; order < start + (rows ?? before).length; order++) {
      const { id } = (rows ?? before)[order - start]!
      const state = states.get(order)
      const line = byId.get(mapKey(id))
      const isKnown = line && (line.version === versionOf(state) || (line.version === UNREAD && !isRetried))
      const row = isKnown ? undefined : (rows?.[order - start] ?? (await view.messages(order, order + 1))[0])
      if (isKnown) lines.push(line)
      else if (row) lines.push(await read(row, state))
    }
    if (lines.length < end - start) {
      // The view has become shorter meanwhile, and may grow again.
      stale.segments.add(number)
      return
    }
    note(unread, number, lines.some(({ version }) => version === UNREAD))
    note(edited, number, lines.some(({ version }) => version > 1))
    if (lines.length === before.length && lines.every((line, i) => isSameLine(line, before[i]))) return
    await save(number, encodeSegment(lines))
  }

  async function read(row: MessageRow, state: MessageStateRow | undefined): Promise<Line> {
    const edit = state && state.edits > 0 && !state.deletedBy ? await view.lastEdit(row.order) : null
    const message = await reader.message(row, { ...NOTHING, state: state ?? null, edit })
    // Whose author is blocked has its text kept from this person, for as long as that is so.
    const isRead = message !== undefined && message.kind !== 'unreadable' && message.kind !== 'blocked'
    const text = isRead ? normalizeText(wordsOf(message)) : ''
    return { id: row.id, writer: row.writer, version: isRead ? versionOf(state) : UNREAD, text }
  }

  async function load<Value>(name: number | string, decode: (bytes: Uint8Array) => Value | undefined): Promise<Value | undefined> {
    const label = `${LABEL}/${name}`
    const sealed = await core.getUserData(label)
    if (sealed === null) return undefined
    try {
      return decode(identity.unseal(label, sealed))
    } catch (error) {
      // Of a folder that was put together from two: it is made anew.
      if (isCoveyError(error, 'IDENTITY_UNSEAL_FAILED')) return undefined
      throw error
    }
  }

  function save(name: number | string, bytes: Uint8Array): Promise<void> {
    const label = `${LABEL}/${name}`
    return core.setUserData(label, identity.seal(label, bytes))
  }

  const segment = (number: number): Promise<Segment | undefined> => load(number, decodeSegment)

  return {
    sync,
    count: () => known?.segments ?? 0,
    async *segments(end) {
      const reading: Promise<Segment | undefined>[] = []
      try {
        for (let number = end - 1, next = number; number >= 0; number--) {
          for (; next >= 0 && reading.length < READ_AHEAD; next--) {
            const ahead = segment(next)
            // It is told when its turn comes.
            ahead.catch(() => undefined)
            reading.push(ahead)
          }
          yield { number, segment: await reading.shift()! }
        }
      } finally {
        // Nobody waits for the rest, and what it fails with.
        await Promise.allSettled(reading)
      }
    },
    changed(from, orders) {
      stale.from = Math.min(stale.from, from)
      for (const order of orders) stale.segments.add(Math.floor(order / SEGMENT_LINES))
    },
    keysChanged() {
      stale.retry = true
    },
    reset() {
      stale.all = true
    }
  }
}

function note(set: Set<number>, number: number, isIn: boolean): void {
  if (isIn) set.add(number)
  else set.delete(number)
}
