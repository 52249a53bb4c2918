import type Autobase from 'autobase'
import { encodeZ32, equalBytes, isCoveyError, throwIfAborted } from '@covey/core'
import type { RoomView } from '../view.js'
import { malformed, type BundleFrames, type Place } from './bundle-file.js'
import { coreOf, withCore } from './carrying-core.js'
import { MAX_DEVICES, type CarriedBlock, type CarriedCore, type Had } from './format.js'
import { receiveCore } from './receive-core.js'

/** What came of a bundle. */
interface Imported {
  /** Blocks that were not here before. */
  readonly blocks: number
  /** Devices whose part was not taken. */
  readonly skipped: number
  /** What its maker has. */
  readonly had: readonly Had[]
}

/** How many devices the room is told of at a time. */
const MAX_HINTS = 512

/**
 * Takes what a bundle has of the writing of the room's devices, each block proven as if a peer had sent it,
 * and has the room read it.
 *
 * @throws {RoomError} BUNDLE_MALFORMED when everything before the damage has been taken
 */
export async function importBundle(
  { base, view }: { readonly base: Autobase<RoomView>; readonly view: RoomView },
  frames: BundleFrames,
  signal?: AbortSignal
): Promise<Imported> {
  const head = await frames.read(frames.first)
  if (head.frame.type !== 'had') throw malformed('The bundle is damaged.')
  let blocks = 0
  let skipped = 0
  let hints: { key: Uint8Array; length: number }[] = []
  let damage: unknown

  /** Resolves with where the next part is, and whether this one has to wait until the room knows the device. */
  async function take(place: Place): Promise<{ readonly next: Place; readonly isUnknown: boolean } | undefined> {
    throwIfAborted(signal)
    const { frame, next } = await frames.read(place)
    if (frame.type === 'end') return undefined
    if (frame.type !== 'core') throw malformed('The bundle is damaged.')
    const { key, manifest } = coreOf(frame.signer)
    const isOwn = equalBytes(key, base.local.key)
    const isKnown = !isOwn && (await view.device(key)) !== null
    const part = { core: frame, manifest, read: (use: UseBlocks) => readBlocks(frames, next, frame, use, signal) }
    if (!isKnown) return { next: await part.read(() => undefined), isUnknown: !isOwn }
    const received = await withCore(base, key, (core) => receiveCore(core, part))
    blocks += received.blocks
    if (!received.isTaken) skipped++
    hints.push({ key, length: frame.end })
    return { next: received.next, isUnknown: false }
  }

  async function tellRoom(): Promise<void> {
    for (let from = 0; from < hints.length; from += MAX_HINTS) {
      base.hintWakeup(hints.slice(from, from + MAX_HINTS))
      await settle(base)
    }
    hints = []
  }

  let unknown: Place[] = []
  try {
    let place = head.next
    for (let count = 0; ; count++) {
      if (count > MAX_DEVICES) throw malformed('The bundle is damaged.')
      const taken = await take(place)
      if (taken === undefined) break
      if (taken.isUnknown) unknown.push(place)
      place = taken.next
    }
  } catch (error) {
    if (!isCoveyError(error, 'BUNDLE_MALFORMED')) throw error
    damage = error
  }
  await tellRoom()
  // What has been read may have let in whose writing comes before it in the file.
  for (let before = Infinity; unknown.length > 0 && unknown.length < before; ) {
    before = unknown.length
    const still: Place[] = []
    for (const place of unknown) if ((await take(place))?.isUnknown) still.push(place)
    unknown = still
    await tellRoom()
  }
  if (damage !== undefined) throw damage
  return { blocks, skipped: skipped + unknown.length, had: head.frame.had }
}

/** Is given the blocks of a core, some at a time, in their order. */
export type UseBlocks = (first: number, blocks: readonly CarriedBlock[]) => Promise<void> | void

/** Reads the blocks of a core from `place` on; resolves with what comes after them. */
async function readBlocks(frames: BundleFrames, place: Place, { start, end }: CarriedCore, use: UseBlocks, signal?: AbortSignal): Promise<Place> {
  let next = place
  for (let index = start; index < end; ) {
    throwIfAborted(signal)
    const read = await frames.read(next)
    const { frame } = read
    if (frame.type !== 'blocks' || frame.first !== index || index + frame.blocks.length > end) throw malformed('The bundle is damaged.')
    await use(index, frame.blocks)
    index += frame.blocks.length
    next = read.next
  }
  return next
}

/** A room that is written to all the time is never still; what is left is read in the background. */
const MAX_ROUNDS = 64

/** Has all that is here read: news of one device may be what another waits for. */
async function settle(base: Autobase<RoomView>): Promise<void> {
  // Twice the same: the first round has the devices opened that were hinted at, and may show nothing yet.
  for (let rounds = 0, still = 0, before = ''; rounds < MAX_ROUNDS && still < 2; rounds++) {
    await base.update()
    const heads = base.heads().map(({ key, length }) => `${encodeZ32(key)} ${length}`).join()
    const now = `${base.length} ${heads}`
    still = now === before ? still + 1 : 0
    before = now
  }
}
