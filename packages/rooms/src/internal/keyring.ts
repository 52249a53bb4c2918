import { equalBytes, isCoveyError } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { deviceSecrets } from '@covey/identity/internal'
import { KEY_BYTES, randomBytes } from './crypto.js'
import type { Draft, OpLog } from './op-log.js'
import {
  commitmentTo,
  hasTag,
  openParent,
  openSlot,
  sealParents,
  sealSlots,
  SEALED_KEY_BYTES,
  slotsFor,
  slotTags,
  type EpochKey
} from './slots.js'
import { decodeStruct, encodeStruct } from './structs.js'
import type { DeviceRow, EpochRow, RoomView } from './view.js'

/** Newcomers read everything (`full`), or what is sent after they came (`since-join`). */
export type History = 'full' | 'since-join'

/** How many of the newest epochs a rotation carries on: all that can be concurrent in practice. */
const MAX_PARENTS = 8

/** The keys that this device holds of a room's epochs. Nothing of it is ever seen by `apply`. */
export interface Keyring {
  /**
   * The epoch to seal under now: the newest, if it has a slot for every device of the room. Where it
   * has not, the missing slots, or a new epoch, are written first.
   */
  current(): Promise<EpochKey>
  /** The key of an epoch, or `undefined` while this device has been given none. */
  key(epoch: Uint8Array): Promise<Uint8Array | undefined>
  /** Gives `device` the key of the current epoch. */
  grant(epoch: EpochKey, device: Pick<DeviceRow, 'device' | 'box'>): Draft
  /** To be called when members, devices or epochs have changed. */
  changed(): void
}

export interface KeyringInit {
  readonly room: Uint8Array
  readonly identity: LocalIdentity
  readonly view: RoomView
  readonly log: OpLog
}

export function createKeyring({ room, identity, view, log }: KeyringInit): Keyring {
  const { publicKey: device, boxPublicKey: box } = identity.device
  const secrets = deviceSecrets(identity)
  const keys = new Map<string, Uint8Array>()
  let current: Promise<EpochKey> | undefined

  async function key(epoch: Uint8Array): Promise<Uint8Array | undefined> {
    const name = String(epoch)
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
    const offers = slotsFor(device, payload.slots).map((sealed) => ({ ephemeral, sealed }))
    for (const row of await view.grants(id, device)) {
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
    if (newest === undefined || newestKey === undefined) return rotate()
    const epoch = { id: newest.id, key: newestKey }
    const missing = await devicesWithout(newest)
    if (missing.length === 0) return epoch
    if ((await history()) === 'since-join') return rotate()
    await log.append(missing.map((recipient) => grant(epoch, recipient)))
    return epoch
  }

  async function devicesWithout({ id, rotate: payload }: EpochRow): Promise<DeviceRow[]> {
    const tags = slotTags(decodeStruct('rotate', payload)?.slots ?? new Uint8Array())
    const granted = new Set((await view.grantsOf(id)).map((row) => String(row.device)))
    const devices = await view.devices()
    return devices.filter((row) => !hasTag(tags, row.device) && !granted.has(String(row.device)))
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
    const { draft, key: fresh } = draftRotation(room, await view.devices(), newest[0]?.lamport ?? 0, parents)
    const [id] = await log.append([draft])
    keys.set(String(id), fresh)
    return { id: id!, key: fresh }
  }

  function grant(epoch: EpochKey, recipient: Pick<DeviceRow, 'device' | 'box'>): Draft {
    const { ephemeral, slots } = sealSlots(room, epoch.key, [recipient])
    const slot = slots.subarray(-SEALED_KEY_BYTES)
    return {
      type: 'grant',
      target: epoch.id,
      payload: encodeStruct('grant', { device: recipient.device, ephemeral, slot })
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
  devices: readonly Pick<DeviceRow, 'device' | 'box'>[],
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
