import { RoomError } from '../errors.js'
import { KEY_BYTES, randomBytes } from './crypto.js'
import type { EpochKeys } from './epoch-keys.js'
import type { Draft, OpLog } from './op-log.js'
import {
  commitmentTo,
  compareSlots,
  MAX_GRANT_SLOTS,
  MAX_ROTATE_SLOTS,
  sealGrants,
  sealParents,
  sealSlots,
  stateKey,
  type EpochKey,
  type Recipient
} from './slots.js'
import { decodeStruct, encodeStruct } from './structs.js'
import type { DeviceRow, EpochRow, RoomView } from './view.js'
import { mapKey } from './map-key.js'

/** Newcomers read everything (`full`), or what is sent after they came (`since-join`). */
export type History = 'full' | 'since-join'

/** How many of the newest epochs a rotation carries on: all that can be concurrent in practice. */
const MAX_PARENTS = 8

/** Sees to it that a room's present members, and nobody else, have the key that is used. */
export interface Keyring {
  /**
   * The epoch to seal under now: the newest, if exactly the room's present devices have been given its
   * key, by one of them. Where it is not so, the missing slots, or a new epoch, are written first.
   */
  current(): Promise<EpochKey>
  /** What a newcomer is given together with its admission. */
  welcome(recipient: Recipient): Promise<Draft[]>
  /** Gives devices the key of an epoch. */
  grant(epoch: EpochKey, recipients: readonly Recipient[]): Draft[]
  /** Whether a device may be given the key of an epoch: always, or only of epochs since it came. */
  mayHave(device: DeviceRow, epoch: EpochRow): Promise<boolean>
  /** To be called when members, devices or epochs have changed. */
  changed(): void
}

export interface KeyringInit {
  readonly room: Uint8Array
  readonly view: RoomView
  readonly log: OpLog
  readonly epochKeys: EpochKeys
}

export function createKeyring({ room, view, log, epochKeys }: KeyringInit): Keyring {
  let ensured: Promise<EpochKey> | undefined
  const { key } = epochKeys

  async function ensureCurrent(): Promise<EpochKey> {
    const [newest] = await view.epochs(1)
    const newestKey = newest && (await key(newest.id))
    const missing = newest && (await missingFrom(newest))
    if (newest === undefined || newestKey === undefined || missing === undefined) return rotate()
    const epoch = { id: newest.id, key: newestKey }
    if (missing.length === 0) return epoch
    if ((await history()) === 'since-join') return rotate()
    await log.append(grant(epoch, missing))
    return epoch
  }

  /**
   * The devices that have not been given the key of an epoch, or `undefined` if somebody has it who is
   * no member (any more): who made it, one of its recipients, or one who was granted it later.
   */
  async function missingFrom({ id, writer: author, rotate: payload }: EpochRow): Promise<DeviceRow[] | undefined> {
    const devices = await presentDevices()
    const present = new Set(devices.map((row) => mapKey(row.writer)))
    if (!present.has(mapKey(author))) return undefined
    const slots = decodeStruct('rotate', payload)?.slots ?? new Uint8Array()
    const { missing, hasStrangers } = compareSlots(slots, devices)
    const granted = new Set((await view.grantsOf(id)).map((row) => mapKey(row.writer)))
    if (hasStrangers || [...granted].some((grantee) => !present.has(grantee))) return undefined
    return missing.filter((row) => !granted.has(mapKey(row.writer)))
  }

  async function presentDevices(): Promise<DeviceRow[]> {
    return (await view.all('devices')).filter((row) => !row.removed)
  }

  async function mayHave(device: DeviceRow, epoch: EpochRow): Promise<boolean> {
    return !device.removed && (epoch.position > device.position || (await history()) === 'full')
  }

  async function history(): Promise<History> {
    return (await view.room())?.history === HISTORY.full ? 'full' : 'since-join'
  }

  async function rotate(): Promise<EpochKey> {
    const newest = await view.epochs(MAX_PARENTS)
    const carry = await history()
    const older: EpochKey[] = []
    for (const { id } of newest) {
      const found = await (carry === 'full' ? key(id) : epochKeys.stateKey(id))
      if (found !== undefined) older.push({ id, key: found })
    }
    const devices = await presentDevices()
    const first = devices.slice(0, MAX_ROTATE_SLOTS)
    const { draft, key: fresh } = draftRotation(room, first, newest[0]?.lamport ?? 0, carry, older)
    const { id, isAccepted } = (await log.append([draft]))[0]!
    if (!isAccepted) {
      throw new RoomError('ROOM_NOT_WRITABLE', 'The room did not take the new key of this device.', {
        hint: 'The device was removed, or its admission has not arrived yet.'
      })
    }
    epochKeys.add({ id, key: fresh })
    const epoch = { id, key: fresh }
    if (devices.length > first.length) await log.append(grant(epoch, devices.slice(first.length)))
    return epoch
  }

  function grant(epoch: EpochKey, recipients: readonly Recipient[]): Draft[] {
    return draftGrants(room, epoch, recipients)
  }

  function current(): Promise<EpochKey> {
    if (ensured !== undefined) return ensured
    const ensuring = ensureCurrent()
    ensured = ensuring
    ensuring.catch(() => {
      if (ensured === ensuring) ensured = undefined
    })
    return ensuring
  }

  return {
    current,
    async welcome(recipient) {
      return (await history()) === 'full' ? grant(await current(), [recipient]) : []
    },
    grant,
    mayHave,
    changed() {
      ensured = undefined
    }
  }
}

/** How a room's history choice is written in ops and rows. */
export const HISTORY = { full: 1, 'since-join': 2 } as const satisfies Record<History, number>

/** The key of an epoch for devices that it has no slot for. */
function draftGrants(room: Uint8Array, epoch: EpochKey, recipients: readonly Recipient[]): Draft[] {
  const drafts: Draft[] = []
  for (let at = 0; at < recipients.length; at += MAX_GRANT_SLOTS) {
    const payload = encodeStruct('grant', sealGrants(room, epoch.key, recipients.slice(at, at + MAX_GRANT_SLOTS)))
    drafts.push({ type: 'grant', target: epoch.id, payload })
  }
  return drafts
}

/** A new epoch for these devices, which carries on what they may read of `older` ones; and its key. */
export function draftRotation(
  room: Uint8Array,
  devices: readonly Recipient[],
  newestLamport: number,
  history: History,
  older: readonly EpochKey[]
): { draft: Draft; key: Uint8Array } {
  const key = randomBytes(KEY_BYTES)
  const payload = encodeStruct('rotate', {
    lamport: newestLamport + 1,
    commitment: commitmentTo(room, key),
    stateCommitment: commitmentTo(room, stateKey(room, key)),
    ...sealSlots(room, key, devices),
    ...(older.length > 0 && history === 'full' && { parents: sealParents(room, key, older) }),
    ...(older.length > 0 && history === 'since-join' && { states: sealParents(room, stateKey(room, key), older) })
  })
  return { draft: { type: 'rotate', payload }, key }
}
