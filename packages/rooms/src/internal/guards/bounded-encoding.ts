import type { OplogEncoding, OplogMessage } from './autobase-internals.js'
import { MAX_BLOCK_BYTES, MAX_HEADS } from './judge-block.js'

/** lib/caps.js, OPLOG_VERSION: what autobase writes. It would still read 0 and 1. */
const OPLOG_VERSION = 2

/**
 * Decodes a writer's block as autobase does, but only of the version that it writes and of a bounded size, without making
 * more heads than a block may have, and with checkpoints that have the parts that it then reads.
 */
export function boundedEncoding(upstream: OplogEncoding): OplogEncoding {
  return {
    preencode: upstream.preencode.bind(upstream),
    encode: upstream.encode.bind(upstream),
    decode(state) {
      if (state.end - state.start > MAX_BLOCK_BYTES) throw new Error('The block is too large.')
      if (state.buffer[state.start] !== OPLOG_VERSION) throw new Error('The version is not known.')
      if (smallUint(state.buffer, state.start + 1) > MAX_HEADS) throw new Error('There are too many heads.')
      const message = upstream.decode(state)
      message.checkpoint = soundCheckpoint(message.checkpoint)
      if (message.digest?.pointer === 0 && message.digest.key === null) message.digest = null
      return message
    }
  }
}

/** A checkpoint without a signature of the system says nothing, and `apply-state.js` trips over it. */
function soundCheckpoint(checkpoint: OplogMessage['checkpoint']): OplogMessage['checkpoint'] {
  return checkpoint?.system ? { ...checkpoint, user: checkpoint.user ?? [] } : null
}

/** A compact-encoding `uint`, or infinity for all that take more than two bytes. */
function smallUint(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  if (first < 0xfd) return first
  if (first > 0xfd) return Infinity
  return (bytes[at + 1] ?? 0) + (bytes[at + 2] ?? 0) * 0x100
}
