import { encodeZ32, isCoveyError } from '@covey/core'
import { mapKey } from '../map-key.js'
import type { OpenRoom } from '../open-room.js'
import type { Place } from './place.js'
import { isNews, type Head } from './room-note.js'

/**
 * How long a room is let be after it was opened, was used, or has changed: what goes on between its members takes some
 * seconds. So what peers say to have, who may say anything, opens a room no more often than that either.
 */
const LINGER_MS = 4_000
/**
 * By how much longer one may be let be. An indexer acknowledges before it sleeps: those that were woken by the same news
 * would do so side by side, and of acknowledgements of which none builds on another Autobase makes nothing.
 */
const SPREAD_MS = 4_000
/** How soon it is looked again whether one that is busy still is. */
const LOOK_MS = 1_000
/** How much is kept of what is said of a room that waits to be opened: the rest is asked for when it is. */
const MAX_HEADS = 1_024
/** How often words that came to nothing have the time doubled until they open a room again: up to 9 min. */
const MAX_DOUBLINGS = 7

/** The rooms of the list, of which few are open at a time. */
export interface Shelf {
  /** To be called when a room was opened, or somebody has let one go. */
  changed(): void
  /**
   * Somebody says to have this of a room. Opens it when that is news, and there is room for it: later and later where
   * the same one, known as `from`, says the same again and it came to nothing.
   */
  heard(place: Place, heads: readonly Head[], from: object): void
  /** Opens a room when there is room for it, or has not been for long. */
  ring(place: Place, heads?: readonly Head[]): void
  close(): void
}

export interface ShelfInit {
  /** The open rooms, by id. */
  readonly open: ReadonlyMap<string, OpenRoom>
  readonly placeOf: (id: string) => Place
  readonly maxOpen: number
  readonly onerror: (error: unknown) => void
}

export function createShelf({ open, placeOf, maxOpen, onerror }: ShelfInit): Shelf {
  /** Those that are to be opened, one after the other, with what is said of them. */
  const ringing = new Map<Place, readonly Head[]>()
  /** What somebody has said, how far the room was then, and how often in a row it was so far and they said nothing else. */
  const words = new WeakMap<object, { readonly said: Map<string, number>; readonly at: string; readonly times: number }>()
  /** What is heard later, and of whom. */
  const later = new Map<object, ReturnType<typeof setTimeout>>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isAnswering = false
  let isClosed = false
  let wake = (): void => undefined

  const report = (error: unknown): void => {
    if (!isClosed && !isCoveyError(error, 'ROOM_CLOSED')) onerror(error)
  }

  /** Those that nobody needs, longest unused first. */
  function free(): Place[] {
    const places = [...open.values()].filter(({ base }) => !base.closing).map(({ room }) => placeOf(room.id))
    return places.filter(({ isHeld }) => !isHeld).toSorted((a, b) => a.touchedAt - b.touchedAt)
  }

  /** Rooms that an app keeps open take nobody's turn. */
  function hasRoom(): boolean {
    return open.size < maxOpen || free().length === 0
  }

  function trim(): void {
    clearTimeout(timer)
    let over = open.size + (ringing.size > 0 ? 1 : 0) - maxOpen
    if (isClosed || over <= 0) return
    let nextMs = Infinity
    for (const place of free()) {
      if (over <= 0) return
      const leftMs = place.touchedAt + LINGER_MS + place.spread * SPREAD_MS - Date.now()
      if (leftMs > 0) nextMs = Math.min(nextMs, leftMs)
      else if (place.opened?.isBusy()) nextMs = Math.min(nextMs, LOOK_MS)
      else {
        over--
        place.rest().catch(report)
      }
    }
    if (over > 0 && nextMs < Infinity) timer = setTimeout(changed, nextMs)
  }

  function changed(): void {
    trim()
    wake()
  }

  async function answer(): Promise<void> {
    let waited: Place | undefined
    let patience = 0
    for (;;) {
      const [next] = ringing
      if (next === undefined || isClosed) {
        isAnswering = false
        return
      }
      const woken = new Promise<void>((resolve) => (wake = resolve))
      trim()
      const [place] = next
      if (waited !== place) patience = Date.now() + LINGER_MS + SPREAD_MS
      waited = place
      const leftMs = patience - Date.now()
      // Rooms in which something goes on all the time keep no other from being heard: then more are open.
      if (!hasRoom() && leftMs > 0) {
        const late = setTimeout(wake, leftMs)
        await woken.finally(() => clearTimeout(late))
        continue
      }
      waited = undefined
      const heads = ringing.get(place)!
      ringing.delete(place)
      await place.use(async ({ base }) => base.hintWakeup([...heads])).catch(report)
    }
  }

  function ring(place: Place, heads: readonly Head[] = []): void {
    if (isClosed) return
    ringing.set(place, [...heads, ...(ringing.get(place) ?? [])].slice(0, MAX_HEADS))
    if (isAnswering) return
    isAnswering = true
    void answer()
  }

  function heard(place: Place, heads: readonly Head[], from: object): void {
    // Autobase hears of it too.
    if (isClosed || place.opened !== undefined) return
    // One that falls asleep at this moment is told of what it knows: what that is, is known when it sleeps.
    place.rest().then(() => judge(place, heads, from), report)
  }

  function judge(place: Place, heads: readonly Head[], from: object): void {
    const { opened, note } = place
    if (isClosed || opened !== undefined || (note !== undefined && !isNews(note, heads))) return
    const at = (note?.heads ?? []).map(({ key, length }) => `${encodeZ32(key)} ${length}`).join()
    const { said, ...before } = words.get(from) ?? { at: '', times: 0, said: new Map<string, number>() }
    const isNew = heads.some(({ key, length }) => (said.get(mapKey(key)) ?? 0) < length)
    const times = isNew || before.at !== at ? 0 : before.times + 1
    if (times > 0 && later.has(from)) return
    if (said.size > MAX_HEADS) said.clear()
    for (const { key, length } of heads) said.set(mapKey(key), length)
    words.set(from, { at, times, said })
    if (times === 0) return ring(place, heads)
    const wait = setTimeout(() => {
      later.delete(from)
      if (place.opened === undefined && (place.note === undefined || isNews(place.note, heads))) ring(place, heads)
    }, LINGER_MS * 2 ** Math.min(times, MAX_DOUBLINGS))
    // What may be nothing is no reason for a process to go on.
    ;(wait as { unref?: () => void }).unref?.()
    later.set(from, wait)
  }

  return {
    changed,
    heard,
    ring,
    close() {
      isClosed = true
      clearTimeout(timer)
      for (const wait of later.values()) clearTimeout(wait)
      ringing.clear()
      wake()
    }
  }
}
