import BlindPairing from 'blind-pairing'
import type Corestore from 'corestore'
import type ProtomuxWakeup from 'protomux-wakeup'
import {
  assertFunction,
  assertInteger,
  assertOptions,
  assertSignal,
  assertString,
  createEvents,
  encodeZ32,
  isCoveyError,
  raceSignal,
  throwIfAborted
} from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import type { Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { DEFAULT_JOIN_TIMEOUT_MS, DEFAULT_OPEN_ROOMS, MAX_NAME_BYTES, MAX_TIMEOUT_MS } from './constants.js'
import { RoomError } from './errors.js'
import { KEY_BYTES, randomBytes } from './internal/crypto.js'
import { foundRoom } from './internal/found-room.js'
import { boundedBy } from './internal/bounded.js'
import { hintDevices } from './internal/hint-devices.js'
import { importFile } from './internal/bundle/import-file.js'
import { createJoining } from './internal/joining.js'
import { openRoom, type OpenRoom } from './internal/open-room.js'
import { expiredError } from './internal/pairing.js'
import { guardStore } from './internal/guards/guard-core.js'
import { guardPairing } from './internal/guards/guard-pairing.js'
import { assertUpstream } from './internal/guards/upstream.js'
import { assertRules } from './internal/rule-setting.js'
import { takeLeave } from './internal/take-leave.js'
import { createBlockedDevices, type KnownDevice } from './internal/people/blocked-devices.js'
import { createContacts } from './internal/people/contacts.js'
import { createDirectMessages } from './internal/people/direct-messages.js'
import { createOwnProfile, plain } from './internal/people/own-profile.js'
import { openPeopleStore } from './internal/people/people-store.js'
import { openRecords } from './internal/records.js'
import { registerParts } from './internal/rooms-parts.js'
import { keepRooms, type KeepRoomsInit } from './internal/shelf/keep-rooms.js'
import type { Place } from './internal/shelf/place.js'
import { decodeInvite, type InviteLink } from './invite.js'
import type { DirectMessages, RequestsFrom } from './people.js'
import type { Room } from './room.js'
import type { CreateRoomInit, Rooms, RoomsEvents } from './rooms.js'

/** What {@link createRooms} needs. */
export interface RoomsInit<Extension extends object = object> {
  /** Whose rooms they are: the identity that the node was made with. */
  readonly identity: LocalIdentity
  readonly node: Node
  /** Whether members of its rooms are told that this peer is there, and when its person types, and it is told of them. Default `true`. */
  readonly presence?: boolean
  /** Whether members of its rooms are told how far this person has read. Default `false`. */
  readonly readReceipts?: boolean
  /** Who may ask for a direct room. Default `anyone`. */
  readonly requestsFrom?: RequestsFrom
  /** How many rooms are open at a time, but for those that the app keeps open. Default {@link DEFAULT_OPEN_ROOMS}. */
  readonly maxOpenRooms?: number
  /** Gives what each room is to have beside its own, before anybody is given the room. Default: nothing. */
  readonly extend?: (room: Room) => Extension
}

/**
 * Gives the rooms of a node, which are opened as they are used or hear news, and lets others in who come with an
 * invite. Rooms that do not open are reported by the `error` event and left as they are on disk.
 */
export async function createRooms<Extension extends object = object>(init: RoomsInit<Extension>): Promise<Rooms<Room & Extension>> {
  type Extended = Room & Extension
  assertOptions(init, 'init', ['identity', 'node', 'presence', 'readReceipts', 'maxOpenRooms', 'extend', 'requestsFrom'])
  const { identity, node, presence = true, readReceipts = false, maxOpenRooms = DEFAULT_OPEN_ROOMS, extend, requestsFrom = 'anyone' } = init
  if (typeof presence !== 'boolean') throw new TypeError('init.presence must be true or false')
  if (typeof readReceipts !== 'boolean') throw new TypeError('init.readReceipts must be true or false')
  if (!['anyone', 'known', 'nobody'].includes(requestsFrom)) throw new TypeError('init.requestsFrom must be "anyone", "known" or "nobody"')
  assertInteger(maxOpenRooms, 'init.maxOpenRooms', { min: 1 })
  if (extend !== undefined) assertFunction(extend, 'init.extend')
  const parts = partsOf(node)
  const corestore = parts.corestore as Corestore
  const { meetingPlace, hint } = parts
  assertUpstream('autobase', 'hyperbee', 'hypercore', 'blind-pairing', 'blind-pairing-core')
  // Peers are given what is on the disk from now on, of rooms that are asleep too.
  guardStore(corestore)
  const unread: unknown[] = []
  const store = await openPeopleStore(corestore, identity, unread)
  const profile = createOwnProfile(identity, store)
  const contacts = createContacts(store, identity)
  const { isBlocked } = contacts
  const stack = { corestore, wakeup: parts.wakeup as ProtomuxWakeup, identity, meetingPlace, profile, isBlocked, presence, readReceipts }
  const records = await openRecords(corestore, identity)
  const pairing = new BlindPairing(parts.sessionSwarm as ConstructorParameters<typeof BlindPairing>[0])
  guardPairing(pairing)
  const events = createEvents<RoomsEvents<Extended>>()
  /** The rooms that are being joined, or left, by id. */
  const joining = new Set<string>()
  const leaving = new Map<string, Promise<void>>()
  const pending = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined
  let endJoins: (reason: RoomError) => void = () => undefined
  const closed = new Promise<never>((_, reject) => (endJoins = reject))
  closed.catch(() => undefined)

  const report = (message: string) => (cause: unknown) =>
    void events.emit(
      'error',
      isCoveyError(cause) && cause instanceof RoomError ? cause : new RoomError('ROOM_BROKEN', message, { cause })
    )

  const keeping = keepRooms<Extended>({
    node,
    stack,
    records,
    pairing,
    sessions: parts.sessionSwarm as KeepRoomsInit<Extended>['sessions'],
    maxOpen: maxOpenRooms,
    extend: (room) => Object.assign(room, extend?.(room) as Extension),
    onopen: opened,
    report
  })
  const { open, places } = keeping
  const asleep = (): KnownDevice[] => [...places.values()].flatMap(({ note }) => note?.devices ?? [])
  const reportUnblocked = report('The devices of somebody who is blocked could not be looked for.')
  const blocked = createBlockedDevices(node, contacts, () => open.values(), asleep, reportUnblocked)
  contacts.onblock(() => {
    for (const room of open.values()) room.showAnew()
    // Of those that are falling asleep at this moment, neither says who is in it.
    for (const { opened: isOpen, note, use } of places.values()) if (!isOpen && !note) use(blocked.look).catch((error: unknown) => isCoveyError(error, 'ROOM_CLOSED') || reportUnblocked(error))
  })

  /** Sees to a room whenever it is opened. */
  function opened(room: OpenRoom): void {
    const look = (): void => void blocked.look(room).catch((error: unknown) => open.has(room.room.id) && reportUnblocked(error))
    room.onpeople(look)
    look()
    room.onpeople(() => directMessages?.look())
    directMessages?.look()
    if (node.peers.length > 0) lookForNews(room)
  }

  /** Puts an opened room on the network and into the list. */
  function enter(made: OpenRoom): Extended {
    const room = keeping.enter(made)
    void events.emit('open', { room })
    return room
  }

  /** Those in which news is to be looked for, when it is calm there. */
  const looking = new WeakSet<OpenRoom>()
  const reportUnheard = report('The devices of a room could not be asked for news.')
  /** What was announced while this device was away, or before it knew the writer, is not announced again. */
  function lookForNews(opened: OpenRoom): void {
    if (looking.has(opened)) return
    looking.add(opened)
    const looked = opened.viewKeeper.calm().then(() => {
      looking.delete(opened)
      return hintDevices(opened)
    })
    looked.catch((error: unknown) => open.get(opened.room.id) === opened && reportUnheard(error))
  }

  function assertOpen(): void {
    if (closing !== undefined) throw closedError()
  }

  async function create({ name, history = 'full', rules }: CreateRoomInit, peer?: Uint8Array): Promise<Extended> {
    const namespace = randomBytes(KEY_BYTES)
    const opened = await openRoom({ ...stack, namespace, encryptionKey: randomBytes(KEY_BYTES) })
    try {
      await foundRoom(opened, identity, { name, history, rules, ...(peer && { peer }) })
      const { key, discoveryKey } = opened.base
      await records.put({ namespace, key: key!, discoveryKey: discoveryKey! })
      assertOpen()
    } catch (error) {
      await opened.room.close()
      throw error
    }
    return enter(opened)
  }

  /** Opens or leaves a room, so that closing waits for it; what is closed beneath it fails in its own words. */
  async function opening<Value>(work: () => Promise<Value>): Promise<Value> {
    assertOpen()
    const started = work()
    pending.add(started)
    try {
      return await started
    } catch (error) {
      assertOpen()
      throw error
    } finally {
      pending.delete(started)
    }
  }

  const { join, joinDirect } = createJoining({ node, hint, pairing, stack, records, open, enter, pin: (id) => places.get(id)?.pin() ?? (() => undefined), assertOpen, report })

  /**
   * Joins, with the room open if it is one of the list, and nothing else joins it meanwhile: its log is open once. Gives the
   * room as an app has it.
   */
  async function joinAs(id: string, work: () => Promise<Room>): Promise<Extended> {
    if (joining.has(id)) throw joinInProgress()
    joining.add(id)
    let held: Awaited<ReturnType<Place['hold']>> | undefined
    try {
      await keeping.stay(id)
      held = await places.get(id)?.hold()
      return keeping.roomOf((await work()).id)!
    } finally {
      held?.release()
      joining.delete(id)
    }
  }

  async function leave(place: Place): Promise<void> {
    const { id } = place
    if (joining.has(id)) throw joinInProgress()
    // Nothing brings it back meanwhile.
    joining.add(id)
    try {
      const isTold = await place.use((opened) => takeLeave(opened, identity.identity.publicKey))
      await keeping.leave(place, isTold)
    } finally {
      joining.delete(id)
    }
    void events.emit('leave', { id })
  }

  function leaveOnce(place: Place): Promise<void> {
    const known = leaving.get(place.id)
    if (known !== undefined) return known
    const left = leave(place).finally(() => leaving.delete(place.id))
    leaving.set(place.id, left)
    return left
  }

  /** There as soon as the rooms are. */
  let directMessages = undefined as ReturnType<typeof createDirectMessages> | undefined
  const startDirectMessages = (): ReturnType<typeof createDirectMessages> => createDirectMessages({
    node,
    identity,
    store,
    contacts,
    blocked,
    profile,
    from: requestsFrom,
    places,
    roomOf: keeping.roomOf,
    found: (peer) => opening(() => create({ name: '', history: 'full' }, peer)),
    join: (room, pair, ask, bounded) => opening(() => joinAs(encodeZ32(room), () => joinDirect(room, pair, ask, bounded))),
    assertOpen
  })

  const close = (): Promise<void> =>
    (closing ??= (async () => {
      stopListening()
      endJoins(closedError())
      await directMessages?.close()
      await pairing.close()
      await keeping.close()
      await Promise.allSettled(pending)
      await keeping.close()
      await Promise.all([records.close(), store.close()])
    })())

  const stopListening = node.on('connect', () => open.forEach(lookForNews))

  const reportUnopened = report('A room could not be opened.')
  const unopened: unknown[] = []
  for (const record of await records.all(unopened)) {
    if (!record.personal) await keeping.find(record)
  }
  blocked.lookAt(asleep())
  // Not before: what is there already is not to be made again.
  directMessages = startDirectMessages()
  // When whoever waits for the rooms has had the time to listen.
  setTimeout(() => unopened.forEach(reportUnopened), 0)
  const reportUnread = report('What this device keeps of a person could not be read.')
  setTimeout(() => unread.forEach(reportUnread), 0)

  const rooms: Rooms<Extended> = {
    profile: { get: () => plain(profile.current().profile), set: profile.set },
    contacts,
    // What they open went through `enter`.
    directMessages: directMessages as unknown as DirectMessages<Extended>,
    async create(init) {
      assertOptions(init, 'init', ['name', 'history', 'rules', 'signal'])
      assertString(init.name, 'init.name', { minLength: 1, maxBytes: MAX_NAME_BYTES })
      if (init.history !== undefined && init.history !== 'full' && init.history !== 'since-join') {
        throw new TypeError('init.history must be "full" or "since-join"')
      }
      if (init.rules !== undefined) assertRules(init.rules, 'init.rules')
      assertSignal(init.signal, 'init.signal')
      throwIfAborted(init.signal)
      return raceSignal(
        opening(() => create(init)),
        init.signal
      )
    },
    async join(text, options = {}) {
      assertOptions(options, 'options', ['timeoutMs', 'onPreview', 'signal'])
      const { timeoutMs = DEFAULT_JOIN_TIMEOUT_MS, onPreview, signal } = options
      if (onPreview !== undefined) assertFunction(onPreview, 'options.onPreview')
      assertInteger(timeoutMs, 'options.timeoutMs', { min: 1, max: MAX_TIMEOUT_MS })
      assertSignal(signal, 'options.signal')
      const invite = decodeInvite(text)
      throwIfAborted(signal)
      assertOpen()
      // What waits for approval may wait for longer than the invite lasts: the room knows.
      if (invite.expiresAt && !invite.approval && Date.now() >= invite.expiresAt) throw expiredError()
      const onTimeout = (): RoomError => joinTimeout(invite)
      return opening(() => joinAs(encodeZ32(invite.discoveryKey), () => join(invite, boundedBy({ timeoutMs, signal, onTimeout }, closed), onPreview)))
    },
    async importBundle(path, options = {}) {
      assertString(path, 'path', { minLength: 1 })
      assertOptions(options, 'options', ['signal'])
      assertSignal(options.signal, 'options.signal')
      throwIfAborted(options.signal)
      assertOpen()
      const present = new Map([...places].filter(([each]) => keeping.roomOf(each) !== undefined))
      const { id, ...imported } = await importFile(path, present, options.signal)
      return { room: keeping.roomOf(id)!, ...imported }
    },
    async leave(id, options = {}) {
      assertString(id, 'id')
      assertOptions(options, 'options', ['signal'])
      assertSignal(options.signal, 'options.signal')
      throwIfAborted(options.signal)
      assertOpen()
      if (keeping.roomOf(id) === undefined) throw new RoomError('ROOM_NOT_FOUND', 'This peer is in no such room.', { hint: 'list() gives those there are.' })
      await raceSignal(opening(() => leaveOnce(places.get(id)!)), options.signal)
    },
    get: keeping.roomOf,
    list: keeping.rooms,
    on: events.on.bind(events),
    once: events.once.bind(events),
    close,
    [Symbol.asyncDispose]: close
  }
  registerParts(rooms, { node, stack, records, contacts, open, places, joining, assertOpen, enter, onopen: keeping.onopen })
  return rooms
}

function closedError(): RoomError {
  return new RoomError('ROOM_CLOSED', 'The rooms of this peer are closed.', { hint: 'Open a new peer.' })
}

function joinInProgress(): RoomError {
  return new RoomError('JOIN_IN_PROGRESS', 'This peer is joining or leaving that room already.', { retryable: true })
}

function joinTimeout({ approval }: InviteLink): RoomError {
  return new RoomError('JOIN_TIMEOUT', 'Nobody answered who could let this device in.', {
    retryable: true,
    hint: approval
      ? 'A moderator has to approve; join again later with the same invite, under which this device waits.'
      : 'Somebody of the room has to be online; then use the same invite again.'
  })
}
