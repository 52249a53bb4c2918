import { decodeZ32, equalBytes, KEY_BYTES } from '@covey/core'
import { isTime } from '../op.js'
import { decodeStruct } from '../structs.js'

export const CONTACT = 'contact/'
export const BLOCK = 'block/'

/** The last time that a change can have. No device can put a change where none comes after it. */
export const MAX_CHANGED_AT = 2 ** 43

/** What the devices of a person keep alike of the people they know, by name: `contact/<id>` and `block/<id>`. */
export interface SharedEntry {
  readonly id: string
  /** When it was changed, by the clock of the device; at least one more than what the device knew. */
  readonly changedAt: number
  readonly isRemoved: boolean
}

/** `undefined` for a name, or bytes, that are none. */
export function readShared(name: string, value: Uint8Array): SharedEntry | undefined {
  const prefix = [CONTACT, BLOCK].find((each) => name.startsWith(each))
  const id = prefix && name.slice(prefix.length)
  if (!id || !decodeZ32(id, KEY_BYTES).ok) return undefined
  const contact = prefix === CONTACT ? decodeStruct('contact', value) : undefined
  const block = prefix === BLOCK ? decodeStruct('block', value) : undefined
  const row = contact ?? block
  const changedAt = row?.changedAt || (contact?.addedAt ?? block?.blockedAt ?? Infinity)
  return row && isTime(changedAt) ? { id, changedAt: Math.min(changedAt, MAX_CHANGED_AT), isRemoved: row.removed === true } : undefined
}

/**
 * Whether an entry counts, and not the other of the same name: what was changed later does; of two that were in the
 * same millisecond the one that is not removed, and else the one whose bytes come later. A function of the two alone, so that all devices come to the same,
 * in whatever order they hear of them.
 */
export function counts(name: string, value: Uint8Array, other: Uint8Array | undefined): boolean {
  const own = readShared(name, value)
  if (own === undefined) return false
  const theirs = other && readShared(name, other)
  if (other === undefined || theirs === undefined) return true
  if (own.changedAt !== theirs.changedAt) return own.changedAt > theirs.changedAt
  return own.isRemoved === theirs.isRemoved ? compareBytes(value, other) > 0 : theirs.isRemoved
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  if (equalBytes(a, b)) return 0
  const at = a.findIndex((byte, i) => byte !== b[i])
  return at === -1 ? -1 : a[at]! - (b[at] ?? -1)
}
