import { encodeZ32, equalBytes } from '@covey/core'
import { RoomError } from '../../errors.js'
import type { OpenRoom } from '../open-room.js'
import type { RoomNote } from '../records.js'
import { coresIn, type RoomCores } from '../room-cores.js'
import type { MirrorSource } from '../room-health.js'
import type { Place } from './place.js'
import { keysIn, type Head } from './room-note.js'

/** What a room lies in, which can be told of one that is asleep too. */
export interface LastingCores {
  readonly cores: RoomCores
  /** To be called with the room whenever it was opened. */
  follow(opened: OpenRoom): void
  /** To be called when it has fallen asleep: what was said just then was heard by nobody. */
  slept(): void
}

/** What is had held of it, and by whom. */
type Held = Record<'keys', Uint8Array[]> & Record<'mirrors', readonly string[]>

export interface LastingCoresInit {
  readonly place: Place
  /** Called with what somebody says to have of the room while it is asleep. */
  readonly onheads: (heads: readonly Head[]) => void
  readonly isLeft: RoomCores['isLeft']
}

export function createLastingCores({ place, onheads, isLeft }: LastingCoresInit): LastingCores {
  const listeners = new Set<() => void>()
  const tell = (): void => listeners.forEach((listener) => listener())
  /** What was said of it while it was open, by core. */
  const said = new Map<string, Head>()
  let mirrors: MirrorSource | undefined
  let mirrorsChanged = (): void => undefined
  let own: Uint8Array | undefined
  /** As it was known last: that is so too while it falls asleep, and where it does not open. */
  let held: Held = { keys: [], mirrors: [] }

  async function look(): Promise<Held> {
    // One that falls asleep at this moment says nothing until it has.
    if (place.opened === undefined) await place.rest()
    if (place.opened !== undefined) held = await place.use(readHeld)
    else if (place.note !== undefined) held = { keys: keysIn(place.note), mirrors: place.note.mirrorLinks.filter((link) => link !== null) }
    return held
  }

  return {
    cores: {
      get own() {
        own ??= place.opened?.base.local.key ?? place.note?.own
        if (own === undefined) throw new RoomError('ROOM_CLOSED', 'The room is not open yet.', { retryable: true })
        return own
      },
      written: () => place.use((opened) => coresIn(opened).written()),
      // Of one that is being opened, they are told of when it is.
      keys: async () => (await look()).keys,
      mirrors: async () => (await look()).mirrors,
      devices: () => place.use((opened) => coresIn(opened).devices()),
      locate: (id) => place.use((opened) => coresIn(opened).locate(id)),
      isLeft,
      async wake(key, length) {
        // What falls asleep at this moment is known when it sleeps.
        if (place.opened === undefined) await place.rest()
        const { opened, note } = place
        if (opened === undefined && !mayBeDevice(note, key)) return
        said.set(encodeZ32(key), { key, length })
        if (opened === undefined) return onheads([{ key, length }])
        // Not kept open by it: whoever says it may say anything.
        await coresIn(opened).wake(key, length).catch((error: unknown) => place.opened === opened && Promise.reject(error))
      },
      onchange(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      tellMirrors(source) {
        mirrors = source
        if (place.opened) mirrorsChanged = place.opened.health.tellMirrors(source)
        return () => mirrorsChanged()
      }
    },
    follow(opened) {
      // Also for who asks while it closes.
      own = opened.base.local.key
      said.clear()
      if (mirrors) mirrorsChanged = opened.health.tellMirrors(mirrors)
      coresIn(opened).onchange(tell)
      tell()
    },
    slept() {
      // It would keep all that was open in memory.
      mirrorsChanged = () => undefined
      // A mirror tells of the views as well, which are no device's: to read them as such would only wake the room.
      const heads = [...said.values()].filter(({ key }) => mayBeDevice(place.note, key))
      if (heads.length > 0) onheads(heads)
      said.clear()
    }
  }
}

function mayBeDevice(note: RoomNote | undefined, key: Uint8Array): boolean {
  return note === undefined || note.devices.some(({ writer }) => equalBytes(writer, key))
}

async function readHeld(opened: OpenRoom): Promise<Held> {
  const cores = coresIn(opened)
  return { keys: await cores.keys(), mirrors: await cores.mirrors() }
}
