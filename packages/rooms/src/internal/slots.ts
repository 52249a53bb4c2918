import { concatBytes, equalBytes } from '@covey/core'
import { agree, createBoxKeyPair, hash, HASH_BYTES, openOnce, sealOnce } from './crypto.js'
import type { DeviceRow } from './view.js'
import { mapKey } from './map-key.js'

/** Enough to find one's own slot among many; who makes another's tag gains nothing by it. */
const TAG_BYTES = 8
/** A key of 32 bytes and the 16 bytes that authenticate it. */
const SEALED_KEY_BYTES = 48
/** A tag, then a sealed key. */
export const SLOT_BYTES = TAG_BYTES + SEALED_KEY_BYTES
/** An epoch id, then its sealed key. */
const PARENT_BYTES = HASH_BYTES + SEALED_KEY_BYTES
/** How many older epochs a rotation carries on: all that can be concurrent in practice. */
export const MAX_PARENTS = 8

/** The key of an epoch, sealed for one device: see docs/protocol.md. */
export interface SealedKey {
  readonly ephemeral: Uint8Array
  readonly sealed: Uint8Array
}

/** An epoch and its key: a secret that the room's present members share. */
export interface EpochKey {
  readonly id: Uint8Array
  readonly key: Uint8Array
}

/** Where a key is sealed to: a device, known in the room by its writer core. */
export type Recipient = Pick<DeviceRow, 'writer' | 'box'>

/** What everyone may check a key against that somebody hands them. */
export function commitmentTo(room: Uint8Array, key: Uint8Array): Uint8Array {
  return hash('covey/epoch/commitment/1', room, key)
}

/** What slots hold: a key of one kind is none of the other, whoever puts its slots elsewhere. */
export type SlotKind = 'epoch' | 'report'

/** How many slots a rotation holds, so that it takes at most 64 KiB. Who is left over is granted the key. */
export const MAX_ROTATE_SLOTS = 1_100
/** How many a grant holds. */
export const MAX_GRANT_SLOTS = 800
/** A writer core's key, then a sealed key. */
const GRANT_SLOT_BYTES = HASH_BYTES + SEALED_KEY_BYTES

/** One slot a device, found by its tag, all under one ephemeral key pair. */
export function sealSlots(room: Uint8Array, key: Uint8Array, recipients: readonly Recipient[], kind: SlotKind = 'epoch'): Slots {
  return sealFor(room, key, recipients, tagOf, kind)
}

/** One slot a device, found by its writer core: for a few, and for `apply`, which has to know them. */
export function sealGrants(room: Uint8Array, key: Uint8Array, recipients: readonly Recipient[]): Slots {
  return sealFor(room, key, recipients, (writer) => writer, 'epoch')
}

/** The slots of a grant, or `undefined` if they are malformed. */
export function readGrants(slots: Uint8Array): { writer: Uint8Array; sealed: Uint8Array }[] | undefined {
  if (slots.length === 0 || slots.length % GRANT_SLOT_BYTES !== 0) return undefined
  return Array.from({ length: slots.length / GRANT_SLOT_BYTES }, (_, i) => {
    const slot = slots.subarray(i * GRANT_SLOT_BYTES, (i + 1) * GRANT_SLOT_BYTES)
    return { writer: slot.subarray(0, HASH_BYTES), sealed: slot.subarray(HASH_BYTES) }
  })
}

interface Slots {
  readonly ephemeral: Uint8Array
  readonly slots: Uint8Array
}

function sealFor(
  room: Uint8Array,
  key: Uint8Array,
  recipients: readonly Recipient[],
  label: (writer: Uint8Array) => Uint8Array,
  kind: SlotKind
): Slots {
  const { publicKey: ephemeral, secretKey } = createBoxKeyPair()
  const commitment = commitmentTo(room, key)
  const slots = recipients.flatMap((recipient) => {
    const shared = agree(secretKey, recipient.box)
    // Who comes with a key of low order is not let in.
    if (shared === undefined) throw new TypeError('a recipient has a box key of low order')
    const wrap = wrapKey(kind, room, shared, ephemeral, recipient.box)
    return [label(recipient.writer), sealOnce(key, commitment, wrap)]
  })
  secretKey.fill(0)
  return { ephemeral, slots: concatBytes(...slots) }
}

/** The tags of all whom there are slots for. */
export function tagsIn(slots: Uint8Array): Set<string> {
  const tags = new Set<string>()
  for (let at = 0; at + SLOT_BYTES <= slots.length; at += SLOT_BYTES) tags.add(mapKey(slots.subarray(at, at + TAG_BYTES)))
  return tags
}

/** The sealed keys in the slots that bear the tag of `writer`: one, unless somebody plays games. */
export function slotsFor(writer: Uint8Array, slots: Uint8Array): Uint8Array[] {
  const tag = tagOf(writer)
  const found: Uint8Array[] = []
  for (let at = 0; at + SLOT_BYTES <= slots.length; at += SLOT_BYTES) {
    const slot = slots.subarray(at, at + SLOT_BYTES)
    if (equalBytes(slot.subarray(0, TAG_BYTES), tag)) found.push(slot.subarray(TAG_BYTES))
  }
  return found
}

/**
 * @param agreeWith the X25519 secret of this device's key and another.
 * @returns the key, if it is the one committed to.
 */
export function openSlot(
  room: Uint8Array,
  { ephemeral, sealed }: SealedKey,
  commitment: Uint8Array,
  box: Uint8Array,
  agreeWith: (publicKey: Uint8Array) => Uint8Array | undefined,
  kind: SlotKind = 'epoch'
): Uint8Array | undefined {
  const shared = agreeWith(ephemeral)
  if (shared === undefined) return undefined
  const key = openOnce(sealed, commitment, wrapKey(kind, room, shared, ephemeral, box))
  return key !== undefined && equalBytes(commitmentTo(room, key), commitment) ? key : undefined
}

/** What messages of an epoch are sealed with. */
export function messageKey(room: Uint8Array, key: Uint8Array): Uint8Array {
  return hash('covey/epoch/messages/1', room, key)
}

/**
 * What the room's present state that was written in an epoch (names, settings) is sealed with: who
 * comes later may need it, even where they may not read the messages.
 */
export function stateKey(room: Uint8Array, key: Uint8Array): Uint8Array {
  return hash('covey/epoch/state/1', room, key)
}

/** Keys of older epochs, for those who hold `key`. */
export function sealParents(room: Uint8Array, key: Uint8Array, parents: readonly EpochKey[]): Uint8Array {
  return concatBytes(
    ...parents.flatMap((parent) => [parent.id, sealOnce(parent.key, parent.id, parentKey(room, key, parent.id))])
  )
}

/** Whether the key of the epoch `id` is among what {@link sealParents} sealed. */
export function hasParent(parents: Uint8Array, id: Uint8Array): boolean {
  return findParent(parents, id) !== undefined
}

/** The key of the epoch `id` out of what {@link sealParents} sealed. Check it against its commitment. */
export function openParent(
  room: Uint8Array,
  key: Uint8Array,
  parents: Uint8Array,
  id: Uint8Array
): Uint8Array | undefined {
  const sealed = findParent(parents, id)
  return sealed && openOnce(sealed, id, parentKey(room, key, id))
}

function findParent(parents: Uint8Array, id: Uint8Array): Uint8Array | undefined {
  for (let at = 0; at + PARENT_BYTES <= parents.length; at += PARENT_BYTES) {
    const parent = parents.subarray(at, at + PARENT_BYTES)
    if (equalBytes(parent.subarray(0, HASH_BYTES), id)) return parent.subarray(HASH_BYTES)
  }
  return undefined
}

/** By what a slot of {@link sealSlots} is found. */
export function tagOf(writer: Uint8Array): Uint8Array {
  return hash('covey/epoch/tag/1', writer).subarray(0, TAG_BYTES)
}

/** Seals one key only, because the ephemeral key pair is used for one op and the box is one device's. */
function wrapKey(kind: SlotKind, room: Uint8Array, shared: Uint8Array, ephemeral: Uint8Array, box: Uint8Array): Uint8Array {
  return hash(`covey/${kind}/slot/1`, room, shared, ephemeral, box)
}

function parentKey(room: Uint8Array, key: Uint8Array, id: Uint8Array): Uint8Array {
  return hash('covey/epoch/parent/1', room, key, id)
}
