import type Corestore from 'corestore'
import { decodeKey } from '@covey/core'
import { KEY_BYTES, randomBytes } from '../crypto.js'
import type { OpenRoom } from '../open-room.js'
import type { RoomRecords } from '../records.js'
import type { Place } from './place.js'
import { briefNote, keysIn } from './room-note.js'

/** How often it is looked whether others have heard. */
const LOOK_MS = 1_000

/** Rooms that this device leaves: in no list, until others have heard of it and what was here of them is cleared. */
export interface Departures {
  has(id: string): boolean
  /** Whether others have heard of it. */
  isHeard(id: string): boolean
  /** Waits, in the background, until others have heard, and takes it off the disk then. */
  begin(place: Place): void
  /** Closes a room, and takes it off the disk. */
  takeAway(place: Place): Promise<void>
  /** Has a room stay after all, if it is still here. */
  cancel(id: string): Promise<void>
  /** Clears what is here of one that was left, when the process ended before it was done. */
  clear(discoveryKey: Uint8Array): Promise<void>
  close(): void
}

export interface DeparturesInit {
  readonly corestore: Corestore
  readonly records: RoomRecords
  readonly onerror: (error: unknown) => void
}

interface Departure {
  readonly done: Promise<void>
  readonly stop: () => void
  isHeard: boolean
}

export function createDepartures({ corestore, records, onerror }: DeparturesInit): Departures {
  const departures = new Map<string, Departure>()
  let isClosing = false

  /** Resolves when others have what this device wrote last, or with `false` when it stays, or the peer is closed. */
  function heard({ base, room }: OpenRoom, stopped: Promise<void>): Promise<boolean> {
    const { local } = base
    const last = local.length - 1
    return new Promise((resolve) => {
      const end = (isHeard: boolean): void => {
        clearInterval(timer)
        resolve(isHeard)
      }
      const look = (): void => {
        // Until another takes its place, an indexer is needed for that.
        if (!base.isIndexer && local.peers.some((peer) => peer.remoteContiguousLength > last || peer.remoteBitfield.get(last))) end(true)
      }
      const timer = setInterval(look, LOOK_MS)
      room.on('close', () => end(false))
      void stopped.then(() => end(false))
      look()
    })
  }

  async function depart(place: Place, departure: Omit<Departure, 'done'>, stopped: Promise<void>): Promise<void> {
    const { opened, release } = await place.hold()
    try {
      departure.isHeard = await heard(opened, stopped)
      if (departure.isHeard) await takeAway(place)
    } finally {
      release()
    }
  }

  async function takeAway(place: Place): Promise<void> {
    const { discoveryKey } = place
    // What the room lies in is noted when it falls asleep, but not where it has something left to do, or where that takes too long.
    const brief = await place.use(briefNote)
    await place.close()
    if ((await records.note(discoveryKey)) === undefined) await records.setNote(discoveryKey, brief)
    // From now on it is not opened any more. Whoever comes into it again does so with a core of its own.
    await records.put({ namespace: randomBytes(KEY_BYTES), discoveryKey, left: true })
    await clear(discoveryKey)
  }

  async function clear(discoveryKey: Uint8Array): Promise<void> {
    const note = await records.note(discoveryKey)
    if (note === undefined) return
    for (const key of keysIn(note)) {
      const core = corestore.get({ key, active: false })
      await core.ready()
      // The hashes above them stay, about a tenth of a small block's size: `purge()` of hypercore 11.37.1 calls a method
      // that is not there.
      await core.clear(0, core.length)
      await core.close()
    }
    await records.setNote(discoveryKey, undefined)
  }

  return {
    has: (id) => departures.has(id),
    isHeard: (id) => departures.get(id)?.isHeard ?? false,
    begin(place) {
      let stop = (): void => undefined
      const stopped = new Promise<void>((resolve) => (stop = resolve))
      const departure = { isHeard: false, stop }
      const done = depart(place, departure, stopped)
        .catch((error: unknown) => isClosing || onerror(error))
        .then(() => void departures.delete(place.id))
      departures.set(place.id, Object.assign(departure, { done }))
    },
    async cancel(id) {
      const departure = departures.get(id)
      if (departure === undefined) return
      departure.stop()
      await departure.done
      // One that is closed meanwhile for another reason is left when the peer starts again.
      if (!departure.isHeard) await records.put({ ...(await records.get(decodeKey(id)))!, left: false })
    },
    takeAway,
    clear,
    close() {
      isClosing = true
      for (const { stop } of departures.values()) stop()
    }
  }
}
