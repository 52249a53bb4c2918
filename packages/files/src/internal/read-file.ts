import { BLOCK_BYTES } from '../constants.js'
import { FileError } from '../errors.js'
import type { FileCore, Work } from './file-core.js'
import type { OpenFile } from './open-file.js'
import type { Stop } from './stop.js'

/** How far ahead of its reader a stream asks, in blocks: 4 MiB. */
const AHEAD_BLOCKS = 32

/** {@link readFile} for whoever shows it: goes on while the caller takes what it gives. */
export async function* streamFile(opened: OpenFile, start: number, end: number, stop: Stop): AsyncGenerator<Uint8Array, void, void> {
  opened.progress.begin()
  try {
    await opened.keep()
    yield* readFile(opened.core, start, end, stop)
  } finally {
    await opened.endUse()
  }
}

/** The bytes from `start` on and before `end`, a block at a time. */
export async function* readFile(core: FileCore, start: number, end: number, stop: Stop): AsyncGenerator<Uint8Array, void, void> {
  const work = await core.start(stop)
  const asked: Promise<Uint8Array | undefined>[] = []
  try {
    const first = Math.floor(start / BLOCK_BYTES)
    if (core.size === undefined && first > 0) await reach(core, work, first)
    if (core.size !== undefined && start > core.size) throw outOfRange()
    let next = first
    let missing = end - start
    for (let index = first; ; index++) {
      const last = Math.ceil(Math.min(end, core.size ?? Infinity) / BLOCK_BYTES)
      for (; next < Math.min(last, index + AHEAD_BLOCKS); next++) {
        const block = core.read(work, next)
        // It is told of when its turn comes, which may be never.
        block.catch(() => undefined)
        asked.push(block)
      }
      const block = await asked.shift()
      if (block === undefined) break
      const offset = index * BLOCK_BYTES
      const wanted = block.subarray(Math.max(0, start - offset), Math.max(0, end - offset))
      missing -= wanted.length
      if (wanted.length > 0) yield wanted
    }
    // Who reads to the end is told whether that is all; who reads a part of what still grows has it.
    if (missing > 0 || end === core.size) {
      const { size } = await core.untilEnd(work)
      if (start > size) throw outOfRange()
    }
  } finally {
    await core.finish(work)
  }
}

/** Resolves when a block is here, or can never be, as the file has ended before it. */
async function reach(core: FileCore, work: Work, index: number): Promise<void> {
  await Promise.race([core.read(work, index), core.untilEnd(work)])
}

function outOfRange(): FileError {
  return new FileError('FILE_OUT_OF_RANGE', 'The range begins after the end of the file.')
}
