import { equalBytes } from '@covey/core'
import type { UpstreamApplyState, UpstreamCheckpoint } from './autobase-internals.js'
import { boundedEncoding } from './bounded-encoding.js'

const KEY_BYTES = 32

/**
 * Believes an indexer's checkpoints only when they are whole, and lets none stop the process.
 *
 * The attack, in autobase 7.28.1: an indexer signs a block whose checkpoint lacks the system's
 * signature after one that had it, whose digest has no key, or which points to a block with other
 * parts. lib/apply-state.js reads them as if they were there (lines 178, 596, 604, 1607); the
 * TypeError reaches safety-catch (line 76), and every process in the room stops; or it comes out of
 * a flush, and the base closes.
 */
export function guardCheckpoints(state: UpstreamApplyState, onwarning: (error: unknown) => void): void {
  const create = state._createCheckpointCore.bind(state)
  state._createCheckpointCore = (...args) => {
    const checkpoint = create(...args)
    const { local } = state.base
    // What this device has signed is looked at before it signs on: the storage does not tell that it is its own.
    if (equalBytes(args[0], local.key)) Object.assign(checkpoint.core, { keyPair: local.keyPair, writable: local.writable })
    return guardCheckpoint(checkpoint, onwarning)
  }
  const sign = state.maybeSigned.bind(state)
  // Signatures are collected again at the next block of an indexer: to fail here loses nothing.
  state.maybeSigned = () =>
    sign().catch((error: unknown) => {
      if (!state.interrupted) onwarning(error)
    })
}

function guardCheckpoint(checkpoint: UpstreamCheckpoint, onwarning: (error: unknown) => void): UpstreamCheckpoint {
  const update = checkpoint.updateCheckpoints.bind(checkpoint)
  let bounded = false
  checkpoint.updateCheckpoints = async () => {
    const { core, length, digest, signatures } = checkpoint
    if (core.writable) return update()
    if (!bounded && core.valueEncoding !== null) {
      core.valueEncoding = boundedEncoding(core.valueEncoding)
      bounded = true
    }
    try {
      const updated = await update()
      if (!updated || isWhole(checkpoint)) return updated
    } catch (error) {
      if (!checkpoint.core.closing) onwarning(error)
    }
    Object.assign(checkpoint, { length, digest, signatures })
    return false
  }
  return checkpoint
}

function isWhole({ digest, signatures }: UpstreamCheckpoint): boolean {
  const { system, encryption, user } = signatures
  return digest?.key?.length === KEY_BYTES && system !== null && encryption !== null && !user.includes(null)
}
