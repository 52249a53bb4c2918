import { mapKey } from './map-key.js'
import { tagOf, tagsIn } from './slots.js'
import type { DeviceRow, GrantRow } from './view.js'

/** Who holds the key of an epoch, beside who is in the room. */
export interface Holders {
  /** A device has come, gone, or is another. */
  changed(before: DeviceRow | undefined, after: DeviceRow | undefined): void
  /** A device was granted the key, or was not after all. */
  granted(before: GrantRow | undefined, after: GrantRow | undefined): void
  /** The present devices that do not hold it, or `undefined` if somebody holds it who is not present. */
  missing(): DeviceRow[] | undefined
}

/** @param slots those of the rotation that began the epoch. */
export function createHolders(slots: Uint8Array): Holders {
  const tags = tagsIn(slots)
  const present = new Map<string, { readonly row: DeviceRow; readonly tag: string }>()
  /** How many present devices a tag of the slots is of. */
  const tagged = new Map<string, number>()
  const grants = new Map<string, number>()
  const lacking = new Map<string, DeviceRow>()
  const strangers = new Set<string>()

  function look(writer: Uint8Array): void {
    const name = mapKey(writer)
    const device = present.get(name)
    const isGranted = grants.has(name)
    if (device !== undefined && !isGranted && !tags.has(device.tag)) lacking.set(name, device.row)
    else lacking.delete(name)
    if (device === undefined && isGranted) strangers.add(name)
    else strangers.delete(name)
  }

  return {
    changed(before, after) {
      if (before !== undefined && !before.removed) {
        const name = mapKey(before.writer)
        const tag = present.get(name)?.tag
        present.delete(name)
        if (tag !== undefined && tags.has(tag)) count(tagged, tag, -1)
      }
      if (after !== undefined && !after.removed) {
        const tag = mapKey(tagOf(after.writer))
        present.set(mapKey(after.writer), { row: after, tag })
        if (tags.has(tag)) count(tagged, tag, 1)
      }
      look((after ?? before)!.writer)
    },
    granted(before, after) {
      if (before !== undefined) count(grants, mapKey(before.writer), -1)
      if (after !== undefined) count(grants, mapKey(after.writer), 1)
      look((after ?? before)!.writer)
    },
    missing() {
      return strangers.size > 0 || tagged.size < tags.size ? undefined : [...lacking.values()]
    }
  }
}

function count(counts: Map<string, number>, name: string, by: number): void {
  const next = (counts.get(name) ?? 0) + by
  if (next === 0) counts.delete(name)
  else counts.set(name, next)
}
