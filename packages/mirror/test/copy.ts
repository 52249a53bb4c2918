import { createHash } from 'node:crypto'
import type Corestore from 'corestore'
import type { Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'

const BLOCK_BYTES = 65_536

/** Whether all blocks of a core come to another node, as they were written. */
export async function copy(from: Node, to: Node, count: number): Promise<boolean> {
  const mine = storeOf(from).get({ name: `core-${count}` })
  const blocks = Array.from({ length: count }, (_, i) => Buffer.alloc(BLOCK_BYTES, i))
  await mine.append(blocks)
  const theirs = storeOf(to).get({ key: mine.key! })
  const hash = createHash('sha256')
  for (const i of blocks.keys()) hash.update((await theirs.get(i))!)
  return hash.digest().equals(createHash('sha256').update(Buffer.concat(blocks)).digest())
}

function storeOf(node: Node): Corestore {
  return partsOf(node).corestore as Corestore
}
