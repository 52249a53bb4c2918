import { assertInteger, assertOptions, assertSignal, createEvents, decodeKey, encodeZ32, equalBytes, isCoveyError, throwIfAborted } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import type { Node } from '@covey/transport'
import { DEFAULT_JOIN_TIMEOUT_MS, MAX_TIMEOUT_MS, MAX_WANTED } from '../../constants.js'
import { RoomError } from '../../errors.js'
import type { DirectMessages, DirectMessagesEvents, RequestsFrom } from '../../people.js'
import { roleNumber } from '../../roles.js'
import type { Room } from '../../room.js'
import type { JoinOptions } from '../../rooms.js'
import { boundedBy, type Bounded } from '../bounded.js'
import { createRateLimit } from '../guards/rate-limit.js'
import { isIn, letIn, readAsked } from '../let-in.js'
import type { OpenRoom } from '../open-room.js'
import { createRounds } from '../rounds.js'
import type { Place } from '../shelf/place.js'
import { encodeStruct } from '../structs.js'
import type { BlockedDevices } from './blocked-devices.js'
import { assertPerson, type LocalContacts } from './contacts.js'
import { createDirectory, otherOf } from './direct-rooms.js'
import { createDmDevices, type DmDevice } from './dm-devices.js'
import { DM_CHANNEL, DmType, inboxTopic, isHost, personOf, soughtTag, type DmMessage, type Person } from './dm-message.js'
import { createDmRequests, DmState } from './dm-requests.js'
import { createSeeking, inTurn } from './dm-seeking.js'
import type { OwnProfile } from './own-profile.js'
import type { PeopleStore } from './people-store.js'

export interface DirectMessagesInit {
  readonly node: Node
  readonly identity: LocalIdentity
  readonly store: PeopleStore
  readonly contacts: LocalContacts
  readonly blocked: BlockedDevices
  readonly profile: OwnProfile
  readonly from: RequestsFrom
  /** All rooms, by id. */
  readonly places: ReadonlyMap<string, Place>
  /** A room, as an app has it. */
  readonly roomOf: (id: string) => Room | undefined
  /** Founds the direct room with somebody. */
  readonly found: (peer: Uint8Array) => Promise<Room>
  /** Joins that room, of these two people, by the keys that `ask` gets for a join request. */
  readonly join: (room: Uint8Array, pair: readonly [Uint8Array, Uint8Array], ask: (request: Uint8Array) => Promise<DmMessage>, bounded: Bounded) => Promise<Room>
  /** @throws {RoomError} ROOM_CLOSED */
  readonly assertOpen: () => void
}

/** How many rooms a person has us try to come into, before it is taken for play. */
const MAX_TRIED = 8
const JOIN_MS = 60_000
/** How many strangers are written down at once, and then. */
const STRANGER_RATE = { burst: 8, perSecond: 0.1 }
/** How soon those whom a device could not be asked about yet are looked at again: about as soon as it hears one more. */
const SEEK_AGAIN_MS = 2_500

/** Brings two people together in one room that is theirs; see docs/protocol.md. */
export function createDirectMessages(init: DirectMessagesInit): DirectMessages & { close(): Promise<void>; look(): void } {
  const { node, identity, store, contacts, blocked, profile, from, places, roomOf, found, join, assertOpen } = init
  const self = identity.identity.publicKey
  const events = createEvents<DirectMessagesEvents>()
  const requests = createDmRequests(store, (person) => contacts.get(person) !== undefined)
  const directory = createDirectory(self, () => places.values())
  const seeking = createSeeking(node, directory, (error) => report(error))
  const channel = node.channel(DM_CHANNEL, { peers: 'any', maxMessagesPerSecond: 16, maxBytesPerSecond: 128 * 1_024 })
  const devices = createDmDevices(channel, (error) => report(error))
  const inbox = from === 'nobody' ? undefined : node.join(inboxTopic(self))
  const strangers = createRateLimit(STRANGER_RATE)
  const tried = new Map<string, Set<string>>()
  /** Those that turned out not to be of the two. */
  const refused = new Set<string>()
  const underWay = new Map<string, Promise<unknown>>()
  /** Whoever waits for a room, and with whom. */
  const waiting = new Map<() => void, string>()
  /** Whom devices are asked about, those first whom somebody waits for. */
  let sought: readonly string[] = []
  let seekingAgain: ReturnType<typeof setTimeout> | undefined
  let isClosing = false
  let endAll: (reason: Error) => void = () => undefined
  const closed = new Promise<never>((_, reject) => (endAll = reject))
  closed.catch(() => undefined)

  const report = (error: unknown): void => {
    if (isClosing || isCoveyError(error, 'ROOM_CLOSED')) return
    const told = error instanceof RoomError ? error : new RoomError('ROOM_BROKEN', 'A direct room could not be made.', { cause: error })
    void events.emit('error', told)
  }
  const isWanted = (person: string): boolean => requests.state(person) === DmState.wanted && !contacts.isBlocked(person)

  /** Whether a device of somebody was revoked since this one was certified: it may be this one. */
  const isRevoked = async ({ epoch }: { epoch: number }, person: Uint8Array): Promise<boolean> => epoch < (await directory.minEpochOf(person))

  /** Who is wanted, and is not in a room with this device's person yet. */
  async function missing(): Promise<Map<string, Uint8Array | null | undefined>> {
    const people = new Map<string, Uint8Array | null | undefined>()
    for (const person of requests.of(DmState.wanted)) {
      if (!isWanted(person)) continue
      const own = await directory.find(person)
      const isTogether = own !== undefined && (await own.hasOther())
      if (!isTogether) people.set(person, requests.record(person)?.device)
    }
    return people
  }

  const rounds = createRounds(async () => {
    if (isClosing) return
    try {
      const people = await missing()
      const awaited = new Set(waiting.values())
      sought = inTurn([...people.keys()], awaited)
      await seeking.set(people, awaited)
      seek()
      for (const person of sought) for (const device of devices.of(person)) await approach(device, person)
    } finally {
      for (const wake of waiting.keys()) wake()
    }
  }, report)
  const look = rounds.ask

  /** Asks devices whose they are of whom nothing is known, each no faster than it listens. */
  function seek(): void {
    clearTimeout(seekingAgain)
    let isHeld = false
    for (const device of devices.all()) {
      if (device.person !== undefined) continue
      for (const person of sought) {
        if (device.sought.has(person)) continue
        const tag = soughtTag(decodeKey(person), node.publicKey, decodeKey(device.id))
        if (!device.seekRate.take() || !devices.send(device, { type: DmType.seek, sought: tag })) {
          isHeld = true
          break
        }
        device.sought.add(person)
      }
    }
    if (!isHeld || isClosing) return
    seekingAgain = setTimeout(seek, SEEK_AGAIN_MS)
    // Nobody stays for that.
    ;(seekingAgain as { unref?: () => void }).unref?.()
  }

  /** Tells a device of somebody that they are wanted. */
  async function approach(device: DmDevice, person: string): Promise<void> {
    if (device.wish === undefined) await tell(device)
    else await come(device, person)
  }

  async function tell(device: DmDevice): Promise<void> {
    const room = (await directory.find(device.person!))?.discoveryKey
    const { certificate } = identity.device
    if (!device.isTold) device.isTold = devices.send(device, { type: DmType.want, certificate, profile: profile.current().signed, room: room ?? null })
  }

  /** Both want a room, and so there is to be one: of several the first by its id, which both can tell. */
  async function come(device: DmDevice, person: string): Promise<void> {
    const own = await directory.find(person)
    const theirs = device.wish?.room
    if (theirs && (own === undefined || encodeZ32(theirs) < own.id)) return comeIn(device, person, theirs)
    if (own !== undefined) return offer(device, own)
    if (!isHost(self, decodeKey(person))) return tell(device)
    const made = await once(person, () => found(decodeKey(person)))
    if (made !== undefined) offer(device, places.get(made.id)!)
  }

  function offer(device: DmDevice, { discoveryKey: room }: Pick<Place, 'discoveryKey'>): void {
    if (device.wish?.room && equalBytes(device.wish.room, room)) return
    devices.send(device, { type: DmType.room, room })
  }

  async function comeIn(device: DmDevice, person: string, room: Uint8Array): Promise<void> {
    const id = encodeZ32(room)
    const rooms = tried.get(person) ?? new Set<string>()
    if (refused.has(id) || (rooms.size >= MAX_TRIED && !rooms.has(id)) || (await isRevoked(device, decodeKey(person)))) return
    if (underWay.has(person)) return
    tried.set(person, rooms.add(id))
    const onTimeout = (): RoomError => new RoomError('JOIN_TIMEOUT', 'The other person’s device did not let this one in.', { retryable: true })
    const bounded = boundedBy({ timeoutMs: JOIN_MS, onTimeout }, closed)
    // Not waited for: what the device answers comes after this.
    once(person, () => join(room, [self, decodeKey(person)], (request) => askForKeys(device, room, request), bounded))
      .then(look, (error: unknown) => {
        // What failed here is not tried again before something has changed: at once, it would for ever.
        if (isCoveyError(error, 'INVITE_REFUSED')) refused.add(id)
        // By the list of this person's devices: when it is in, that is looked at.
        if (isCoveyError(error, 'JOIN_IN_PROGRESS')) return
        if (!isCoveyError(error, 'JOIN_TIMEOUT')) return report(error)
        device.isTold = false
        look()
      })
  }

  function askForKeys(device: DmDevice, room: Uint8Array, request: Uint8Array): Promise<DmMessage> {
    return new Promise((resolve, reject) => {
      device.asked.set(encodeZ32(room), { resolve, reject })
      devices.send(device, { type: DmType.join, room, request })
    })
  }

  async function once<Value>(person: string, work: () => Promise<Value>): Promise<Value | undefined> {
    if (underWay.has(person)) return undefined
    const doing = work()
    underWay.set(person, doing)
    return doing.finally(() => underWay.delete(person))
  }

  async function hear(device: DmDevice, message: DmMessage): Promise<void> {
    const key = decodeKey(device.id)
    switch (message.type) {
      case DmType.seek: {
        const isForUs = message.sought && equalBytes(message.sought, soughtTag(self, key, node.publicKey))
        const isHere = from !== 'nobody' || requests.of(DmState.wanted).length > 0
        if (isForUs && isHere) devices.send(device, { type: DmType.here, certificate: identity.device.certificate })
        return
      }
      case DmType.here:
      case DmType.want: {
        const person = personOf(message.certificate, key)
        if (person === undefined || equalBytes(person.key, self) || blocked.met(key, person.id)) return
        if (await isRevoked(person, person.key)) return
        device.person = person.id
        device.epoch = person.epoch
        if (message.type === DmType.want) await want(device, person, message)
        else if (isWanted(person.id)) await approach(device, person.id)
        return
      }
      case DmType.room:
        if (message.room && device.person !== undefined && isWanted(device.person)) {
          const own = await directory.find(device.person)
          if (own === undefined || encodeZ32(message.room) < own.id) await comeIn(device, device.person, message.room)
        }
        return
      case DmType.join:
        if (message.room && message.request && device.person !== undefined) await admit(device, message.room, message.request)
        return
      case DmType.key:
        if (message.room) device.asked.get(encodeZ32(message.room))?.resolve(message)
        return
      default:
      // Of a later version.
    }
  }

  async function want(device: DmDevice, { id, key }: Person, { profile: shown, room }: DmMessage): Promise<void> {
    device.wish = { room }
    if (isWanted(id)) return come(device, id)
    if (from === 'nobody' || requests.state(id) === DmState.declined) return
    const isKnown = contacts.get(id) !== undefined || (await directory.shares(key))
    if (!isKnown && (from === 'known' || !strangers.take())) return
    const asked = await requests.ask(id, { device: decodeKey(device.id), profile: shown ?? null }, isKnown)
    if (asked !== undefined) void events.emit('request', asked)
  }

  /** Lets a device of the other person into their room, by either device that is in. */
  async function admit(device: DmDevice, room: Uint8Array, request: Uint8Array): Promise<void> {
    const person = device.person!
    const place = places.get(encodeZ32(room))
    const asked = readAsked(room, request, {}, Date.now())
    if (place === undefined || asked === undefined || !isWanted(person)) return
    const { claimant } = asked
    if (encodeZ32(claimant.identity) !== person || encodeZ32(claimant.device) !== device.id) return
    if (await isRevoked(claimant, claimant.identity)) return
    await place.use((own) => letInto(own, device, asked))
  }

  async function letInto(own: OpenRoom, device: DmDevice, asked: NonNullable<ReturnType<typeof readAsked>>): Promise<void> {
    const other = otherOf(await own.view.room(), self)
    if (other === undefined || encodeZ32(other) !== device.person || !(await own.isAdmitted())) return
    const { claimant, writer } = asked
    const payload = encodeStruct('admit', { request: asked.request, role: roleNumber('owner') })
    if (!(await isIn(own.view, writer)) && !(await letIn(own, { writer, box: claimant.box }, { type: 'admit', payload }))) return
    const { key, encryptionKey, discoveryKey: room } = own.base
    devices.send(device, { type: DmType.key, room: room!, key: key!, encryptionKey: encryptionKey! })
  }

  async function listen(): Promise<void> {
    for await (const { peer, message } of channel.messages()) {
      // Said before it went, and of nobody any more.
      if (!channel.peers.includes(peer)) continue
      const device = devices.get(peer)
      if (!device.rate.take()) continue
      device.turn = device.turn.then(() => hear(device, message)).catch(report)
    }
  }

  async function reach(id: string, { timeoutMs = DEFAULT_JOIN_TIMEOUT_MS, signal }: JoinOptions): Promise<Room> {
    if (contacts.isBlocked(id)) throw new RoomError('PERSON_BLOCKED', 'This person is blocked.', { hint: 'Unblock them first.' })
    const known = await directory.find(id)
    if (requests.state(id) !== DmState.wanted) {
      if (known === undefined && (await missing()).size >= MAX_WANTED) {
        throw new RoomError('TOO_MANY_PEOPLE', `${MAX_WANTED} people have been asked, and have not answered.`, { hint: 'Decline one of them.' })
      }
      await requests.set(id, DmState.wanted)
    }
    if (known !== undefined) return roomOf(known.id)!
    const bounded = boundedBy({ timeoutMs, ...(signal && { signal }), onTimeout: () => notAccepted() }, closed)
    let wake = (): void => undefined
    const woken = (): void => wake()
    waiting.set(woken, id)
    look()
    try {
      for (;;) {
        assertOpen()
        const changed = new Promise<void>((resolve) => (wake = resolve))
        const opened = await directory.find(id)
        if (opened !== undefined) return roomOf(opened.id)!
        await bounded(changed)
      }
    } finally {
      waiting.delete(woken)
    }
  }

  async function openWith(id: string, options: JoinOptions = {}): Promise<Room> {
    assertPerson(id, identity.identity.id)
    assertOptions(options, 'options', ['timeoutMs', 'signal'])
    if (options.timeoutMs !== undefined) assertInteger(options.timeoutMs, 'options.timeoutMs', { min: 1, max: MAX_TIMEOUT_MS })
    assertSignal(options.signal, 'options.signal')
    throwIfAborted(options.signal)
    assertOpen()
    return reach(id, options)
  }

  const stops = [
    channel.on('open', ({ peer }) => {
      devices.get(peer)
      look()
    }),
    channel.on('close', ({ peer }) => {
      devices.forget(peer, new RoomError('JOIN_TIMEOUT', 'The other person’s device has gone.', { retryable: true }))
    })
  ]
  // What a stranger breaks is between them and the channel, which has refused them by now.
  channel.on('error', () => undefined)
  contacts.onblock(look)
  listen().catch(report)
  look()

  return {
    open: openWith,
    requests: () => requests.list().filter(({ id }) => !contacts.isBlocked(id)),
    async accept(id, options) {
      if (requests.state(id) === DmState.asked) return openWith(id, options)
      throw new RoomError('JOIN_REQUEST_NOT_FOUND', 'Nobody of this id waits for a direct room.', { hint: 'requests() lists those who do.' })
    },
    async decline(id) {
      decodeKey(id, 'id')
      const state = requests.state(id)
      if (state === DmState.asked) await requests.set(id, DmState.declined)
      else if (state === DmState.wanted && (await directory.find(id)) === undefined) await requests.forget(id)
      look()
    },
    on: events.on.bind(events),
    once: events.once.bind(events),
    look,
    async close() {
      isClosing = true
      for (const stop of stops) stop()
      clearTimeout(seekingAgain)
      for (const wake of waiting.keys()) wake()
      endAll(new RoomError('ROOM_CLOSED', 'The rooms of this peer are closed.'))
      await channel.close()
      await rounds.settled()
      await Promise.all([seeking.close(), inbox?.close()])
      await Promise.allSettled(underWay.values())
    }
  }
}

function notAccepted(): RoomError {
  return new RoomError('JOIN_TIMEOUT', 'The other person has not accepted, or could not be met, in time.', {
    retryable: true,
    hint: 'They are asked again whenever both are there; call again later.'
  })
}
