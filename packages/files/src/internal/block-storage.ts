import hypercoreCrypto from 'hypercore-crypto'
import { equalBytes } from '@covey/core'
import { BLOCK_BYTES } from '../constants.js'
import { FileError } from '../errors.js'
import { decodeEnd } from './crypto.js'
import type { Place } from './place.js'
import type { UpstreamStorage, UpstreamStorages } from './upstream.js'

/** The blocks of one file's core: where their bytes are, in place of the database below. */
export interface Blocks {
  readonly key: Uint8Array
  /** Written is to the first; read is from the first that has the right bytes. */
  readonly places: readonly Place[]
  /** Whether the file was forgotten, or given back, while peers go on to send it: nothing of it is to be written any more. */
  readonly isUnwanted: boolean
  /** Whether a block of this file may have so many bytes. */
  fits(index: number, bytes: number): boolean
  /** Whether the core says that a block is here. */
  has(index: number): boolean
  /** It is not, or not as its hash in the tree has it. */
  onlost(index: number): void
  /** A block is read. */
  onread(): void
  /** The disk did not take, or give, what it should. */
  onfailure(error: FileError): void
}

/**
 * Keeps the bytes of blocks out of the database, for cores that `find` knows; the signed tree stays in it. A block
 * that is read is compared with its hash in the tree, so what has changed on disk is never sent or shown.
 *
 * Wraps two methods of one storage (hypercore-storage 3.3.1), through which each core of a store is opened, also by a
 * peer who asks for it.
 */
export function keepBlocks(storages: UpstreamStorages, find: (discoveryKey: Uint8Array) => Blocks | undefined): () => void {
  const { resumeCore, createCore } = storages
  const wrap = (discoveryKey: Uint8Array, storage: UpstreamStorage | null): void => {
    const blocks = find(discoveryKey)
    if (blocks !== undefined && storage !== null) wrapStorage(storage, blocks)
  }
  storages.resumeCore = async (discoveryKey) => {
    const storage = await resumeCore.call(storages, discoveryKey)
    wrap(discoveryKey, storage)
    return storage
  }
  storages.createCore = async (init) => {
    const storage = await createCore.call(storages, init)
    wrap(init.discoveryKey, storage)
    return storage
  }
  return () => Object.assign(storages, { resumeCore, createCore })
}

/** The blocks of each storage that is wrapped: others, when a file that was forgotten is opened anew. */
const wrapped = new WeakMap<UpstreamStorage, { blocks: Blocks }>()

export function wrapStorage(storage: UpstreamStorage, blocks: Blocks): void {
  const known = wrapped.get(storage)
  if (known !== undefined) {
    known.blocks = blocks
    return
  }
  const current = { blocks }
  wrapped.set(storage, current)
  const read = storage.read.bind(storage)
  const write = storage.write.bind(storage)

  storage.read = (fork) => {
    const batch = read(fork)
    const getStored = batch.getBlock.bind(batch)
    batch.getBlock = async (index) => {
      const { blocks } = current
      // Both at once, because the batch is sent off when its caller has asked for everything.
      const [stored, leaf] = await Promise.all([getStored(index), batch.getTreeNode(index * 2)])
      if (stored !== null || leaf === null || !blocks.has(index)) return stored
      return readBlock(blocks, index, leaf)
    }
    return batch
  }

  storage.write = () => {
    const batch = write()
    const putStored = batch.putBlock.bind(batch)
    const flush = batch.flush.bind(batch)
    const deleteBlock = batch.deleteBlock.bind(batch)
    const deleteBlockRange = batch.deleteBlockRange.bind(batch)
    const taken: [index: number, block: Uint8Array][] = []
    const dropped: [start: number, end: number][] = []
    batch.deleteBlock = (index) => {
      deleteBlock(index)
      dropped.push([index, index + 1])
    }
    batch.deleteBlockRange = (start, end) => {
      deleteBlockRange(start, end)
      dropped.push([start, end === -1 ? Infinity : end])
    }
    // Hypercore removes the hashes of what it clears, and then fails where a peer, who has not heard yet, asks for what
    // they prove: with all that the peer has to do with this device. They are 0.1 % of a file.
    batch.deleteTreeNode = () => undefined
    batch.putBlock = (index, block) => {
      if (decodeEnd(current.blocks.key, index, block) !== undefined) putStored(index, block)
      else taken.push([index, block])
    }
    batch.flush = async () => {
      const { blocks } = current
      if (taken.length > 0) await writeBlocks(blocks, taken)
      const isFlushed = await flush()
      for (const [start, end] of dropped) await dropBlocks(blocks, start, end)
      return isFlushed
    }
    return batch
  }
}

async function readBlock(blocks: Blocks, index: number, leaf: { hash: Uint8Array; size: number }): Promise<Uint8Array | null> {
  if (leaf.size > BLOCK_BYTES) return null
  blocks.onread()
  for (const place of blocks.places) {
    const block = await place.read(index, leaf.size).catch((cause: unknown) => {
      if ((cause as { code?: string }).code !== 'ENOENT') blocks.onfailure(storageError(cause))
      return undefined
    })
    if (block?.length === leaf.size && equalBytes(hypercoreCrypto.data(block), leaf.hash)) return block
  }
  blocks.onlost(index)
  return null
}

async function writeBlocks(blocks: Blocks, taken: readonly (readonly [number, Uint8Array])[]): Promise<void> {
  if (blocks.isUnwanted) throw new FileError('FILE_FORGOTTEN', 'The file was forgotten on this device.')
  // What the sharer signed may have any size; each block has its own room in the file.
  if (!taken.every(([index, block]) => blocks.fits(index, block.length))) {
    const error = new FileError('FILE_DAMAGED', 'The sharer made a block of a size that blocks have not.')
    blocks.onfailure(error)
    throw error
  }
  try {
    await Promise.all(taken.map(([index, block]) => blocks.places[0]!.write(index, block)))
  } catch (cause) {
    const error = cause instanceof FileError ? cause : storageError(cause)
    blocks.onfailure(error)
    throw error
  }
}

async function dropBlocks(blocks: Blocks, start: number, end: number): Promise<void> {
  try {
    for (const place of blocks.places) await place.drop(start, end)
  } catch (cause) {
    // The core has them no more; what is left is removed with the file.
    blocks.onfailure(storageError(cause))
  }
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

export function storageError(cause: unknown): FileError {
  if (cause instanceof FileError) return cause
  if (FULL.has((cause as { code?: string }).code ?? '')) {
    return new FileError('STORAGE_FULL', 'The disk has no room for the file.', {
      cause,
      retryable: true,
      hint: 'Make room, then do the same again: what has arrived is kept.'
    })
  }
  return new FileError('STORAGE_FAILED', 'The disk did not take, or give, the bytes of a file.', { cause, retryable: true })
}
