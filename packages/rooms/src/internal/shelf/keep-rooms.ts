import type BlindPairing from 'blind-pairing'
import type ProtomuxWakeup from 'protomux-wakeup'
import type { WakeupStream } from 'protomux-wakeup'
import { encodeZ32, isCoveyError, withTimeout } from '@covey/core'
import type { Node } from '@covey/transport'
import { RoomError } from '../../errors.js'
import type { Room } from '../../room.js'
import { createAdmission } from '../admission.js'
import { createAttendance, type Attendance } from '../attendance.js'
import { brokenError } from '../broken-error.js'
import { createLane } from '../lane/lane.js'
import { createPreviewGiver } from '../preview/give-preview.js'
import { openRoom, type OpenRoom, type OpenRoomInit } from '../open-room.js'
import type { RoomNote, RoomRecord, RoomRecords } from '../records.js'
import type { OwnProfile } from '../people/own-profile.js'
import { registerCores } from '../room-cores.js'
import { createDepartures } from './departures.js'
import { createDoorbell } from './doorbell.js'
import { createLastingCores } from './lasting-cores.js'
import { createLastingRoom } from './lasting-room.js'
import { createPlace, type Place } from './place.js'
import { headsOf, isUntold, takeNote } from './room-note.js'
import { createShelf } from './shelf.js'

/** The rooms of a peer: on the network all of them, and open as they are used. */
export interface KeptRooms<Extended extends Room> {
  /** Those that are open, by id, and of all: those that this device leaves too. */
  readonly open: ReadonlyMap<string, OpenRoom>
  readonly places: ReadonlyMap<string, Place>
  rooms(): Extended[]
  roomOf(id: string): Extended | undefined
  /** Takes in a room that is on the disk, or goes on to leave it. */
  find(record: RoomRecord): Promise<void>
  /** Takes in a room that was made or joined, or gives the one that it is. */
  enter(opened: OpenRoom): Extended
  /** Has a room in no list any more, and takes it off the disk, when others have heard of that if there is something to hear. */
  leave(place: Place, isTold: boolean): Promise<void>
  /** Has a room that is being left stay, if it is still here. */
  stay(id: string): Promise<void>
  /** Calls back with each room that is opened from now on, each time. */
  onopen(listener: (opened: OpenRoom) => void): () => void
  close(): Promise<void>
}

export interface KeepRoomsInit<Extended extends Room> {
  readonly node: Node
  readonly stack: Pick<OpenRoomInit, 'corestore' | 'identity'> & { readonly wakeup: ProtomuxWakeup; readonly profile: OwnProfile }
  readonly records: RoomRecords
  readonly pairing: BlindPairing
  /** Tells of each connection. */
  readonly sessions: Sessions
  readonly maxOpen: number
  /** Gives a room what it is to have beside its own, before anybody is given it. */
  readonly extend: (room: Room) => Extended
  readonly onopen: (opened: OpenRoom) => void
  readonly report: (message: string) => (cause: unknown) => void
}

/** What outlives the times in which a room is open. */
type Kept = Pick<OpenRoom, 'attendance' | 'epochs'>

interface Sessions {
  on(event: 'connection', listener: (stream: WakeupStream) => void): unknown
  removeListener(event: 'connection', listener: (stream: WakeupStream) => void): unknown
}

/** How long falling asleep waits for what there is to write down; without it the room is opened when the peer starts. */
const NOTE_MS = 2_000
/** How often it is seen whether the device has slept: a tick that is later than this. */
const TICK_MS = 60_000
const LATE = new Error('The room could not be read in time.')

export function keepRooms<Extended extends Room>(init: KeepRoomsInit<Extended>): KeptRooms<Extended> {
  const { node, stack, records, pairing, sessions, extend, report } = init
  const { identity, wakeup, profile } = stack
  const self = identity.identity.publicKey
  const open = new Map<string, OpenRoom>()
  const places = new Map<string, Place>()
  const rooms = new Map<string, Extended>()
  const attendances = new Map<string, Attendance>()
  const meetings = new Set<(stream: WakeupStream) => void>()
  const listeners = new Set<(opened: OpenRoom) => void>([init.onopen])
  const reportUnopened = report('A room could not be opened.')
  const reportUnkept = report('A room could not be put to sleep.')
  const shelf = createShelf({ open, placeOf: (id) => places.get(id)!, maxOpen: init.maxOpen, onerror: reportUnopened })
  const meet = (stream: WakeupStream): void => meetings.forEach((listener) => listener(stream))
  sessions.on('connection', meet)
  const reportUncleared = report('A room that was left is still here.')
  const departures = createDepartures({ corestore: stack.corestore, records, onerror: reportUncleared })
  /** Those that fell asleep with something to say. */
  const unsaid = new Set<string>()
  let isClosing = false
  let tickedAt = Date.now()
  const ticking = setInterval(() => {
    const sleptMs = Date.now() - tickedAt - TICK_MS
    tickedAt = Date.now()
    if (sleptMs > TICK_MS) for (const [id, { passOver }] of attendances) if (!open.has(id)) passOver(sleptMs)
  }, TICK_MS)
  // Nobody stays for that.
  ;(ticking as { unref?: () => void }).unref?.()

  const stopWatching = profile.watch(() => {
    for (const place of places.values()) if (place.note && isUntold(place.note, profile)) shelf.ring(place)
  })

  async function reopen(discoveryKey: Uint8Array, kept: Kept): Promise<OpenRoom> {
    const { namespace, key } = (await records.get(discoveryKey))!
    // Before anything is written: one that is killed from now on is looked after when the peer starts again.
    await records.setNote(discoveryKey, undefined)
    let broken: unknown
    return openRoom({ ...stack, ...kept, namespace, key: key!, onbroken: (error) => (broken ??= error) }).catch((cause: unknown) => Promise.reject(broken ?? cause))
  }

  async function sleep(opened: OpenRoom): Promise<RoomNote | undefined> {
    const { base, room } = opened
    let note: RoomNote | undefined
    // What is not here yet, of a room that was joined just now, may never come.
    const inTime = <Value>(work: Promise<Value>): Promise<Value> => withTimeout(work, { timeoutMs: NOTE_MS, onTimeout: () => LATE })
    let isLate = false
    const late = (): void => void (isLate = true)
    const unwatch = profile.watch(late)
    try {
      if (!base.closing) await inTime(opened.log.settled())
      // Nobody would have the order signed by a device that sleeps.
      if (!base.closing && base.isIndexer && !isClosing) await inTime(base.ack())
      base.local.on('append', late)
      if (!base.closing) note = await inTime(takeNote(opened, self))
    } catch (error) {
      if (error !== LATE && !isClosing) reportUnkept(error)
    }
    await room.close().finally(unwatch)
    // What was written since, or set, nobody was told of; what is left to be sent nobody has: it is opened again for that, or when the peer starts.
    if (isLate || opened.isBusy()) {
      unsaid.add(room.id)
      return undefined
    }
    if (note !== undefined) await records.setNote(base.discoveryKey!, note).catch(reportUnkept)
    return note
  }

  function add(key: Uint8Array, discoveryKey: Uint8Array, kept: Kept, note?: RoomNote): Place {
    const id = encodeZ32(discoveryKey)
    const { attendance } = kept
    const place: Place = createPlace({
      id,
      key,
      discoveryKey,
      note,
      async open() {
        try {
          return await reopen(discoveryKey, kept)
        } catch (cause) {
          const error = cause instanceof RoomError ? cause : brokenError(cause)
          lasting.failed(error)
          throw error
        }
      },
      sleep,
      onopen,
      onrest: () => open.delete(id),
      onslept() {
        // What came about while it fell asleep.
        doorbell.changed()
        slept()
        if (unsaid.delete(id)) shelf.ring(place)
      },
      onfree: shelf.changed,
      async onclose() {
        places.delete(id)
        attendances.delete(id)
        rooms.delete(id)
        meetings.delete(doorbell.meet)
        doorbell.close()
        await Promise.all([admission.close().then(previews.close), topic.close()])
        await lasting.closed()
      }
    })
    const lasting = createLastingRoom(place)
    const { cores, follow, slept } = createLastingCores({ place, onheads: (heads) => shelf.heard(place, heads, place), isLeft: () => departures.isHeard(id) })
    const topic = node.join(discoveryKey)
    const previews = createPreviewGiver({ node, room: id, device: identity.device.id, onerror: report('The last messages could not be shown to somebody who came in.') })
    const admission = createAdmission(pairing, place, self, previews.offer, report('Somebody could not be let in.'))
    const doorbell = createDoorbell({
      wakeup,
      key,
      discoveryKey,
      heads: () => (place.opened ? headsOf(place.opened) : (place.note?.heads ?? [])),
      attendance,
      onheads: (heads, peer) => shelf.heard(place, heads, peer)
    })
    meetings.add(doorbell.meet)

    function onopen(opened: OpenRoom): void {
      open.set(id, opened)
      const lane = createLane(node, opened, identity, report('A message that came ahead of the log could not be shown.'))
      opened.room.on('close', () => lane.close())
      opened.room.on('update', () => {
        place.touch()
        doorbell.changed()
      })
      lasting.follow(opened)
      for (const listener of listeners) listener(opened)
      follow(opened)
      shelf.changed()
    }

    places.set(id, place)
    attendances.set(id, attendance)
    registerCores(lasting.room, cores)
    rooms.set(id, extend(lasting.room))
    return place
  }

  async function find({ key, discoveryKey, left }: RoomRecord): Promise<void> {
    if (!key) return left ? departures.clear(discoveryKey).catch(reportUncleared) : undefined
    // One that cannot be read is as good as none: then the room is opened, and says what is wrong.
    const note = await records.note(discoveryKey).catch(() => undefined)
    const place = add(key, discoveryKey, { attendance: createAttendance(), epochs: new Map() }, note)
    if (left) departures.begin(place)
    // It was open when the process was killed, and may have something to send; or what was set is not told yet.
    else if (note === undefined || isUntold(note, profile)) shelf.ring(place)
  }

  return {
    open,
    places,
    rooms: () => [...rooms].flatMap(([id, room]) => (departures.has(id) ? [] : [room])),
    roomOf: (id) => (departures.has(id) ? undefined : rooms.get(id)),
    find,
    async leave(place, isTold) {
      if (!isTold) return departures.takeAway(place)
      const record = { ...(await records.get(place.discoveryKey))!, left: true }
      await records.put(record)
      // For whoever has it, it is closed. What is to be done yet is done with another.
      await place.close()
      await find(record)
    },
    stay: departures.cancel,
    enter(opened) {
      const { attendance, epochs, base: { key, discoveryKey } } = opened
      const known = places.get(opened.room.id)
      if (known === undefined) add(key!, discoveryKey!, { attendance, epochs }).take(opened)
      return rooms.get(opened.room.id)!
    },
    onopen(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async close() {
      isClosing = true
      departures.close()
      clearInterval(ticking)
      stopWatching()
      sessions.removeListener('connection', meet)
      shelf.close()
      const closing = [...places.values()].map((place) => place.close())
      for (const result of await Promise.allSettled(closing)) {
        if (result.status === 'rejected' && !isCoveyError(result.reason, 'ROOM_CLOSED')) throw result.reason
      }
    }
  }
}
