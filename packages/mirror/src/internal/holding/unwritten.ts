import type Corestore from 'corestore'
import { isOfDisk } from '@covey/transport/internal'

/** lib/replicator.js of hypercore 11.37.1: somebody who gives blocks of a core. */
interface UpstreamPeer {
  /** Whether it is asked for nothing more. */
  paused: boolean
  readonly replicator: { updatePeer(peer: UpstreamPeer): void }
}

/** lib/core.js of hypercore 11.37.1. */
interface UpstreamCore {
  verify(proof: object, from: UpstreamPeer): Promise<boolean>
}

/** Those whose blocks the disk did not take. */
export interface Unwritten {
  /** Asks them again. */
  askAgain(): void
}

/**
 * Tells when the disk does not take a block. Hypercore 11.37.1 then asks whoever sent it for nothing more, as if the block
 * had been wrong, for as long as they are connected, and tells nobody (lib/replicator.js:1283).
 */
export function watchUnwritten(corestore: Corestore, onunwritten: () => void): Unwritten {
  const stopped = new Set<UpstreamPeer>()
  corestore.watch((opened) => {
    const core = opened as unknown as UpstreamCore
    const verify = core.verify.bind(core)
    core.verify = async (proof, from) => {
      try {
        return await verify(proof, from)
      } catch (error) {
        if (isOfDisk(error)) {
          stopped.add(from)
          onunwritten()
        }
        throw error
      }
    }
  })
  return {
    askAgain() {
      for (const peer of stopped) {
        peer.paused = false
        peer.replicator.updatePeer(peer)
      }
      stopped.clear()
    }
  }
}
