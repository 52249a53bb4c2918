import hypercoreCrypto, { type TreeNode } from 'hypercore-crypto'
import { pushRoot, spans } from '../equivocation.js'
import { tailOf, type CarriedBlock, type CarriedCore, type CarriedNode } from './format.js'

/** A subtree: the blocks from `start` on, `width` of them. */
interface Subtree {
  readonly start: number
  readonly width: number
}

/**
 * How many nodes go with a block, so that who takes the blocks of a core from `first` on, one after the
 * other, can tell that each is of the tree of `length` blocks: the first needs all up to a root, the
 * others those up to what the ones before have shown.
 */
export function nodesOf(index: number, first: number, length: number): number {
  let count = 0
  for (let node: Subtree = { start: index, width: 1 }; ; node = parentOf(node), count++) {
    const parent = parentOf(node)
    const isRoot = parent.start + parent.width > length
    const isShown = index > first && parent.start < index
    if (isRoot || isShown) return count
  }
}

/** The nodes beside the way up from a block, each in its place. */
export function besideBlock(index: number, nodes: readonly CarriedNode[]): TreeNode[] {
  let node: Subtree = { start: index, width: 1 }
  return nodes.map(({ hash, size }) => {
    const parent = parentOf(node)
    const start = node.start === parent.start ? node.start + node.width : parent.start
    const index = indexOf({ start, width: node.width })
    node = parent
    return { index, hash, size }
  })
}

/** The roots of the tree that a core's device has signed. */
export function rootsOf({ roots, length }: CarriedCore): TreeNode[] {
  return placed(spans(length, length), roots)
}

/** Makes up what has to be added to the first blocks of a core, to come to the tree that was signed. */
export interface Upgrade {
  /** Adds the next block. */
  push(index: number, block: CarriedBlock): void
  /** The nodes, as Hypercore wants them of a peer; when all blocks have been added. */
  nodes(core: CarriedCore): TreeNode[]
}

export function createUpgrade(): Upgrade {
  const found: TreeNode[] = []
  return {
    push: (index, { value }) => pushRoot(found, { index: 2 * index, size: value.length, hash: hypercoreCrypto.data(value) }),
    nodes({ end, length, tail }) {
      const all = [...found]
      for (const node of placed(tailOf(end, length), tail)) pushRoot(all, node)
      return all
    }
  }
}

function placed(spans: readonly { readonly index: number }[], nodes: readonly CarriedNode[]): TreeNode[] {
  return nodes.map(({ hash, size }, i) => ({ index: spans[i]!.index, hash, size }))
}

function parentOf({ start, width }: Subtree): Subtree {
  return { start: start - (start % (2 * width)), width: 2 * width }
}

function indexOf({ start, width }: Subtree): number {
  return 2 * start + width - 1
}
