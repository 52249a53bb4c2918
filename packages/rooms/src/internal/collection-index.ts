import { equalBytes } from '@covey/core'
import { mapKey } from './map-key.js'
import type { Reader } from './reader.js'
import { decodeStruct, type Structs } from './structs.js'
import type { EntryRow, RoomView } from './view.js'

/** An entry that this device can read, as far as its key. */
export interface Listed {
  readonly key: string
  readonly tag: Uint8Array
  /** The id of the op that put it there. */
  readonly id: Uint8Array
}

/** An entry that this device can read. */
export interface Opened {
  readonly author: string
  readonly body: Structs['entry-body']
}

/** The keys of a collection's entries, opened once each. */
export interface CollectionIndex {
  /** In the order of their keys; the same array while nothing is different. */
  list(): Promise<readonly Listed[]>
  /** The entry of a row, `undefined` for one that is none, or why it cannot be read yet. */
  open(row: EntryRow): Promise<Opened | 'unreadable' | undefined>
  /** To be called when members have changed. */
  changed(): void
}

export interface CollectionIndexInit {
  readonly id: Uint8Array
  /** What an entry of a key goes by. */
  readonly tagOf: (key: string) => Uint8Array
  readonly view: RoomView
  readonly reader: Reader
}

const PAGE_ROWS = 64

interface Listing {
  readonly head: Uint8Array
  readonly entries: readonly Listed[]
  /** Whether all of them could be read, or never will be. */
  readonly isWhole: boolean
}

export function createCollectionIndex({ id, tagOf, view, reader }: CollectionIndexInit): CollectionIndex {
  let known = new Map<string, Listed>()
  let listing: Listing | undefined
  let running: Promise<readonly Listed[]> | undefined
  let round = 0

  async function open(row: EntryRow): Promise<Opened | 'unreadable' | undefined> {
    const author = await reader.authorOf(row.writer)
    if (author === undefined) return undefined
    const bytes = await reader.body(row.op, row.writer)
    if (typeof bytes === 'string') return bytes === 'unreadable' ? bytes : undefined
    const body = decodeStruct('entry-body', bytes)
    // Whoever may write could put it where another key is looked for.
    return body && body.name.isWellFormed() && equalBytes(tagOf(body.name), row.key) ? { author, body } : undefined
  }

  async function read(): Promise<readonly Listed[]> {
    const during = round
    const usage = await view.collectionUsage(id)
    if (usage === null) return []
    if (listing?.isWhole && equalBytes(listing.head, usage.head)) return listing.entries
    const found = new Map<string, Listed>()
    let isWhole = true
    for (let after: Uint8Array | undefined; ; ) {
      const rows = await view.entries(id, { ...(after && { after }), limit: PAGE_ROWS })
      for (const row of rows) {
        const name = mapKey(row.id)
        const before = known.get(name)
        const opened = before ?? (await open(row))
        if (opened === 'unreadable') isWhole = false
        else if (opened !== undefined) found.set(name, before ?? { key: (opened as Opened).body.name, tag: row.key, id: row.id })
      }
      if (rows.length < PAGE_ROWS) break
      after = rows.at(-1)!.key
    }
    const entries = [...new Map([...found.values()].map((entry) => [entry.key, entry])).values()]
    entries.sort((one, other) => (one.key < other.key ? -1 : 1))
    if (during !== round) return entries
    known = found
    listing = { head: usage.head, entries, isWhole }
    return entries
  }

  return {
    async list() {
      // One that began before what is asked for now may not have it.
      await running?.catch(() => undefined)
      const reading = (running = read())
      try {
        return await reading
      } finally {
        if (running === reading) running = undefined
      }
    },
    open,
    changed() {
      round++
      known = new Map()
      listing = undefined
    }
  }
}
