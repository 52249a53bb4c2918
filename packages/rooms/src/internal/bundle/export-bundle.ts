import type Autobase from 'autobase'
import { encodeZ32, throwIfAborted } from '@covey/core'
import type { ExportedBundle } from '../../bundle.js'
import type { RoomView } from '../view.js'
import { createBundle, type BundleWriter } from './bundle-file.js'
import { endOfRun, isForked, unwrapSignature, withCore, type CarryingCore } from './carrying-core.js'
import { FRAME_BYTES, MAX_VALUE_BYTES, sizeOf, type CarriedBlock, type CarriedCore, type Had } from './format.js'
import { whatIsHere } from './summary.js'
import { nodesOf } from './tree.js'

interface ExportInit {
  readonly base: Autobase<RoomView>
  readonly view: RoomView
  readonly path: string
  /** What they have who it is for. */
  readonly had: readonly Had[]
  readonly signal?: AbortSignal | undefined
}

/** How many blocks are read at a time. */
const READ_BLOCKS = 32

/** Writes what this device has of everybody's writing, and others lack, to a file. */
export async function exportBundle({ base, view, path, had, signal }: ExportInit): Promise<ExportedBundle> {
  const known = new Map(had.map(({ writer, length }) => [encodeZ32(writer), length]))
  const file = await createBundle(path, base.encryptionKey!)
  let blocks = 0
  try {
    await file.write({ type: 'had', had: await whatIsHere({ base, view }) })
    for (const { writer } of await view.all('devices')) {
      throwIfAborted(signal)
      blocks += await withCore(base, writer, (core) => carry(core, known.get(encodeZ32(writer)) ?? 0, file, signal))
    }
    await file.write({ type: 'end' })
    await file.finish()
  } catch (error) {
    await file.discard()
    throw error
  }
  return { blocks, bytes: file.bytes }
}

/** Writes the blocks of a core from `since` on, as far as they are here without a gap; resolves with their number. */
async function carry(core: CarryingCore, since: number, file: BundleWriter, signal: AbortSignal | undefined): Promise<number> {
  const carried = isForked(core) ? undefined : await prove(core, since)
  if (carried === undefined) return 0
  const { start, end, length } = carried
  await file.write({ type: 'core', ...carried })
  let first = start
  let blocks: CarriedBlock[] = []
  let size = 0
  for (let from = start; from < end; from += READ_BLOCKS) {
    throwIfAborted(signal)
    const indexes = Array.from({ length: Math.min(READ_BLOCKS, end - from) }, (_, i) => from + i)
    for (const block of await Promise.all(indexes.map((index) => readBlock(core, index, nodesOf(index, start, length))))) {
      if (blocks.length > 0 && size + sizeOf(block) > FRAME_BYTES) {
        await file.write({ type: 'blocks', first, blocks })
        first += blocks.length
        blocks = []
        size = 0
      }
      blocks.push(block)
      size += sizeOf(block)
    }
  }
  await file.write({ type: 'blocks', first, blocks })
  return end - start
}

/** What is to be said of a core before its blocks; `undefined` when none of them is here. */
async function prove(core: CarryingCore, since: number): Promise<CarriedCore | undefined> {
  let start = since
  while (start < core.length && !(await core.has(start))) start++
  const end = await endOfRun(core, start)
  const signer = core.manifest?.signers[0]?.publicKey
  if (start >= end || signer === undefined) return undefined
  // Both of the same tree: a core may grow while it is read.
  const { length } = core
  const whole = core.proof({ upgrade: { start: 0, length } })
  const rest = end < length ? core.proof({ upgrade: { start: end, length: length - end } }) : undefined
  const [{ upgrade: signed }, tail] = await Promise.all([whole, rest])
  const signature = unwrapSignature(signed!.signature)
  if (signature === undefined) return undefined
  return { signer, start, end, length, signature, roots: signed!.nodes, tail: tail?.upgrade?.nodes ?? [] }
}

async function readBlock(core: CarryingCore, index: number, nodes: number): Promise<CarriedBlock> {
  const { block } = await core.proof({ block: { index, nodes } })
  if (block?.value === undefined || block.value === null || block.value.length > MAX_VALUE_BYTES) throw new Error('A block is not as it was written.')
  return block
}
