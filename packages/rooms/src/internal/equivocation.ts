import Hypercore, { type UpgradeProof } from 'hypercore'
import hypercoreCrypto, { type TreeNode } from 'hypercore-crypto'
import { concatBytes, equalBytes } from '@covey/core'
import type { Structs } from './structs.js'

/**
 * That the key of a writer's core signed two pasts: two trees that differ in their first `at` blocks, or
 * one tree after others were taken back, which no honest software does.
 */
export type Equivocation = Structs['equivocation']

/** A tree of a core, as its key signed it. */
export type SignedTree = Structs['signed-tree']

const HASH_BYTES = 32
const NODE_BYTES = HASH_BYTES + 8

/** Of a core, and of what is in it: more than anybody can store, and exact as a number. */
export const MAX_LENGTH = 2 ** 40
export const MAX_BYTES = 2 ** 45

/** What Hypercore signs begins with it. @see hypercore, lib/caps.js */
const TREE = hypercoreCrypto.namespace('hypercore', 1)[0]!

/** Whether a proof proves. Depends on nothing but its argument. */
export function isEquivocation({ writer, signer, at, first, second }: Equivocation): boolean {
  if (!equalBytes(Hypercore.key(signer), writer)) return false
  const one = openTree(writer, signer, at, first)
  if (one === undefined) return false
  if (!second) return first.fork > 0
  const other = openTree(writer, signer, at, second)
  return other !== undefined && !equalBytes(one, other)
}

/** What a core's proof of an upgrade from nothing to `at`, as Hypercore makes it, comes to as a struct. */
export function signedTree({ fork, upgrade }: UpgradeProof): SignedTree | undefined {
  const { length: at, nodes, additionalNodes, signature } = upgrade
  const all = [...nodes, ...additionalNodes]
  const last = all.at(-1)
  // A signature of one signer, as hypercore has it in a manifest of version 1: a list of one, no patch.
  if (last === undefined || signature?.length !== 68 || signature[0] !== 1 || signature[1] !== 0) return undefined
  const length = lastLeaf(last.index) + 1
  if (!Number.isSafeInteger(length) || length > MAX_LENGTH || at > length) return undefined
  const shape = spans(at, length)
  if (shape.length !== all.length || shape.some(({ index }, i) => index !== all[i]!.index)) return undefined
  return { fork, length, nodes: concatBytes(...all.map(encodeNode)), signature: signature.slice(2, 66) }
}

/** The hash of a tree's first `at` blocks, if the whole of it is signed. */
function openTree(
  writer: Uint8Array,
  signer: Uint8Array,
  at: number,
  { fork, length, nodes, signature }: SignedTree
): Uint8Array | undefined {
  if (at < 1 || at > length || length > MAX_LENGTH || !Number.isSafeInteger(fork)) return undefined
  const shape = spans(at, length)
  if (nodes.length !== shape.length * NODE_BYTES) return undefined
  const decoded = shape.map(({ index }, i) => decodeNode(index, nodes.subarray(i * NODE_BYTES, (i + 1) * NODE_BYTES)))
  if (decoded.some(({ size }) => size > MAX_BYTES)) return undefined
  const roots = decoded.slice(0, rootCount(at))
  const shared = hypercoreCrypto.tree(roots)
  for (const node of decoded.slice(roots.length)) pushRoot(roots, node)
  const signed = concatBytes(TREE, writer, hypercoreCrypto.tree(roots), uint64(length), uint64(fork))
  return hypercoreCrypto.verify(signed, signature, signer) ? shared : undefined
}

export interface Span {
  readonly index: number
}

/**
 * The subtrees that a tree of `length` blocks is made of, from left to right: the roots of the tree of
 * its first `at` blocks, and what has to be added to those.
 */
export function spans(at: number, length: number): Span[] {
  const found: Span[] = []
  let start = 0
  for (const end of [at, length]) {
    while (start < end) {
      // The largest that may begin here: a subtree begins at a multiple of its size.
      let size = 1
      while (start % (size * 2) === 0 && start + size * 2 <= end) size *= 2
      found.push({ index: 2 * start + size - 1 })
      start += size
    }
  }
  return found
}

/** A tree has a root for each bit of its length. */
export function rootCount(length: number): number {
  let count = 0
  for (let rest = length; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2
  return count
}

/** How many blocks a subtree has; its index ends in as many ones as it has levels above the blocks. */
function width(index: number): number {
  let size = 1
  while (Math.floor(index / size) % 2 === 1) size *= 2
  return size
}

function lastLeaf(index: number): number {
  return (index + width(index) - 1) / 2
}

/** Adds a subtree on the right, and joins what has become whole. */
export function pushRoot(roots: TreeNode[], node: TreeNode): void {
  const left = roots.at(-1)
  const size = width(node.index)
  const isPair = left !== undefined && width(left.index) === size && Math.floor(left.index / (2 * size)) % 2 === 0
  if (!isPair) return void roots.push(node)
  roots.pop()
  const index = (left.index + node.index) / 2
  pushRoot(roots, { index, size: left.size + node.size, hash: hypercoreCrypto.parent(left, node) })
}

function encodeNode({ hash, size }: TreeNode): Uint8Array {
  return concatBytes(hash, uint64(size))
}

function decodeNode(index: number, bytes: Uint8Array): TreeNode {
  const size = new DataView(bytes.buffer, bytes.byteOffset + HASH_BYTES, 8).getBigUint64(0, true)
  return { index, size: Number(size), hash: bytes.subarray(0, HASH_BYTES) }
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true)
  return bytes
}
