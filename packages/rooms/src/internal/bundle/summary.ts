import type Autobase from 'autobase'
import { concatBytes } from '@covey/core'
import { RoomError } from '../../errors.js'
import { hash, open, seal } from '../crypto.js'
import type { RoomView } from '../view.js'
import { endOfRun, withCore } from './carrying-core.js'
import { decodeHad, encodeHad, type Had } from './format.js'

const VERSION = 1
const CLEAR = Uint8Array.of(VERSION)

/** What this device needs nothing more of. */
export async function whatIsHere({ base, view }: { readonly base: Autobase<RoomView>; readonly view: RoomView }): Promise<Had[]> {
  const had: Had[] = []
  for (const { writer } of await view.all('devices')) {
    // What has been applied is in the view, also where a fast-forward went past the blocks; but what comes
    // after it can be proven only on top of a tree that is here.
    const applied = (await view.writer(writer))?.length ?? 0
    const length = await withCore(base, writer, (core) => endOfRun(core, Math.min(applied, core.length)))
    if (length > 0) had.push({ writer, length })
  }
  return had
}

/** For somebody else of the room, who is to bring what this device lacks. */
export function sealSummary(roomKey: Uint8Array, had: readonly Had[]): Uint8Array {
  return concatBytes(CLEAR, seal(encodeHad(had), CLEAR, keyOf(roomKey)))
}

/** @throws {RoomError} BUNDLE_UNSUPPORTED, BUNDLE_MALFORMED for what is no summary of this room */
export function openSummary(roomKey: Uint8Array, summary: Uint8Array): Had[] {
  if (summary.length > 0 && summary[0] !== VERSION) {
    throw new RoomError('BUNDLE_UNSUPPORTED', 'The summary is of a version that this one does not know.')
  }
  const plain = open(summary.subarray(1), CLEAR, keyOf(roomKey))
  const had = plain && decodeHad(plain)
  if (had === undefined) throw new RoomError('BUNDLE_MALFORMED', 'This is no summary of the room, or it is damaged.')
  return had
}

function keyOf(roomKey: Uint8Array): Uint8Array {
  return hash('covey/rooms/bundle-summary/1', roomKey)
}
