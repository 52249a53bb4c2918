// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="./runtime.d.ts" />
import { mkdir, readdir, rm, stat } from '#fs'
import { BLOCK_BYTES } from '../constants.js'
import { convertBlock } from './crypto.js'
import type { Handles } from './handles.js'

/** Where blocks of one file are kept. What it gives may be anything: whoever reads compares hashes. */
export interface Place {
  /** The block as others hold it, as far as it is there. */
  read(index: number, length: number): Promise<Uint8Array>
  /** @param sealed the block as others hold it. */
  write(index: number, sealed: Uint8Array): Promise<void>
  /** Removes what can be given back to the disk, of the blocks from `start` on and before `end`. */
  drop(start: number, end: number): Promise<void>
  /** Removes all of it. */
  remove(): Promise<void>
}

/** A file of the user's, in which the bytes are as the user reads them. */
export function openPath(handles: Handles, path: string, key: Uint8Array): Place {
  return {
    async read(index, length) {
      const block = await handles.read(path, index * BLOCK_BYTES, length)
      return convertBlock(key, index, block, block)
    },
    write: (index, sealed) => withSpare(sealed.length, (spare) => handles.write(path, index * BLOCK_BYTES, convertBlock(key, index, sealed, spare))),
    drop: () => Promise.resolve(),
    async remove() {
      await handles.release(path)
      await rm(path, { force: true })
    }
  }
}

/** As many as are written at a time, mostly. */
const MAX_SPARES = 32
const spares: Uint8Array[] = []

/** Lends memory for a block, and takes it back for the next. */
async function withSpare(length: number, work: (spare: Uint8Array) => Promise<void>): Promise<void> {
  const spare = spares.pop() ?? new Uint8Array(BLOCK_BYTES)
  try {
    await work(spare.subarray(0, length))
  } finally {
    if (spares.length < MAX_SPARES) spares.push(spare)
  }
}

/** A file that was there before: it is read, and never written nor removed. */
export function openSource(handles: Handles, path: string, key: Uint8Array): Place {
  const none = (): Promise<void> => Promise.resolve()
  return { ...openPath(handles, path, key), write: none, remove: none }
}

/** How many blocks are removed together: 4 MiB. */
export const PIECE_BLOCKS = 32

/** A folder of this package's own, in which blocks are sealed. Each piece is a file, so that its room can be given back. */
export function openFolder(handles: Handles, folder: string, onuse: (piece: number, bytes: number) => void): Place {
  const pathOf = (piece: number): string => `${folder}/${piece}`
  const find = (index: number): [number, number] => [Math.floor(index / PIECE_BLOCKS), (index % PIECE_BLOCKS) * BLOCK_BYTES]
  let made: Promise<unknown> | undefined
  return {
    async read(index, length) {
      const [piece, position] = find(index)
      const block = await handles.read(pathOf(piece), position, length)
      onuse(piece, 0)
      return block
    },
    async write(index, sealed) {
      const [piece, position] = find(index)
      await (made ??= mkdir(folder, { recursive: true, mode: 0o700 }))
      await handles.write(pathOf(piece), position, sealed)
      onuse(piece, sealed.length)
    },
    async drop(start, end) {
      for (const piece of await piecesOf(folder)) {
        if (piece * PIECE_BLOCKS < start || (piece + 1) * PIECE_BLOCKS > end) continue
        await handles.release(pathOf(piece))
        await rm(pathOf(piece), { force: true })
      }
    },
    async remove() {
      for (const piece of await piecesOf(folder)) await handles.release(pathOf(piece))
      made = undefined
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** The pieces that are on the disk. */
async function piecesOf(folder: string): Promise<number[]> {
  try {
    return (await readdir(folder)).filter((name) => /^[0-9]{1,12}$/.test(name)).map(Number)
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return []
    throw error
  }
}

/** A piece, how much room it takes, and when it was last written, by the clock of the disk. */
export async function measurePieces(folder: string): Promise<{ piece: number; bytes: number; writtenAt: number }[]> {
  const pieces = await piecesOf(folder)
  return Promise.all(
    pieces.map(async (piece) => {
      const { size, mtimeMs } = await stat(`${folder}/${piece}`)
      return { piece, bytes: size, writtenAt: mtimeMs }
    })
  )
}

/** By which a file is known to be untouched. */
export interface Stamp {
  readonly size: number
  readonly modifiedAt: number
}

/** The stamp of a file, or `undefined` where there is none. */
export async function stampOf(path: string): Promise<Stamp | undefined> {
  try {
    const found = await stat(path)
    return { size: found.size, modifiedAt: found.mtimeMs }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as { code?: string }).code ?? '')) return undefined
    throw error
  }
}
