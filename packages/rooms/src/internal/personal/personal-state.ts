import { defineContent } from '@covey/core'
import { readBody } from '../message-body.js'
import type { OpenRoom } from '../open-room.js'
import { counts } from '../people/shared-entry.js'
import { decodeStruct, encodeStruct, type Structs } from '../structs.js'

/** What the devices of a person keep together: a map, in which the last word of the room's order counts, of people the one that was changed last. */
export interface PersonalState {
  get(key: string): Uint8Array | undefined
  /** All of a prefix, by what follows it. */
  entries(prefix: string): [string, Uint8Array][]
  /** Resolves when it is durable. The map has it when the room has. */
  set(key: string, value: Uint8Array | null): Promise<void>
  /** Resolves when what the room has now has been read; whether this device had the keys for all of it. */
  read(): Promise<boolean>
}

type Entry = Structs['personal-entry']

const entryContent = defineContent<Entry>({
  name: 'covey/personal',
  version: 1,
  codec: {
    encode: (entry) => encodeStruct('personal-entry', entry),
    decode(data) {
      const entry = decodeStruct('personal-entry', data)
      if (entry === undefined) throw new Error('These bytes are no entry.')
      return entry
    }
  }
})

const PAGE_ROWS = 256

/** What a log of entries comes to. */
export function foldEntries(log: readonly (Entry | undefined)[]): Map<string, Uint8Array> {
  const map = new Map<string, Uint8Array>()
  for (const { name, value } of log.filter((entry) => entry !== undefined)) {
    const before = map.get(name)
    // Of two that did not know of each other, the order says nothing about which the person has changed last.
    if (before && counts(name, before, value ?? undefined)) continue
    if (value) map.set(name, value)
    else map.delete(name)
  }
  return map
}

/** @param onchange called when the map may be another. */
export function createPersonalState(opened: OpenRoom, onchange: () => void, onerror: (error: unknown) => void): PersonalState {
  const { room, view, reader } = opened
  /** What each message of the room says, by its order. */
  const log: (Entry | undefined)[] = []
  let map = new Map<string, Uint8Array>()
  /** From which order on the room may say something else than the log. */
  let changedFrom = 0
  /** The first message that this device has no key for yet. */
  let unreadFrom = Infinity
  let reading: Promise<void> | undefined

  async function readFrom(from: number): Promise<void> {
    unreadFrom = unreadFrom < from ? unreadFrom : Infinity
    log.length = Math.min(log.length, from)
    for (let start = from; ; start += PAGE_ROWS) {
      const rows = await view.messages(start, start + PAGE_ROWS)
      for (const { order, op, writer } of rows) {
        const { kind, content } = readBody(await reader.body(op, writer))
        if (kind === 'unreadable') unreadFrom = Math.min(unreadFrom, order)
        log[order] = entryContent.read(content)
      }
      if (rows.length < PAGE_ROWS) return
    }
  }

  async function readOn(): Promise<void> {
    while (changedFrom !== Infinity) {
      const from = changedFrom
      changedFrom = Infinity
      await readFrom(from).catch((error: unknown) => {
        // It is read with what changes next.
        changedFrom = Math.min(changedFrom, from)
        reading = undefined
        throw error
      })
    }
    map = foldEntries(log)
    // In the same turn: what changes between this and whoever waits for it would not be read.
    reading = undefined
  }

  function changed(from: number): void {
    changedFrom = Math.min(changedFrom, from)
    reading ??= readOn().then(onchange).catch(onerror)
  }

  opened.onlog(changed)
  opened.onpeople(() => {
    if (unreadFrom !== Infinity) changed(unreadFrom)
  })
  changed(0)

  return {
    get: (key) => map.get(key),
    entries: (prefix) => [...map].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]),
    async set(name, value) {
      await room.send(entryContent.create({ name, value }))
    },
    async read() {
      while (reading !== undefined) await reading
      return unreadFrom === Infinity && changedFrom === Infinity
    }
  }
}
