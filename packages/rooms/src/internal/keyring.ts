import { equalBytes } from '@covey/core'
import { KEY_BYTES, randomBytes } from './crypto.js'
import type { EpochKeys } from './epoch-keys.js'
import { mapKey } from './map-key.js'
import { opId } from './op.js'
import type { Draft, DraftSource, EpochPlan, Making } from './op-log.js'
import {
  commitmentTo,
  MAX_GRANT_SLOTS,
  MAX_PARENTS,
  MAX_ROTATE_SLOTS,
  sealGrants,
  sealParents,
  sealSlots,
  stateKey,
  type EpochKey,
  type Recipient
} from './slots.js'
import type { Roster } from './roster.js'
import { rotationOf } from './rotation.js'
import { encodeStruct } from './structs.js'
import type { DeviceRow, EpochRow, RoomView } from './view.js'

/** Newcomers read everything (`full`), or what is sent after they came (`since-join`). */
export type History = 'full' | 'since-join'

/** Among how many of the newest epochs there are looked for those whose keys are known: there may be some that nobody has a key of. */
const MAX_LOOK_BACK = 64
/** Among how many for those that a rotation carries on: a member may make many that carry nothing on. */
const MAX_CARRY_BACK = 128

/** Sees to it that a room's present members, and nobody else, have the key that is used. */
export interface Keyring {
  /**
   * The epoch to seal under now: the newest, if exactly the room's present devices have been given its
   * key, by one of them, who knew of all who had gone. Where it is not so, the missing slots, or a new epoch, have to be written first.
   */
  plan(): Promise<EpochPlan>
  /**
   * What somebody who comes in is given, or `undefined` where a new epoch has to begin: in a room with full history it is the key of the
   * newest one, whoever else has it. Who else there is, which in a large room takes long to read, is asked by who writes next.
   */
  welcome(recipient: Recipient): Promise<Draft[] | undefined>
  /** What another device of a member is given beside the present key: what the person may read it may read too. */
  welcomeDevice(recipient: Recipient): Promise<Draft[]>
  /** Gives devices the key of an epoch. */
  grant(epoch: EpochKey, recipients: readonly Recipient[]): Draft[]
  /** Whether a device may be given the key of an epoch: always, or only of epochs since its person came. */
  mayHave(device: DeviceRow, epoch: EpochRow): Promise<boolean>
  /** To be called when members, devices or epochs have changed. */
  changed(): void
}

export interface KeyringInit {
  readonly room: Uint8Array
  /** This device's writer core. */
  readonly writer: Uint8Array
  readonly view: RoomView
  readonly roster: Roster
  readonly epochKeys: EpochKeys
  /** Whether members, devices or epochs have changed, and `changed` is yet to be called. */
  readonly isChanging: () => boolean
}

export function createKeyring({ room, writer, view, roster, epochKeys, isChanging }: KeyringInit): Keyring {
  const { key } = epochKeys
  /** The epoch for which nothing has to be written, as long as nothing changes. */
  let settled: KnownEpoch | undefined
  let changes = 0

  async function plan(): Promise<EpochPlan> {
    if (isChanging()) settled = undefined
    if (settled !== undefined) return planFor(settled, [])
    const during = changes
    const planned = await planAt(during)
    // Somebody may have been removed since it was read, who has the key.
    return during === changes ? planned : plan()
  }

  /** @param during how many changes there were when it was begun. */
  async function planAt(during: number): Promise<EpochPlan> {
    const [newest] = await view.epochs(1)
    const newestKey = newest && (await key(newest.id))
    const missing = newest && (await isUpToDate(newest)) ? await roster.missingFrom(newest) : undefined
    if (newest === undefined || newestKey === undefined || missing === undefined) return planRotation()
    const epoch = { row: newest, key: newestKey }
    if (missing.length === 0 && !isChanging() && during === changes) settled = epoch
    if (missing.length === 0) return planFor(epoch, [])
    return (await history()) === 'full' ? planFor(epoch, grant({ id: newest.id, key: newestKey }, missing)) : planRotation()
  }

  /**
   * Whether who made an epoch knew of all who have gone since they came. Who did not may have had it given to one
   * of them, by somebody who did not know either: nobody here may have heard of that yet.
   */
  async function isUpToDate({ removals }: EpochRow): Promise<boolean> {
    return (removals ?? 0) >= ((await view.meta()).removals ?? 0)
  }

  async function presentDevices(): Promise<DeviceRow[]> {
    return [...(await roster.devices()).values()].filter((row) => !row.removed)
  }

  async function mayHave(device: DeviceRow, epoch: EpochRow): Promise<boolean> {
    if (device.removed) return false
    if ((await history()) === 'full') return true
    const since = await positionOf(epoch)
    // What a person may read, all of their devices may, whichever came first.
    const devices = await view.devicesOf(device.identity)
    return devices.some(({ removed, position }) => !removed && since > position)
  }

  /** Since when the key of an epoch is there: anybody can put the slots of an earlier one into a rotation of their own. */
  async function positionOf({ op, position }: EpochRow): Promise<number> {
    const commitment = rotationOf(op)?.commitment
    return Math.min(position, (commitment && (await view.commitment(commitment))?.position) ?? position)
  }

  async function history(): Promise<History> {
    return (await view.room())?.history === HISTORY.full ? 'full' : 'since-join'
  }

  async function planRotation(): Promise<EpochPlan> {
    const [newest] = await view.epochs(1)
    const carry = await history()
    const older = await carriedOn(carry === 'full' ? key : epochKeys.stateKey)
    const { authority, removals } = await view.meta()
    // After it: so that it is not said to be known that somebody has gone who is among them.
    const devices = await presentDevices()
    const first = devices.slice(0, MAX_ROTATE_SLOTS)
    const { draft, key: fresh } = draftRotation(room, first, newest?.lamport ?? 0, carry, older, removals ?? 0)
    const epoch = (ids: readonly Uint8Array[]): EpochKey => ({ id: ids[0]!, key: fresh })
    // The grants are made when the id of the rotation is known; how many there are is known before.
    const rest = chunks(devices.slice(first.length), MAX_GRANT_SLOTS)
    return {
      drafts: [draft, ...rest.map((some) => ({ ids }: Making) => grant(epoch(ids), some)[0]!)],
      epoch,
      row([rotation]) {
        const { id, bytes } = rotation!
        return { id, writer, op: bytes, lamport: rotationOf(bytes)!.lamport, position: authority, removals: removals ?? 0 }
      }
    }
  }

  /**
   * The epochs that a rotation carries on: this device's last one, which carries on what was before it, and the last one of
   * each other author, so that nobody comes between newcomers and the others by making many; then the newest.
   */
  async function carriedOn(keyOf: (epoch: Uint8Array) => Promise<Uint8Array | undefined>): Promise<EpochKey[]> {
    const lasts = new Map<string, EpochKey>()
    const rest: EpochKey[] = []
    const own = mapKey(writer)
    let looked = 0
    for await (const row of view.eachEpoch(MAX_CARRY_BACK)) {
      if (looked++ >= MAX_LOOK_BACK && (lasts.has(own) || lasts.size >= MAX_PARENTS)) break
      // One that was brought back is not by who brought it.
      const author = equalBytes(opId(room, row.writer, row.op), row.id) ? mapKey(row.writer) : `${mapKey(row.writer)} brought`
      if (lasts.has(author) && rest.length >= MAX_PARENTS) continue
      const found = await keyOf(row.id)
      if (found === undefined) continue
      const epoch = { id: row.id, key: found }
      if (lasts.has(author)) rest.push(epoch)
      else lasts.set(author, epoch)
    }
    const mine = lasts.get(own)
    lasts.delete(own)
    return [...(mine ? [mine] : []), ...lasts.values(), ...rest].slice(0, MAX_PARENTS)
  }

  function grant(epoch: EpochKey, recipients: readonly Recipient[]): Draft[] {
    return draftGrants(room, epoch, recipients)
  }

  return {
    plan,
    async welcome(recipient) {
      const [newest] = (await history()) === 'full' ? await view.epochs(1) : []
      const found = newest && (await key(newest.id))
      return found && grant({ id: newest.id, key: found }, [recipient])
    },
    async welcomeDevice(recipient) {
      if ((await history()) === 'full') return []
      const grants: Draft[] = []
      // For those before, it asks when it needs them.
      for (const { id } of await view.epochs(MAX_LOOK_BACK)) {
        const found = await key(id)
        if (found !== undefined) grants.push(...grant({ id, key: found }, [recipient]))
      }
      return grants
    },
    grant,
    mayHave,
    changed() {
      changes++
      settled = undefined
    }
  }
}

/** The first position of each key, by what is committed to. */
function planFor({ row, key }: KnownEpoch, drafts: readonly DraftSource[]): EpochPlan {
  return { drafts, epoch: () => ({ id: row.id, key }), row: () => row }
}

/** One of the view, whose key this device has. */
interface KnownEpoch {
  readonly row: EpochRow
  readonly key: Uint8Array
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}

/** How a room's history choice is written in ops and rows. */
export const HISTORY = { full: 1, 'since-join': 2 } as const satisfies Record<History, number>

/** The key of an epoch for devices that it has no slot for. */
function draftGrants(room: Uint8Array, epoch: EpochKey, recipients: readonly Recipient[]): Draft[] {
  return chunks(recipients, MAX_GRANT_SLOTS).map((some) => {
    return { type: 'grant', target: epoch.id, payload: encodeStruct('grant', sealGrants(room, epoch.key, some)) }
  })
}

/**
 * A new epoch for these devices, which carries on what they may read of `older` ones; and its key.
 *
 * @param removals how many there were, as far as this device knows.
 */
export function draftRotation(
  room: Uint8Array,
  devices: readonly Recipient[],
  newestLamport: number,
  history: History,
  older: readonly EpochKey[],
  removals = 0
): { draft: Draft; key: Uint8Array } {
  const key = randomBytes(KEY_BYTES)
  const payload = encodeStruct('rotate', {
    lamport: newestLamport + 1,
    commitment: commitmentTo(room, key),
    stateCommitment: commitmentTo(room, stateKey(room, key)),
    ...sealSlots(room, key, devices),
    ...(older.length > 0 && history === 'full' && { parents: sealParents(room, key, older) }),
    ...(older.length > 0 && history === 'since-join' && { states: sealParents(room, stateKey(room, key), older) }),
    ...(removals > 0 && { removals })
  })
  return { draft: { type: 'rotate', payload }, key }
}
