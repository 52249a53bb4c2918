import type { Manifest } from 'hypercore'
import { rootCount } from '../equivocation.js'
import { isForked, take, wrapSignature, type CarryingCore } from './carrying-core.js'
import type { Place } from './bundle-file.js'
import type { CarriedBlock, CarriedCore } from './format.js'
import type { UseBlocks } from './import-bundle.js'
import { besideBlock, createUpgrade, rootsOf } from './tree.js'

/** What a bundle has of one core. */
interface Part {
  readonly core: CarriedCore
  readonly manifest: Manifest
  /** Reads its blocks, again and again; resolves with what comes after them. */
  read(use: UseBlocks): Promise<Place>
}

interface Received {
  /** Blocks that were not here before. */
  readonly blocks: number
  /** Whether all of it is here now. */
  readonly isTaken: boolean
  readonly next: Place
}

/** How often it is begun again, because the core has grown over the network meanwhile. */
const MAX_TRIES = 4

/** Writes what a bundle has of a core, as far as its device has signed it and it fits what is here. */
export async function receiveCore(core: CarryingCore, part: Part): Promise<Received> {
  if (!(await isSigned(core, part))) return { blocks: 0, isTaken: false, next: await part.read(() => undefined) }
  let blocks = 0
  let isTaken = true
  const next = await part.read(async (first, carried) => {
    if (!isTaken) return
    const missing: { index: number; block: CarriedBlock }[] = []
    for (const [i, block] of carried.entries()) if (!(await core.has(first + i))) missing.push({ index: first + i, block })
    for (const wave of wavesOf(missing, part.core.start)) {
      const taken = await Promise.all(wave.map(({ index, block }) => take(core, proofOf(index, block))))
      blocks += taken.filter((isOne) => isOne).length
      isTaken &&= taken.every((isOne) => isOne)
    }
  })
  return { blocks, isTaken, next }
}

/** Whether the core here is, or has become, at least as long as what its device has signed for the bundle. */
async function isSigned(core: CarryingCore, part: Part): Promise<boolean> {
  const { start, end, length } = part.core
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const here = core.length
    if (isForked(core)) return false
    if (here >= length) return !(await isConflict(core, part))
    // What comes between is not here, and so nobody can tell what is signed.
    if (here < start || here > end) return false
    const upgrade = createUpgrade()
    await part.read((first, blocks) => {
      for (const [i, block] of blocks.entries()) if (first + i >= here) upgrade.push(first + i, block)
    })
    const isTaken = await take(core, {
      fork: 0,
      block: null,
      hash: null,
      seek: null,
      upgrade: {
        start: here,
        length: length - here,
        nodes: upgrade.nodes(part.core),
        additionalNodes: [],
        signature: wrapSignature(part.core.signature)
      },
      manifest: part.manifest
    })
    if (isTaken) return true
    if (core.length === here) return false
  }
  return false
}

/** Whether the device has signed another tree of this length. Hypercore remembers it, and the room is told. */
async function isConflict(core: CarryingCore, { core: carried, manifest }: Part): Promise<boolean> {
  const { length, signature } = carried
  // Without its last block nothing is known of what the tree here was at that length.
  if (!(await core.has(length - 1))) return false
  const nodes = rootsOf(carried)
  if (nodes.length !== rootCount(length)) return true
  const upgrade = { start: 0, length, nodes, additionalNodes: [], signature: wrapSignature(signature) }
  return core.core.checkConflict({ fork: 0, block: null, hash: null, seek: null, upgrade, manifest }, null)
}

/**
 * Blocks that can be proven side by side, in the order in which each gives what the next need: the nodes
 * that go with a block end where those of the block end whose number has its last set bit taken away.
 */
function wavesOf<Numbered extends { readonly index: number }>(blocks: readonly Numbered[], first: number): Numbered[][] {
  const waves: Numbered[][] = []
  for (const block of blocks) {
    const wave = block.index === first ? 0 : 1 + rootCount(block.index)
    ;(waves[wave] ??= []).push(block)
  }
  return waves.filter((wave) => wave !== undefined)
}

function proofOf(index: number, { value, nodes }: CarriedBlock) {
  return { fork: 0, block: { index, value, nodes: besideBlock(index, nodes) }, hash: null, seek: null, upgrade: null, manifest: null }
}
