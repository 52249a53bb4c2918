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
import { DEFAULT_JOIN_TIMEOUT_MS, MAX_NAME_BYTES, MAX_TIMEOUT_MS } from './constants.js'
import { RoomError } from './errors.js'
import { createAdmission } from './internal/admission.js'
import { KEY_BYTES, randomBytes } from './internal/crypto.js'
import { foundRoom } from './internal/found-room.js'
import { boundedBy } from './internal/bounded.js'
import { hintDevices } from './internal/hint-devices.js'
import { createJoining } from './internal/joining.js'
import { createLane } from './internal/lane/lane.js'
import { openRoom, type OpenRoom } from './internal/open-room.js'
import { expiredError } from './internal/pairing.js'
import { guardPairing } from './internal/guards/guard-pairing.js'
import { assertUpstream } from './internal/guards/upstream.js'
import { assertRules } from './internal/rule-setting.js'
import { createBlockedDevices } from './internal/people/blocked-devices.js'
import { createContacts } from './internal/people/contacts.js'
import { createDirectMessages } from './internal/people/direct-messages.js'
import { createOwnProfile, plain } from './internal/people/own-profile.js'
import { openPeopleStore } from './internal/people/people-store.js'
import { openRecords } from './internal/records.js'
import { registerParts } from './internal/rooms-parts.js'
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
  /** Who may ask for a direct room. Default `anyone`. */
  readonly requestsFrom?: RequestsFrom
  /** Gives what each room is to have beside its own, before anybody is given the room. Default: nothing. */
  readonly extend?: (room: Room) => Extension
}

/**
 * Opens the rooms of a node, and lets others in who come with an invite. Rooms that do not open are
 * reported by the `error` event and left as they are on disk.
 */
export async function createRooms<Extension extends object = object>(init: RoomsInit<Extension>): Promise<Rooms<Room & Extension>> {
  type Extended = Room & Extension
  assertOptions(init, 'init', ['identity', 'node', 'presence', 'extend', 'requestsFrom'])
  const { identity, node, presence = true, extend, requestsFrom = 'anyone' } = init
  if (typeof presence !== 'boolean') throw new TypeError('init.presence must be true or false')
  if (!['anyone', 'known', 'nobody'].includes(requestsFrom)) throw new TypeError('init.requestsFrom must be "anyone", "known" or "nobody"')
  if (extend !== undefined) assertFunction(extend, 'init.extend')
  const parts = partsOf(node)
  const corestore = parts.corestore as Corestore
  const { meetingPlace, hint } = parts
  assertUpstream('autobase', 'hyperbee', 'hypercore', 'blind-pairing', 'blind-pairing-core')
  const unread: unknown[] = []
  const store = await openPeopleStore(corestore, identity, unread)
  const profile = createOwnProfile(identity, store)
  const contacts = createContacts(store, identity)
  const { isBlocked } = contacts
  const stack = { corestore, wakeup: parts.wakeup as ProtomuxWakeup, identity, meetingPlace, profile, isBlocked }
  const records = await openRecords(corestore, identity)
  const pairing = new BlindPairing(parts.sessionSwarm as ConstructorParameters<typeof BlindPairing>[0])
  guardPairing(pairing)
  const events = createEvents<RoomsEvents<Extended>>()
  const open = new Map<string, OpenRoom & { readonly room: Extended }>()
  const joining = new Set<string>()
  const pending = new Set<Promise<Room>>()
  let closing: Promise<void> | undefined

  const report = (message: string) => (cause: unknown) =>
    void events.emit(
      'error',
      isCoveyError(cause) && cause instanceof RoomError ? cause : new RoomError('ROOM_BROKEN', message, { cause })
    )

  const reportUnblocked = report('The devices of somebody who is blocked could not be looked for.')
  const blocked = createBlockedDevices(node, contacts, () => open.values(), reportUnblocked)
  contacts.onblock(() => {
    for (const opened of open.values()) opened.showAnew()
  })

  /** Puts an opened room on the network and into the list. */
  function enter(opened: OpenRoom): Extended {
    const { base } = opened
    const room = Object.assign(opened.room, extend?.(opened.room) as Extension)
    const topic = node.join(base.discoveryKey!)
    const self = identity.identity.publicKey
    const admission = createAdmission(pairing, opened, self, report('Somebody could not be let in.'))
    const lane = createLane(node, opened, identity, report('A message that came ahead of the log could not be shown.'))
    const look = (): void => void blocked.look(opened).catch((error: unknown) => open.has(room.id) && reportUnblocked(error))
    opened.onpeople(look)
    look()
    room.on('close', async () => {
      open.delete(room.id)
      await Promise.all([admission.close(), lane.close(), topic.close()])
    })
    open.set(room.id, Object.assign(opened, { room }))
    directMessages?.look()
    opened.onpeople(() => directMessages?.look())
    void events.emit('open', { room })
    if (node.peers.length > 0) lookForNews(opened)
    return room
  }

  const reportUnheard = report('The devices of a room could not be asked for news.')
  /** What was announced while this device was away, or before it knew the writer, is not announced again. */
  function lookForNews(opened: OpenRoom): void {
    hintDevices(opened).catch((error: unknown) => open.has(opened.room.id) && reportUnheard(error))
  }

  function assertOpen(): void {
    if (closing === undefined) return
    throw new RoomError('ROOM_CLOSED', 'The rooms of this peer are closed.', { hint: 'Open a new peer.' })
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

  /** Opens a room, so that closing waits for it; what is closed beneath it fails in its own words. */
  async function opening(work: () => Promise<Room>): Promise<Extended> {
    assertOpen()
    const started = work()
    pending.add(started)
    try {
      // It went through `enter`.
      return (await started) as Extended
    } catch (error) {
      assertOpen()
      throw error
    } finally {
      pending.delete(started)
    }
  }

  const { join, joinDirect } = createJoining({ node, hint, pairing, stack, records, open, enter, assertOpen, report })

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
    open,
    found: (peer) => opening(() => create({ name: '', history: 'full' }, peer)),
    join: (room, pair, ask, bounded) => opening(() => joinDirect(room, pair, ask, bounded)),
    assertOpen,
    onerror: report('A direct room could not be made.')
  })

  const close = (): Promise<void> =>
    (closing ??= (async () => {
      stopListening()
      await directMessages?.close()
      await pairing.close()
      await Promise.all([...open.values()].map(({ room }) => room.close()))
      await Promise.allSettled(pending)
      await Promise.all([...open.values()].map(({ room }) => room.close()))
      await Promise.all([records.close(), store.close()])
    })())

  const stopListening = node.on('connect', () => open.forEach(lookForNews))

  const reportUnopened = report('A room could not be opened.')
  const opened: OpenRoom[] = []
  const unopened: unknown[] = []
  for (const { key, namespace, personal } of await records.all(unopened)) {
    if (!key || personal) continue
    await openRoom({ ...stack, namespace, key }).then(
      (room) => opened.push(room),
      (error: unknown) => unopened.push(error)
    )
  }
  for (const room of opened) enter(room)
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
      assertOptions(options, 'options', ['timeoutMs', 'signal'])
      const { timeoutMs = DEFAULT_JOIN_TIMEOUT_MS, signal } = options
      assertInteger(timeoutMs, 'options.timeoutMs', { min: 1, max: MAX_TIMEOUT_MS })
      assertSignal(signal, 'options.signal')
      const invite = decodeInvite(text)
      throwIfAborted(signal)
      assertOpen()
      // What waits for approval may wait for longer than the invite lasts: the room knows.
      if (invite.expiresAt && !invite.approval && Date.now() >= invite.expiresAt) throw expiredError()
      const id = encodeZ32(invite.discoveryKey)
      if (joining.has(id)) {
        throw new RoomError('JOIN_IN_PROGRESS', 'This peer is joining that room already.', { retryable: true })
      }
      joining.add(id)
      try {
        const onTimeout = (): RoomError => joinTimeout(invite)
        return await opening(() => join(invite, boundedBy({ timeoutMs, signal, onTimeout })))
      } finally {
        joining.delete(id)
      }
    },
    get: (id) => open.get(id)?.room,
    list: () => [...open.values()].map(({ room }) => room),
    on: events.on.bind(events),
    once: events.once.bind(events),
    close,
    [Symbol.asyncDispose]: close
  }
  registerParts(rooms, { node, stack, records, open, joining, assertOpen, enter, onopen: (listener) => events.on('open', ({ room }) => listener(open.get(room.id)!)) })
  return rooms
}

function joinTimeout({ approval }: InviteLink): RoomError {
  return new RoomError('JOIN_TIMEOUT', 'Nobody answered who could let this device in.', {
    retryable: true,
    hint: approval
      ? 'A moderator has to approve; join again later with the same invite, under which this device waits.'
      : 'Somebody of the room has to be online; then use the same invite again.'
  })
}
