import type Autobase from 'autobase'
import type Corestore from 'corestore'
import type ProtomuxWakeup from 'protomux-wakeup'
import { assertOptions, createEvents, encodeZ32, raceSignal, throwIfAborted, withTimeout } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { RoomError } from '../errors.js'
import type { Room, RoomEvents } from '../room.js'
import { isFrozen } from './guards/guard-core.js'
import { ownForkError } from './guards/frozen-error.js'
import { applyOps, type Touched } from './apply.js'
import { leastRole } from './authority/rules.js'
import { hasVoice } from './authority/voices.js'
import { createAttendance, type Attendance } from './attendance.js'
import { brokenError } from './broken-error.js'
import { createEpochKeeper } from './epoch-keeper.js'
import { createEpochKeys, type EpochKeys } from './epoch-keys.js'
import { createForkReports } from './fork-reports.js'
import { createGoverning } from './governing.js'
import { createJoinRequests, type JoinRequests } from './join-requests.js'
import { createViewKeeper, type ViewKeeper } from './keep-view.js'
import { createKeyRequests } from './key-requests.js'
import { createIndexerKeeper } from './keep-indexers.js'
import { createKeyring, HISTORY, type Keyring } from './keyring.js'
import { createMessageChanges } from './message-changes.js'
import { opId } from './op.js'
import { createMessageFinder } from './find-message.js'
import { createOpLog, type OpLog } from './op-log.js'
import { createRoomBase, readyBase, roomStore } from './open-base.js'
import { openOutbox } from './outbox.js'
import { createOwnRole, forbidden } from './own-role.js'
import { createOwnVoice } from './own-voice.js'
import { otherOf } from './people/direct-rooms.js'
import { createOwnProfile, type OwnProfile } from './people/own-profile.js'
import { createProfileTeller, type ProfileTeller } from './people/tell-profile.js'
import { createPendingMessages, type PendingMessage, type PendingMessages } from './pending-messages.js'
import { createPresence, type Presence } from './presence.js'
import { createReadMarks } from './read-marks.js'
import { createReceipts } from './receipts.js'
import { createReader, type Reader } from './reader.js'
import { createRoster, type Roster } from './roster.js'
import { createRoomBundles } from './bundle/room-bundles.js'
import { createRoomCollections } from './room-collections.js'
import { createHealthWatch, type HealthWatch } from './room-health.js'
import { createRoomInvites } from './room-invites.js'
import { createRoomMessages } from './room-messages.js'
import { describeFlood } from './describe-flood.js'
import { createRoomSearch } from './search/room-search.js'
import { createRoomTimeline } from './room-timeline.js'
import { rulesOf } from './room-rules.js'
import { tellGuarded } from './tell-guarded.js'
import { createUntil, type Until } from './until.js'
import { createTimeline } from './timeline.js'
import type { EpochRow, RoomView } from './view.js'
import { openWriterCore } from './writer-core.js'

export interface OpenRoomInit {
  readonly corestore: Corestore
  readonly wakeup: ProtomuxWakeup
  readonly identity: LocalIdentity
  /** Where in the store the room's cores are; random, and of this device alone. */
  readonly namespace: Uint8Array
  /** The key of the room's first writer. Absent: this device founds the room. */
  readonly key?: Uint8Array
  /** K0, where it is not known on disk yet. */
  readonly encryptionKey?: Uint8Array
  /** What this device's person says of themselves. Default: their name. */
  readonly profile?: OwnProfile
  /** Whether what somebody writes, by the id of their identity, is not to be shown. Default: nobody's. */
  readonly isBlocked?: (identity: string) => boolean
  /** What invites say of where this device can be met. Default: nothing. */
  readonly meetingPlace?: Uint8Array | null
  /** Whether members are told that this peer is there, and it is told of them. Default: yes. */
  readonly presence?: boolean
  /** Whether members are told how far this person has read. Default: no. */
  readonly readReceipts?: boolean
  /** Which devices are there, also while the room is asleep. Default: those that are met while it is open. */
  readonly attendance?: Attendance
  /** The epochs that this device has written under, by id, which are kept while the room is asleep. Default: none yet. */
  readonly epochs?: Map<string, EpochRow>
  /** Called when it cannot go on, also while it is being opened: then opening fails with whatever was closed beneath it. */
  readonly onbroken?: (error: RoomError) => void
}

/** How long closing waits for the log to have what was sent; the rest is written when the room is opened again. */
const SETTLE_MS = 1_000

/** A room, and what its own package does with it. */
export interface OpenRoom {
  readonly room: Room
  readonly base: Autobase<RoomView>
  readonly view: RoomView
  readonly log: OpLog
  readonly roster: Roster
  readonly viewKeeper: Pick<ViewKeeper, 'isCalm' | 'calm' | 'oncalm'>
  readonly keyring: Keyring
  readonly epochKeys: EpochKeys
  readonly joinRequests: JoinRequests
  readonly reader: Reader
  readonly profile: OwnProfile
  readonly teller: ProfileTeller
  readonly pending: PendingMessages
  readonly presence: Presence
  readonly health: HealthWatch
  readonly attendance: Attendance
  readonly epochs: Map<string, EpochRow>
  /** Calls back with each message of this device that is durable and not in the log yet. */
  onpost(listener: (message: PendingMessage) => void): () => void
  /** What may be shown of the room may be other, though the room is not. */
  showAnew(): void
  /** Calls back when members or devices may be others. */
  onpeople(listener: () => void): () => void
  /** Calls back with the lowest order at which the log has other messages than before. */
  onlog(listener: (order: number) => void): () => void
  /** Calls back with the last message that this device's person has read, when that is another. */
  onread(listener: (message: Uint8Array) => void): () => void
  /** Whether this device is in the room, and may write, unless it is a reader's in a broadcast room. */
  isAdmitted(): Promise<boolean>
  /** Whether it may write. */
  mayWrite(): Promise<boolean>
  /** Whether this device has the key in use; it asks for it, where it may have it. */
  hasKey(): Promise<boolean>
  /** Whether something is under way that closing puts off; once it is closed, whether something is left to be sent. */
  isBusy(): boolean
  readonly until: Until
}

/** Does some work on an open room; whatever goes wrong when it is closed is `ROOM_CLOSED`. */
export type WhileOpen = <Value>(work: () => Promise<Value>) => Promise<Value>

export async function openRoom(init: OpenRoomInit): Promise<OpenRoom> {
  const { corestore, identity, namespace, meetingPlace = null, profile = createOwnProfile(identity), isBlocked = () => false, presence: isWanted = true, readReceipts = false, attendance = createAttendance(), epochs = new Map() } = init
  const events = createEvents<RoomEvents>()
  const touched: Touched = { order: Infinity, people: false, changed: new Set(), flight: new Map() }

  const forks = createForkReports()
  const health = createHealthWatch()
  const { keyPair } = await openWriterCore(roomStore(corestore, namespace), identity, namespace)
  const base = createRoomBase(
    init,
    keyPair,
    (nodes, view, host) => applyOps(nodes, view, host, touched),
    tellGuarded({
      events,
      forks,
      health,
      onflood: (flooding) => void describeFlood(view, ownRole, flooding).then((flood) => flood && events.emit('flood', flood)).catch(onerror)
    })
  )
  let broken: RoomError | undefined
  const onbroken = (cause: unknown): void => {
    broken = isFrozen(base.local) ? ownForkError(cause) : brokenError(cause)
    init.onbroken?.(broken)
    void events.emit('error', broken)
    void events.emit('update', undefined)
    timeline.close(broken)
    pending.close()
  }
  base.on('error', onbroken)
  const view = base.view
  const pending = createPendingMessages({ view, flight: touched.flight, onerror: (error) => onerror(error) })
  const timeline = createTimeline(view, pending, (rows) => rows.forEach((row) => reader.expect(row)))
  pending.on('settle', ({ id, isWithdrawn }) => {
    void events.emit('settle', { id: encodeZ32(id), state: isWithdrawn ? 'withdrawn' : 'sent' })
  })
  const ownRole = createOwnRole(view, identity.identity.publicKey)
  const onerror = (cause: unknown): void => {
    // What is closed beneath such work is no news.
    if (base.closing) return
    const error = cause instanceof RoomError ? cause : new RoomError('ROOM_STORAGE_FAILED', 'Work in the background failed.', { cause })
    void events.emit('error', error)
  }
  await readyBase(base)
  const discoveryKey = base.discoveryKey!
  const writer = base.local.key
  const epochKeys = createEpochKeys({ room: discoveryKey, writer, identity, view })
  const roster = createRoster(view)
  const keyring = createKeyring({ room: discoveryKey, writer, view, roster, epochKeys, isChanging: () => touched.people })
  const outbox = await openOutbox(base.local, base.encryptionKey!, (op) => opId(discoveryKey, writer, op))
  const log: OpLog = createOpLog({
    base,
    room: discoveryKey,
    flight: touched.flight,
    outbox,
    planEpoch: keyring.plan,
    onepoch: (epoch) => epochKeeper.used(epoch),
    onrecovered: (written) => written.forEach(({ id, isAccepted }) => pending.settle(id, isAccepted)),
    now: Date.now
  })
  const finder = createMessageFinder({ view, pending, log })
  const epochKeeper = createEpochKeeper({ room: discoveryKey, base, view, roster, log, isAdmitted: mayWrite, epochs, onerror })
  const keyRequests = createKeyRequests({ view, log, keyring, epochKeys, writer, onerror })
  const onmissing = (epoch: Uint8Array): void => {
    keyRequests.ask(epoch)
    epochKeeper.lacking(epoch)
  }
  const reader = createReader({ room: discoveryKey, identity, view, epochKeys, onmissing, isBlocked })
  // Where each newcomer gets a key of its own, who writes first makes it.
  const maySeal = async (): Promise<boolean> => (await isAdmitted()) && ((await hasKey()) || (await view.room())?.history === HISTORY['since-join'])
  const teller = createProfileTeller({ self: identity.identity.publicKey, view, log, reader, profile, maySeal, calm: () => viewKeeper.calm(), prepare: keyring.plan, onerror })

  const search = createRoomSearch({ core: base.local, identity, view, log, finder, reader, settled: timeline.settled, whileOpen })
  const postListeners = new Set<(message: PendingMessage) => void>()
  const peopleListeners = new Set<() => void>()
  const logListeners = new Set<(order: number) => void>()
  const readListeners = new Set<(message: Uint8Array) => void>()
  const viewKeeper = createViewKeeper(base, onerror)
  // Before whoever else is told: what has just come is not read through, where somebody waits for the end of it.
  for (const replaced of ['reboot', 'fast-forward'] as const) for (const look of [roster.reset, viewKeeper.changed]) base.on(replaced, look)
  base.on('fast-forward', () => {
    touched.people = true
    timeline.changed(undefined)
    search.reset()
    pending.changed()
    for (const listener of logListeners) listener(0)
  })
  base.on('update', () => {
    const { order, people } = touched
    Object.assign(touched, { order: Infinity, people: false })
    if (people) {
      for (const each of [epochKeys, keyring, reader, ownRole, ownVoice, keyRequests, epochKeeper, teller]) each.changed()
      search.keysChanged()
      // What was announced of a writer before this device knew that it is in the room is gone: it is asked for again.
      if (!base.closing) base.wakeupSession?.broadcastLookup({ hash: null })
      for (const listener of peopleListeners) listener()
    }
    if (order !== Infinity) timeline.changed(order)
    if (order !== Infinity) for (const listener of logListeners) listener(order)
    search.changed(order, touched.changed!)
    touched.changed!.clear()
    pending.changed()
    void events.emit('update', undefined)
  })

  let closing: Promise<void> | undefined
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      // What was told as sent is on the disk; it is in the log too, where that does not take long.
      await withTimeout(receipts.close().then(() => log.settled()), { timeoutMs: SETTLE_MS }).catch(() => undefined)
      for (const each of [timeline, pending, keyRequests, epochKeeper, presence, forks, health, indexerKeeper, viewKeeper, teller]) each.close()
      await base.close()
      await events.emit('close', undefined)
    })())

  function assertOpen(): void {
    if (broken !== undefined) throw broken
    if (closing !== undefined) throw closedError()
  }

  function onchange(callback: () => void): () => void {
    const stops = [events.on('update', callback), events.on('close', callback)]
    return () => stops.forEach((stop) => stop())
  }

  async function whileOpen<Value>(work: () => Promise<Value>): Promise<Value> {
    assertOpen()
    try {
      return await work()
    } catch (error) {
      // What is closed beneath a call fails in its own words.
      assertOpen()
      throw error
    }
  }

  const receipts = createReceipts({ self: identity.identity.publicKey, writer, view, finder, log, isBlocked, isTold: readReceipts, whileOpen, onerror })
  const onmarked = (message: Uint8Array): void => {
    receipts.marked(message)
    for (const listener of readListeners) listener(message)
    void events.emit('update', undefined)
  }
  const onpeople = (listener: () => void): (() => void) => listen(peopleListeners, listener)
  const until = createUntil(events, assertOpen)
  const ownVoice = createOwnVoice({ view, pending, ownRole, self: identity.identity.publicKey, writer, now: Date.now })
  const presence = createPresence({ self: identity.identity.publicKey, view, emit: events.emit.bind(events), isWanted })
  const onpost = (message: PendingMessage): void => postListeners.forEach((listener) => listener(message))

  const joinRequests = createJoinRequests({ room: discoveryKey, view, log, reader, keyring, ownRole, whileOpen, now: Date.now })
  const { joinRequests: list, approve, decline } = joinRequests
  const room: Room = {
    id: encodeZ32(discoveryKey),
    info: () =>
      whileOpen(async () => {
        const row = await view.room()
        const other = otherOf(row, identity.identity.publicKey)
        return {
          name: await reader.roomName(),
          createdAt: row?.createdAt ?? 0,
          history: row?.history === HISTORY.full ? 'full' : 'since-join',
          rules: rulesOf(row),
          mirrors: await reader.mirrors(),
          role: await ownRole.current(),
          ...(other && { directWith: encodeZ32(other) })
        }
      }),
    members: () =>
      whileOpen(async () => {
        const members = await Promise.all((await view.all('members')).map(reader.member))
        return members.filter((member) => member !== undefined)
      }),
    ...createRoomMessages({ writer, view, log, finder, reader, timeline, pending, onpost, onerror, ownRole, ownVoice, whileOpen }),
    ...createMessageChanges({ self: identity.identity.publicKey, view, finder, log, reader, ownRole, ownVoice, whileOpen }),
    ...createRoomTimeline({ view, pending, finder, reader, onchange, whileOpen }),
    ...createReadMarks({ core: base.local, identity, view, finder, reader, whileOpen, onmarked }),
    ...receipts.calls,
    search: search.search,
    ...createRoomInvites({ base, view, log, ownRole, whileOpen, meetingPlace, device: identity.device.publicKey }),
    ...createRoomCollections({ secret: base.encryptionKey!, view, log, reader, ownRole, onchange, onpeople, whileOpen }),
    ...createRoomBundles({ base, view, log, whileOpen }),
    joinRequests: list, approve, decline,
    ...createGoverning({ room: discoveryKey, self: identity.identity.publicKey, view, log, finder, epochKeys, ownRole, whileOpen, acts: () => room }),
    pace: () => whileOpen(ownVoice.pace),
    health: () => whileOpen(health.now),
    presence: () => whileOpen(async () => presence.all()),
    typing: (isTyping = true) => whileOpen(() => ownRole.demandVoice().then(() => presence.type(isTyping))),
    async leave(options = {}) {
      assertOptions(options, 'options', ['signal'])
      throwIfAborted(options.signal)
      const leaving = whileOpen(async () => {
        const role = await ownRole.demand(leastRole('leave'), 'leave')
        if (role === 'owner') throw forbidden('The owner may not leave the room.', 'Hand it to another member first. Block the other person of a direct room.')
        await log.append([{ type: 'leave' }])
      })
      await raceSignal(leaving, options.signal)
    },
    on: events.on.bind(events),
    once: events.once.bind(events),
    close,
    [Symbol.asyncDispose]: close
  }

  async function isAdmitted(): Promise<boolean> {
    const device = await view.device(base.local.key)
    return device !== null && !device.removed && (device.silent === true || base.writable)
  }

  async function mayWrite(): Promise<boolean> {
    const device = await view.device(writer)
    return base.writable && device !== null && hasVoice(device)
  }

  async function hasKey(): Promise<boolean> {
    const [newest] = await view.epochs(1)
    if (newest === undefined) return false
    const key = await epochKeys.key(newest.id)
    if (key === undefined) keyRequests.ask(newest.id)
    return key !== undefined
  }

  const { id: self } = identity.device
  const indexerKeeper = createIndexerKeeper({ self, identity: identity.identity.publicKey, view, roster, name: room.setIndexers, attendance, onerror })
  for (const each of [viewKeeper, keyRequests, teller]) each.changed()
  // What was told as sent by a process that was killed.
  if (!outbox.isEmpty()) log.append([]).catch(onerror)
  forks.start({ view, log, isAdmitted: mayWrite, onerror })
  // Found while it was asleep, when whoever opens it has had the time to listen.
  if (isFrozen(base.local)) setTimeout(() => void (closing === undefined && onbroken(new Error('This device has signed two pasts.'))), 0)
  health.start({ base, roster, calm: viewKeeper.calm, timeline, onpeople, attendance, emit: (seen) => void events.emit('health', seen), onerror })
  return {
    room,
    base,
    view,
    log,
    roster,
    viewKeeper,
    keyring,
    epochKeys,
    joinRequests,
    reader,
    profile,
    teller,
    pending,
    presence,
    health,
    attendance,
    epochs,
    onpost: (listener) => listen(postListeners, listener),
    showAnew() {
      search.keysChanged()
      void events.emit('update', undefined)
    },
    onpeople,
    onlog: (listener) => listen(logListeners, listener),
    onread: (listener) => listen(readListeners, listener),
    isAdmitted,
    mayWrite,
    hasKey,
    isBusy: () => !outbox.isEmpty() || log.isBusy() || pending.size > 0 || keyRequests.isWaiting() || epochKeeper.isWaiting() || forks.isWaiting() || receipts.isWaiting(),
    until
  }
}

function listen<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

function closedError(): RoomError {
  return new RoomError('ROOM_CLOSED', 'The room is closed.', { hint: 'Open the peer again.' })
}
