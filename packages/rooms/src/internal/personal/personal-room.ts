import { decodeKey, encodeZ32, equalBytes } from '@covey/core'
import { decodeDeviceRequest } from '@covey/identity'
import type { LinkedDevice } from '../../devices.js'
import { KEY_BYTES, randomBytes } from '../crypto.js'
import { foundRoom } from '../found-room.js'
import { hintDevices } from '../hint-devices.js'
import { createLane } from '../lane/lane.js'
import { openRoom, type OpenRoom } from '../open-room.js'
import { readName } from '../read-name.js'
import type { RoomsParts } from '../rooms-parts.js'
import { createRounds } from '../rounds.js'
import type { Place } from '../shelf/place.js'
import { createDeviceEntries } from './let-devices-in.js'
import { createPersonalState } from './personal-state.js'
import { createRevocations, DEVICE } from './revocations.js'
import { createRoomList } from './room-list.js'
import { createSharedContacts } from './shared-contacts.js'
import { createSharedReadMarks } from './shared-read-marks.js'

/** The room whose members are the devices of one person, at work. */
export interface PersonalRoom {
  readonly opened: OpenRoom
  /** Those that are in the room, and those that were confirmed and have not come yet. */
  devices(): Promise<LinkedDevice[]>
  /** Tells the other devices of one that was confirmed, so that any of them can unlink it from then on. */
  expect(device: string, request: Uint8Array): Promise<void>
  /** Resolves when all that has changed so far has been seen to. */
  settled(): Promise<void>
  /** Whether this device is in it, and in all the rooms of the person. */
  isSynced(): Promise<boolean>
  /** Whether another device has revoked this one. */
  isUnlinked(): boolean
  /** Revokes a device, and tells all rooms that are open. */
  unlink(device: Uint8Array): Promise<void>
  close(): Promise<void>
}

export interface PersonalRoomInit {
  readonly parts: RoomsParts
  /** Called when what has changed has been seen to. */
  readonly onchange: () => void
  /** Called once, when this device itself turns out to be revoked. */
  readonly onunlinked: () => void
  readonly onerror: (error: unknown) => void
}

/** The personal room that is on this device's disk, if there is one. */
export async function findPersonalRoom({ stack, records }: RoomsParts): Promise<OpenRoom | undefined> {
  // What does not open has been reported when the rooms were opened.
  const record = (await records.all([])).find(({ key, personal }) => key && personal)
  if (record === undefined) return undefined
  const { namespace, key, encryptionKey } = record
  return openRoom({ ...stack, namespace, key: key!, ...(encryptionKey && { encryptionKey }) })
}

/** Makes the personal room, for a person who is about to have a second device. */
export async function foundPersonalRoom({ stack, records }: RoomsParts): Promise<OpenRoom> {
  const namespace = randomBytes(KEY_BYTES)
  const opened = await openRoom({ ...stack, namespace, encryptionKey: randomBytes(KEY_BYTES) })
  try {
    await foundRoom(opened, stack.identity, { name: '', history: 'full' })
    const { key, discoveryKey } = opened.base
    await records.put({ namespace, key: key!, discoveryKey: discoveryKey!, personal: true })
    return opened
  } catch (error) {
    await opened.room.close()
    throw error
  }
}

export function startPersonalRoom(opened: OpenRoom, { parts, onchange, onunlinked, onerror }: PersonalRoomInit): PersonalRoom {
  const { node, stack, open, places, contacts } = parts
  const { identity } = stack
  const topic = node.join(opened.base.discoveryKey!)
  const lane = createLane(node, opened, identity, onerror)
  const entries = createDeviceEntries({ node, identity, personal: opened, places, renewed: (claimant) => revocations.renewed(claimant), onerror })
  const state = createPersonalState(opened, () => changed(), onerror)
  const revocations = createRevocations(identity, opened, state)
  const list = createRoomList({ parts, state, entries, onchange: () => changed(), onerror })
  const marks = createSharedReadMarks({ state, device: identity.device.id, places, onerror })
  const people = createSharedContacts(state, contacts)
  /** The rooms that were opened, or have other people, since they were looked at; by id. */
  const others = new Set<string>()
  let isFirst = true
  let isRevoked = false
  let isClosing = false
  const { ask, settled } = createRounds(work, (error) => isClosing || onerror(error))

  function changed(room?: OpenRoom): void {
    if (room !== undefined) others.add(room.room.id)
    ask()
  }

  /** After a restart all is new: those that are asleep were told before, unless the process was killed meanwhile. */
  function isToBeTold({ opened: isOpen, note }: Place): boolean {
    return !isFirst || isOpen !== undefined || note === undefined || note.devices.some(({ device, removed }) => !removed && revocations.isRevoked(device))
  }

  async function work(): Promise<void> {
    if (isClosing || isRevoked) return
    await state.read()
    const heard = await revocations.changed()
    isRevoked = heard.isRevoked
    if (isRevoked) return onunlinked()
    if (heard.isNew || heard.isRenewed) for (const place of places.values()) if (isToBeTold(place)) others.add(place.id)
    isFirst = false
    if (!(await opened.isAdmitted())) entries.ask(opened)
    else await share()
    if (heard.isRenewed) list.askAgain()
    onchange()
  }

  /** Tells a room what it does not know. Where that fails, the others are told all the same, and it is when it changes. */
  async function tell(id: string): Promise<void> {
    others.delete(id)
    try {
      await places.get(id)?.use(async (room) => {
        await list.compare(room)
        await revocations.tell(room)
      })
    } catch (error) {
      // One that is closed is told of nothing, and one that does not open says so itself; it is told when it does.
      if (places.get(id)?.opened === undefined) return
      others.add(id)
      onerror(error)
    }
  }

  async function share(): Promise<void> {
    const request = identity.createDeviceRequest()
    const told = state.get(DEVICE + identity.device.id)
    if (told === undefined || !equalBytes(told, request)) await state.set(DEVICE + identity.device.id, request)
    await list.changed()
    await people.changed()
    // Without those that fail, which come back.
    const looked = [...others]
    for (const id of looked) await tell(id)
    await marks.changed()
  }

  /** Sees to a room from now on. */
  function watch(room: OpenRoom): void {
    room.onpeople(() => changed(room))
    room.onlog(() => void marks.changed().catch((error: unknown) => !room.base.closing && onerror(error)))
    marks.watch(room)
    changed(room)
  }

  /** What the others wrote while this device was away, or on their own, is not announced again. */
  function lookForNews(): void {
    hintDevices(opened).catch((error: unknown) => isClosing || onerror(error))
  }

  /** What a device calls itself, if it has said so. */
  function nameOf(device: string): string | undefined {
    const told = decodeDeviceRequest(state.get(DEVICE + device) ?? new Uint8Array())
    return told.ok && encodeZ32(told.value.device) === device ? readName(told.value.name) : undefined
  }

  opened.onpeople(() => changed())
  const stops = [parts.onopen((room) => watch(room)), contacts.on('update', () => changed()), node.on('connect', () => lookForNews())]
  for (const room of open.values()) watch(room)
  lookForNews()
  changed()

  return {
    opened,
    settled,
    async devices() {
      const rows = await opened.view.devicesOf(identity.identity.publicKey)
      const present = rows.filter(({ removed }) => !removed).map(({ device }) => encodeZ32(device))
      const gone = new Set(rows.filter(({ removed }) => removed).map(({ device }) => encodeZ32(device)))
      const named = state.entries(DEVICE).map(([id]) => id)
      const expected = named.filter((id) => nameOf(id) !== undefined && !gone.has(id) && !revocations.isRevoked(decodeKey(id)))
      return [...new Set([...present, ...expected])].map((id) => ({ id, name: nameOf(id) ?? '', isThis: id === identity.device.id }))
    },
    expect: (device, request) => state.set(DEVICE + device, request),
    async isSynced() {
      return (await opened.isAdmitted()) && (await state.read()) && (await list.isSynced())
    },
    isUnlinked: () => isRevoked,
    async unlink(device) {
      await revocations.revoke(device)
      for (const id of places.keys()) await tell(id)
    },
    async close() {
      isClosing = true
      for (const stop of stops) stop()
      await marks.close()
      await settled()
      await list.close()
      await entries.close()
      await Promise.all([lane.close(), topic.close(), opened.room.close()])
    }
  }
}
