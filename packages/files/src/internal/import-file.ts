import type Hypercore from 'hypercore'
import { BLOCK_BYTES } from '../constants.js'
import { FileError } from '../errors.js'
import { convertBlock, encodeEnd, type End } from './crypto.js'
import type { Stop } from './stop.js'

/** How many blocks are appended at once: an append costs the same, whatever it holds. */
const MAX_BATCH_BLOCKS = 32

/** For so long a file is read a block at a time, with pauses: meanwhile others are told of it, and ask for its first block. */
const GENTLE_MS = 50
const GENTLE_PAUSE_MS = 10

/** Where the bytes come from. */
export interface Source {
  /** Again and again the next of them, into memory that is given, as many as fit there; resolves with how many, fewer at the end. */
  read(position: number, into: Uint8Array): Promise<number>
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
  const startedAtMs = Date.now()
  let position = core.length * BLOCK_BYTES
  let isRead = true
  const readOn = async (from: number, into: Uint8Array): Promise<Uint8Array> => {
    try {
      return into.subarray(0, await stop.guard(source.read(from, into)))
    } catch (error) {
      stop.throwIfStopped()
      onerror(error)
      isRead = false
      return new Uint8Array(0)
    }
  }
  // What is read and what is sealed and hashed at the same time; what was appended is not needed any more.
  const memory = new TwoBuffers()
  const begin = (from: number, batchBlocks: number): Promise<Uint8Array> => {
    const left = size === undefined ? Infinity : size - from
    const reading = readOn(from, memory.take(Math.min(batchBlocks * BLOCK_BYTES, left)))
    // It is told of when its turn comes, which may be never.
    reading.catch(() => undefined)
    return reading
  }
  let batchBlocks = 1
  let reading = begin(position, batchBlocks)
  for (;;) {
    stop.throwIfStopped()
    const given = await reading
    const isLast = given.length < batchBlocks * BLOCK_BYTES
    // Of a file that was cut there are whole blocks: a shorter one is the last of those that were promised.
    const isCut = isLast && size !== undefined && position + given.length < size
    const bytes = isCut ? given.subarray(0, given.length - (given.length % BLOCK_BYTES)) : given
    const isGentle = Date.now() - startedAtMs < GENTLE_MS
    if (!isGentle) batchBlocks = Math.min(batchBlocks * 2, MAX_BATCH_BLOCKS)
    if (!isLast) reading = begin(position + bytes.length, batchBlocks)
    const blocks: Uint8Array[] = []
    for (let offset = 0; offset < bytes.length; offset += BLOCK_BYTES) {
      const block = bytes.subarray(offset, offset + BLOCK_BYTES)
      blocks.push(convertBlock(key, core.length + blocks.length, block, block))
    }
    if (blocks.length > 0) await core.append(blocks)
    position += bytes.length
    if (isLast) break
    if (isGentle) await stop.guard(new Promise((resolve) => setTimeout(resolve, GENTLE_PAUSE_MS)))
  }
  const end = { size: position, isWhole: isRead && (size === undefined || size === position) && (await isSame(position)) }
  await core.append([convertBlock(key, core.length, encodeEnd(key, end))])
  return end
}

/** Memory for what is read: one is filled while the other is used. */
class TwoBuffers {
  readonly #buffers = [new Uint8Array(0), new Uint8Array(0)]
  #turn = 0

  take(length: number): Uint8Array {
    this.#turn = 1 - this.#turn
    if (this.#buffers[this.#turn]!.length < length) this.#buffers[this.#turn] = new Uint8Array(length)
    return this.#buffers[this.#turn]!.subarray(0, length)
  }
}

/** A source that is all here. */
export function readBytesOf(bytes: Uint8Array): Source {
  return {
    read(position, into) {
      const part = bytes.subarray(position, position + into.length)
      into.set(part)
      return Promise.resolve(part.length)
    }
  }
}

/** A stream, which is read once, from its begin. */
export function readStream(stream: AsyncIterable<Uint8Array>): Source {
  const iterator = stream[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array(0)
  return {
    async read(_position, into) {
      let filled = 0
      while (filled < into.length) {
        if (rest.length === 0) {
          const { done, value } = await iterator.next()
          if (done) break
          if (!(value instanceof Uint8Array)) throw new FileError('FILE_UNREADABLE', 'The stream gave something that is no Uint8Array.')
          rest = value
          continue
        }
        const taken = rest.subarray(0, into.length - filled)
        into.set(taken, filled)
        filled += taken.length
        rest = rest.subarray(taken.length)
      }
      return filled
    },
    async cancel() {
      await iterator.return?.()
    }
  }
}
