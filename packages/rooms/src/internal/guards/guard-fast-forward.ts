import { withTimeout } from '@covey/core'
import { mapKey } from '../map-key.js'
import type { UpstreamFastForward } from './autobase-internals.js'

/**
 * Lets a fast-forward fail without harm.
 *
 * The attack, in autobase 7.28.1: the core to fast-forward to comes from an invite, or from what
 * indexers sign. One that holds anything but a system view makes hyperbee throw while it is decoded,
 * and lib/fast-forward.js:61 hands that to safety-catch: whoever opens the link, its process stops.
 */
export function guardFastForward(fastForward: UpstreamFastForward): UpstreamFastForward {
  const upgrade = fastForward._upgrade.bind(fastForward)
  fastForward._upgrade = () =>
    upgrade().catch((cause: unknown) => {
      // Of a kind that safety-catch lets pass: the caller counts the attempt as failed, and goes on.
      throw new Error('The core to fast-forward to cannot be read.', { cause })
    })
  return fastForward
}

/** More than so many blocks are downloaded later, when the room has gone forward: some 5,000 messages. */
const MAX_AWAITED_BLOCKS = 16_384

/** So many are here soon: nobody notices the wait. */
export const FEW_BLOCKS = 1_024

/** How many blocks of each core there are, by its key. */
type SignedLengths = ReadonlyMap<string, number>

/** How long it may take; what is here by then need not be downloaded at the next attempt. */
const DOWNLOAD_TIMEOUT_MS = 20_000

/**
 * Lets a member go forward only when what is new to it is on its disk, so that it can read alone what it could read
 * before: what it had not downloaded by then it does not wait for.
 *
 * Autobase 7.28.1 puts aside the view that was made here for one of which there is nothing but its last
 * blocks (lib/store.js, `catchup`). Where nobody is left then who has the others, messages that this
 * device itself has written cannot be shown.
 *
 * @param isReadable whether there is something that it can read alone now.
 * @param signedLengths up to where it goes by what is signed now, by the keys of its cores.
 */
export function keepReadable(fastForward: UpstreamFastForward, isReadable: () => boolean, signedLengths: () => SignedLengths): UpstreamFastForward {
  const upgrade = fastForward._upgrade.bind(fastForward)
  fastForward._upgrade = async () => {
    const max = isReadable() ? MAX_AWAITED_BLOCKS : FEW_BLOCKS
    // Before: they are those of the new view then.
    const lengths = signedLengths()
    if (!(await upgrade())) return false
    // Who has not even the room's first append has nothing to lose, and nothing to read meanwhile. Other newcomers wait for few blocks
    // only: parted too early, they could neither read them nor give them to who knows less.
    if (fastForward.base.core.length > 0) await download(fastForward, lengths, max)
    return true
  }
  return fastForward
}

/** @param max where more blocks are missing, none is waited for. */
async function download({ base, cores, key, length, views }: UpstreamFastForward, lengths: SignedLengths, max: number): Promise<void> {
  const missing = await Promise.all(
    [{ key, length }, ...views].map(async (view) => {
      const core = base.store.get({ key: view.key, active: true })
      // Closed with the others of the attempt.
      cores.push(core)
      await core.ready()
      // A tree that has grown leads to what it had before by the same blocks, and by new ones.
      return { core, start: Math.max(core.contiguousLength, lengths.get(mapKey(view.key)) ?? 0), end: view.length }
    })
  )
  const some = missing.filter(({ start, end }) => start < end)
  if (some.reduce((blocks, { start, end }) => blocks + end - start, 0) > max) return
  const downloads = some.map(({ core, start, end }) => core.download({ start, end }))
  try {
    await withTimeout(Promise.all(downloads.map((one) => one.done())), { timeoutMs: DOWNLOAD_TIMEOUT_MS })
  } finally {
    for (const one of downloads) one.destroy()
  }
}
