import type Hypercore from 'hypercore'
import { BLOCK_BYTES } from '../constants.js'
import { FileError } from '../errors.js'
import { convertBlock, encodeEnd, type End } from './crypto.js'
import type { Stop } from './stop.js'

/** How many blocks are appended at once: an append costs the same, whatever it holds. */
const MAX_BATCH_BLOCKS = 16

/** Where the bytes come from. */
export interface Source {
  /** Again and again the next of them, in memory of their own, at most as many as asked for; none at the end. */
  read(position: number, maxBytes: number): Promise<Uint8Array>
  /** Of a stream, which may never end: nothing more is read. */
  cancel?(): Promise<void>
}

/**
 * Appends what is read, sealed, from where the core ends on, and then its end. The first block is appended by itself, so that
 * others have it at once.
 *
 * @param isSame whether the source is still what it was when it was shared; asked at its end.
 * @param onerror told of a read that failed, which ends the file there.
 * @param stop leaves the file without an end, with its reason.
 * @returns whether it was read as it was.
 */
export async function importFile(
  core: Hypercore,
  key: Uint8Array,
  source: Source,
  size: number | undefined,
  isSame: (size: number) => Promise<boolean>,
  onerror: (error: unknown) => void,
  stop: Stop
): Promise<End> {
  let position = core.length * BLOCK_BYTES
  let isRead = true
  const readOn = (maxBytes: number): Promise<Uint8Array> =>
    stop.guard(source.read(position, maxBytes)).catch((error: unknown) => {
      stop.throwIfStopped()
      onerror(error)
      isRead = false
      return new Uint8Array(0)
    })
  for (let batchBlocks = 1; ; batchBlocks = Math.min(batchBlocks * 2, MAX_BATCH_BLOCKS)) {
    stop.throwIfStopped()
    const left = size === undefined ? Infinity : size - position
    const bytes = await readOn(Math.min(batchBlocks * BLOCK_BYTES, left))
    const blocks: Uint8Array[] = []
    for (let offset = 0; offset < bytes.length; offset += BLOCK_BYTES) {
      const block = bytes.subarray(offset, offset + BLOCK_BYTES)
      blocks.push(convertBlock(key, core.length + blocks.length, block, block))
    }
    if (blocks.length > 0) await core.append(blocks)
    position += bytes.length
    if (bytes.length < batchBlocks * BLOCK_BYTES) break
  }
  const end = { size: position, isWhole: isRead && (size === undefined || size === position) && (await isSame(position)) }
  await core.append([convertBlock(key, core.length, encodeEnd(key, end))])
  return end
}

/** A source that is all here. */
export function readBytesOf(bytes: Uint8Array): Source {
  // Not `slice`, which shares the memory when the bytes are a Node Buffer.
  return { read: (position, maxBytes) => Promise.resolve(new Uint8Array(bytes.subarray(position, position + maxBytes))) }
}

/** A stream, which is read once, from its begin. */
export function readStream(stream: AsyncIterable<Uint8Array>): Source {
  const iterator = stream[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array(0)
  return {
    async read(_position, maxBytes) {
      const bytes = new Uint8Array(maxBytes)
      let filled = 0
      while (filled < maxBytes) {
        if (rest.length === 0) {
          const { done, value } = await iterator.next()
          if (done) break
          if (!(value instanceof Uint8Array)) throw new FileError('FILE_UNREADABLE', 'The stream gave something that is no Uint8Array.')
          rest = value
          continue
        }
        const taken = rest.subarray(0, maxBytes - filled)
        bytes.set(taken, filled)
        filled += taken.length
        rest = rest.subarray(taken.length)
      }
      return bytes.subarray(0, filled)
    },
    async cancel() {
      await iterator.return?.()
    }
  }
}
