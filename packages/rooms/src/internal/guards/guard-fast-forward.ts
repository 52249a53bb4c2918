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
