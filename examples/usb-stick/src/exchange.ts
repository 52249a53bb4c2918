import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Peer, Room } from 'covey'

/** What an exchange has brought. */
export interface Exchange {
  /** Blocks that were not here before. */
  readonly taken: number
  /** Whether the stick has all that this device has now. */
  readonly isLeft: boolean
}

/**
 * Takes from a stick what is new, and leaves there what this device has: all of it, for whoever comes next. The stick
 * has one file, and whoever has plugged it in last has read everything before.
 */
export async function exchange(peer: Peer, room: Room, stick: string): Promise<Exchange> {
  const path = join(stick, `${room.id.slice(0, 8)}.bundle`)
  const isThere = await access(path).then(() => true, () => false)
  const { blocks, skipped } = isThere ? await peer.rooms.importBundle(path) : { blocks: 0, skipped: 0 }
  // What could not be taken yet is for the next one, and not to be written over.
  if (skipped > 0) return { taken: blocks, isLeft: false }
  await room.exportBundle(path)
  return { taken: blocks, isLeft: true }
}
