import { equalBytes, isCoveyError } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { deviceSecrets } from '@covey/identity/internal'
import { RoomError } from '../errors.js'
import { KEY_BYTES, randomBytes } from './crypto.js'
import type { Draft, OpLog } from './op-log.js'
import {
  commitmentTo,
  compareSlots,
  openParent,
  openSlot,
  sealParents,
  sealSlots,
  SEALED_KEY_BYTES,
  slotsFor,
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

/** The keys that this device holds of a room's epochs. Nothing of it is ever seen by `apply`. */
export interface Keyring {
  /**
   * The epoch to seal under now: the newest, if exactly the room's present devices have been given its
   * key, by one of them. Where it is not so, the missing slots, or a new epoch, are written first.
   */
  current(): Promise<EpochKey>
  /** The key of an epoch, or `undefined` while this device has been given none. */
  key(epoch: Uint8Array): Promise<Uint8Array | undefined>
  /** Gives a device the key of an epoch. */
  grant(epoch: EpochKey, recipient: Recipient): Draft
  /** To be called when members, devices or epochs have changed. */
  changed(): void
}

export interface KeyringInit {
  readonly room: Uint8Array
  /** This device's writer core. */
  readonly writer: Uint8Array
  readonly identity: LocalIdentity
  readonly view: RoomView
  readonly log: OpLog
}

export function createKeyring({ room, writer, identity, view, log }: KeyringInit): Keyring {
  const box = identity.device.boxPublicKey
  const secrets = deviceSecrets(identity)
  const keys = new Map<string, Uint8Array>()
  let current: Promise<EpochKey> | undefined

  async function key(epoch: Uint8Array): Promise<Uint8Array | undefined> {
    const name = mapKey(epoch)
    const known = keys.get(name)
    if (known !== undefined) return known
    const row = await view.epoch(epoch)
    const found = row === null ? undefined : ((await ownKey(row)) ?? (await inheritedKey(row)))
    if (found !== undefined) keys.set(name, found)
    return found
  }

  /** From the slot of this device, or from what somebody granted it afterwards. */
  async function ownKey({ id, rotate }: EpochRow): Promise<Uint8Array | undefined> {
    const payload = decodeStruct('rotate', rotate)
    if (payload === undefined) return undefined
    const { ephemeral, commitment } = payload
    const offers = slotsFor(writer, payload.slots).map((sealed) => ({ ephemeral, sealed }))
    for (const row of await view.grants(id, writer)) {
      const grant = decodeStruct('grant', row.grant)
      if (grant !== undefined) offers.push({ ephemeral: grant.ephemeral, sealed: grant.slot })
    }
    for (const offer of offers) {
      const opened = openSlot(room, offer, commitment, box, agree)
      if (opened !== undefined) return opened
    }
    return undefined
  }

  function agree(publicKey: Uint8Array): Uint8Array | undefined {
    try {
      return secrets.agree(publicKey)
    } catch (error) {
      if (isCoveyError(error, 'IDENTITY_WEAK_KEY')) return undefined
      throw error
    }
  }

  /** From a later epoch that carries it on. */
  async function inheritedKey({ id, lamport, rotate }: EpochRow): Promise<Uint8Array | undefined> {
    const commitment = decodeStruct('rotate', rotate)?.commitment
    if (commitment === undefined) return undefined
    for (const later of (await view.epochs()).filter((epoch) => epoch.lamport > lamport).reverse()) {
      const parents = decodeStruct('rotate', later.rotate)?.parents
      if (!parents) continue
      const laterKey = await key(later.id)
      const opened = laterKey && openParent(room, laterKey, parents, id)
      if (opened && equalBytes(commitmentTo(room, opened), commitment)) return opened
    }
    return undefined
  }

  async function ensureCurrent(): Promise<EpochKey> {
    const [newest] = await view.epochs(1)
    const newestKey = newest && (await key(newest.id))
    const missing = newest && (await missingFrom(newest))
    if (newest === undefined || newestKey === undefined || missing === undefined) return rotate()
    const epoch = { id: newest.id, key: newestKey }
    if (missing.length === 0) return epoch
    if ((await history()) === 'since-join') return rotate()
    await log.append(missing.map((recipient) => grant(epoch, recipient)))
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

  async function history(): Promise<History> {
    return (await view.room())?.history === HISTORY.full ? 'full' : 'since-join'
  }

  async function rotate(): Promise<EpochKey> {
    const newest = await view.epochs(MAX_PARENTS)
    const parents: EpochKey[] = []
    if ((await history()) === 'full') {
      for (const { id } of newest) {
        const parent = await key(id)
        if (parent !== undefined) parents.push({ id, key: parent })
      }
    }
    const { draft, key: fresh } = draftRotation(room, await presentDevices(), newest[0]?.lamport ?? 0, parents)
    const id = (await log.append([draft]))[0]!
    if ((await view.epoch(id)) === null) {
      throw new RoomError('ROOM_NOT_WRITABLE', 'The room did not take the new key of this device.', {
        hint: 'The device was removed, or its admission has not arrived yet.'
      })
    }
    keys.set(mapKey(id), fresh)
    return { id, key: fresh }
  }

  function grant(epoch: EpochKey, recipient: Recipient): Draft {
    const { ephemeral, slots } = sealSlots(room, epoch.key, [recipient])
    const slot = slots.subarray(-SEALED_KEY_BYTES)
    return {
      type: 'grant',
      target: epoch.id,
      payload: encodeStruct('grant', { writer: recipient.writer, ephemeral, slot })
    }
  }

  return {
    current() {
      if (current !== undefined) return current
      const ensuring = ensureCurrent()
      current = ensuring
      ensuring.catch(() => {
        if (current === ensuring) current = undefined
      })
      return ensuring
    },
    key,
    grant,
    changed() {
      current = undefined
    }
  }
}

/** How a room's history choice is written in ops and rows. */
export const HISTORY = { full: 1, 'since-join': 2 } as const satisfies Record<History, number>

/** A new epoch for these devices, and its key. */
export function draftRotation(
  room: Uint8Array,
  devices: readonly Recipient[],
  newestLamport: number,
  parents: readonly EpochKey[]
): { draft: Draft; key: Uint8Array } {
  const key = randomBytes(KEY_BYTES)
  const payload = encodeStruct('rotate', {
    lamport: newestLamport + 1,
    commitment: commitmentTo(room, key),
    ...sealSlots(room, key, devices),
    parents: parents.length === 0 ? null : sealParents(room, key, parents)
  })
  return { draft: { type: 'rotate', payload }, key }
}
