import type Corestore from 'corestore'

/** lib/core.js of hypercore 11.37.1: what all sessions of a core share. */
interface UpstreamCore {
  checkConflict(proof: object, from: object): Promise<boolean>
  verifyReorg(proof: object): Promise<never>
}

/**
 * What a mirror holds stays what it was: nobody takes a block back, and nothing that a stranger sends freezes a core.
 *
 * Hypercore replaces blocks when their writer signs another past with a higher fork number, and freezes a core on
 * disk, for good, when two signed trees differ; a tree with a node too many is taken for one that differs
 * (docs/guards.md, `conflict-invented`). Who reads the core judges what its writer did; a mirror only keeps it.
 */
export function keepAsIs(corestore: Corestore): void {
  corestore.watch((opened) => {
    const core = opened as unknown as UpstreamCore
    // `true`: nothing more is done with what was sent.
    core.checkConflict = async () => true
    core.verifyReorg = async () => {
      throw new Error('A mirror takes nothing back.')
    }
  })
}
