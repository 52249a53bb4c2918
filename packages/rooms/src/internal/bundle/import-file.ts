import { throwIfAborted } from '@covey/core'
import type { ImportedBundle } from '../../bundle.js'
import { RoomError } from '../../errors.js'
import type { Place } from '../shelf/place.js'
import { createTurnTaker } from '../take-turns.js'
import { openBundle } from './bundle-file.js'
import { importBundle } from './import-bundle.js'
import { isOfRoom, type BundleHeader } from './seal.js'
import { sealSummary } from './summary.js'

/** One at a time into a room: they would have the same cores grow. */
const inTurn = createTurnTaker()

/** What came of it, and in which room, by id. */
type Imported = Omit<ImportedBundle, 'room'> & { readonly id: string }

/** Imports a bundle into the room that it is of. */
export async function importFile(path: string, places: ReadonlyMap<string, Place>, signal: AbortSignal | undefined): Promise<Imported> {
  const bundle = await openBundle(path)
  try {
    const place = await placeOf(bundle.header, [...places.values()], signal)
    if (place === undefined) throw new RoomError('BUNDLE_FOREIGN', 'The bundle is of a room that this peer is not in.')
    return await place.use(async (opened) => {
      const key = opened.base.encryptionKey!
      const { had, ...imported } = await inTurn(place.id, () => importBundle(opened, bundle.frames(key), signal))
      return { id: place.id, ...imported, summary: sealSummary(key, had) }
    })
  } finally {
    await bundle.close()
  }
}

async function placeOf(header: BundleHeader, places: readonly Place[], signal: AbortSignal | undefined): Promise<Place | undefined> {
  for (const place of places) {
    throwIfAborted(signal)
    const key = place.opened?.base.encryptionKey ?? place.note?.encryptionKey ?? (await keyOf(place))
    if (key !== undefined && isOfRoom(header, key)) return place
  }
  return undefined
}

/** Of a room of which nothing is known while it is asleep. One that does not open says so itself, and takes nothing. */
function keyOf(place: Place): Promise<Uint8Array | undefined> {
  return place.use(async ({ base }) => base.encryptionKey!).catch(() => undefined)
}
