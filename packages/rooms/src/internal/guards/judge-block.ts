import type { Head } from 'autobase'
import type { Manifest } from 'hypercore'
import { encodeZ32, equalBytes } from '@covey/core'
import type { GraphNode } from './autobase-internals.js'

// What is decided here must be the same on every peer and for ever: a writer whom some read on and
// others do not divides the room. So only the bytes of the writer's own core are looked at.

/**
 * The most heads that a block may have. An honest block has at most one for each device that wrote
 * since the last, and the room's quotas bound those.
 */
export const MAX_HEADS = 16_384

/** The most blocks in one append: readers hold it whole before they use any of it. */
export const MAX_BATCH_BLOCKS = 4_096

/** The most bytes of values in one append: more than messages that are sent together come to, 24 MiB. */
export const MAX_BATCH_BYTES = 32 * 1_048_576

/** The most bytes of a block: an op of 96 KiB, the most heads, and room for what autobase adds. */
export const MAX_BLOCK_BYTES = 1_048_576

/** Why a writer is not read on. */
export type FrozenReason =
  | 'bad-core'
  | 'forked'
  | 'undecodable'
  | 'too-many-heads'
  | 'duplicated-head'
  | 'empty-head'
  | 'own-future-head'
  | 'batch-count'
  | 'batch-heads'
  | 'batch-bytes'
  | 'batch-optimistic'

/**
 * A writer's core is one that its device made alone: one signer, nothing else. In a manifest of a
 * later version its blocks would name the key that they are encrypted with, and the reader would
 * wait for that one without end.
 */
export function judgeCore(manifest: Manifest | null): FrozenReason | undefined {
  if (manifest === null) return 'bad-core'
  const { version, signers, quorum, allowPatch, prologue, linked, userData } = manifest
  const isPlain = version === 1 && signers.length === 1 && quorum === 1 && !allowPatch
  return isPlain && !prologue && !linked && !userData ? undefined : 'bad-core'
}

/**
 * Whether a block is one that autobase itself could have written after the `previous` one.
 *
 * @param previous the block before, or `null` where an append is known to have ended.
 */
export function judgeBlock(node: GraphNode, previous: GraphNode | null): FrozenReason | undefined {
  const { batch, actualHeads: heads, writer, length } = node
  const { key } = writer.core
  const within = previous !== null && previous.batch > 1
  const bytes = (within ? (appended.get(previous) ?? 0) : 0) + (node.value?.byteLength ?? 0)
  appended.set(node, bytes)
  if (bytes > MAX_BATCH_BYTES) return 'batch-bytes'
  if (within) {
    if (batch !== previous.batch - 1) return 'batch-count'
    // An append has one place in the order: its blocks follow each other and nothing else.
    const [head] = heads
    if (heads.length !== 1 || head!.length !== length - 1 || !equalBytes(head!.key, key)) return 'batch-heads'
    return node.optimistic ? 'batch-optimistic' : undefined
  }
  if (batch < 1 || batch > MAX_BATCH_BLOCKS) return 'batch-count'
  return judgeHeads(heads, key, length)
}

/** How many bytes of values an append has up to a block of it. */
const appended = new WeakMap<GraphNode, number>()

function judgeHeads(heads: readonly Head[], own: Uint8Array, length: number): FrozenReason | undefined {
  if (heads.length > MAX_HEADS) return 'too-many-heads'
  const seen = new Set<string>()
  for (const head of heads) {
    if (head.length < 1) return 'empty-head'
    if (head.length >= length && equalBytes(head.key, own)) return 'own-future-head'
    seen.add(`${encodeZ32(head.key)}@${head.length}`)
  }
  return seen.size === heads.length ? undefined : 'duplicated-head'
}
