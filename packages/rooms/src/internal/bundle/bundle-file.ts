// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="../runtime.d.ts" />
import { open, rename, rm } from '#fs'
import { encodeZ32 } from '@covey/core'
import { RoomError } from '../../errors.js'
import { randomBytes } from '../crypto.js'
import { decodeFrame, encodeFrame, MAX_FRAME_BYTES, type Frame } from './format.js'
import { HEADER_BYTES, makeHeader, readHeader, SEAL_BYTES, sealOf, type BundleHeader } from './seal.js'

const LENGTH_BYTES = 4

/** Where a frame begins, and which one it is. */
export interface Place {
  readonly position: number
  readonly number: number
}

const FIRST: Place = { position: HEADER_BYTES, number: 0 }

/** A bundle that is being written, beside where it is to be. */
export interface BundleWriter {
  /** How many bytes have been written. */
  readonly bytes: number
  write(frame: Frame): Promise<void>
  /** Puts it where it is to be, in place of what is there. */
  finish(): Promise<void>
  /** Leaves nothing of it. */
  discard(): Promise<void>
}

/** @throws {RoomError} BUNDLE_NOT_WRITTEN, as its calls do */
export async function createBundle(path: string, roomKey: Uint8Array): Promise<BundleWriter> {
  const header = makeHeader(roomKey)
  const seal = sealOf(roomKey, header)
  const temporary = `${path}.${encodeZ32(randomBytes(10))}.part`
  const file = await writing(() => open(temporary, 'wx', 0o600))
  let [position, number] = [0, 0]

  async function put(bytes: Uint8Array): Promise<void> {
    let offset = 0
    while (offset < bytes.length) offset += (await file.write(bytes, offset, bytes.length - offset, position + offset)).bytesWritten
    position += bytes.length
  }

  const writer: BundleWriter = {
    get bytes() {
      return position
    },
    write: (frame) =>
      writing(async () => {
        const sealed = seal.seal(encodeFrame(frame), number++)
        const length = new Uint8Array(LENGTH_BYTES)
        new DataView(length.buffer).setUint32(0, sealed.length, true)
        await put(length)
        await put(sealed)
      }),
    finish: () =>
      writing(async () => {
        await file.sync()
        await file.close()
        await rename(temporary, path)
      }),
    async discard() {
      // What made it be discarded is what is told.
      await Promise.allSettled([file.close()])
      await Promise.allSettled([rm(temporary, { force: true })])
    }
  }
  try {
    await writing(() => put(header.bytes))
  } catch (error) {
    await writer.discard()
    throw error
  }
  return writer
}

/** A bundle of a file. */
export interface BundleReader {
  readonly header: BundleHeader
  /** The first frame, for who has the key of the room; see {@link BundleFrames}. */
  frames(roomKey: Uint8Array): BundleFrames
  close(): Promise<void>
}

/** The frames of a bundle, which may be read from any place that was come to before. */
export interface BundleFrames {
  readonly first: Place
  /** @throws {RoomError} BUNDLE_MALFORMED, BUNDLE_UNREADABLE */
  read(place: Place): Promise<{ readonly frame: Frame; readonly next: Place }>
}

/** @throws {RoomError} BUNDLE_UNREADABLE, BUNDLE_MALFORMED, BUNDLE_UNSUPPORTED */
export async function openBundle(path: string): Promise<BundleReader> {
  const file = await reading(() => open(path, 'r'))

  async function get(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    let filled = 0
    while (filled < length) {
      const { bytesRead } = await reading(() => file.read(bytes, filled, length - filled, position + filled))
      if (bytesRead === 0) throw malformed('The bundle ends early.')
      filled += bytesRead
    }
    return bytes
  }

  try {
    const header = readHeader(await get(0, HEADER_BYTES))
    if (header === 'malformed') throw malformed('The file is no bundle.')
    if (header === 'unsupported') {
      throw new RoomError('BUNDLE_UNSUPPORTED', 'The bundle is of a version that this one does not know.', { hint: 'Install a later version of Covey.' })
    }
    return {
      header,
      frames(roomKey) {
        const seal = sealOf(roomKey, header)
        return {
          first: FIRST,
          async read({ position, number }) {
            const prefix = await get(position, LENGTH_BYTES)
            const length = new DataView(prefix.buffer).getUint32(0, true)
            if (length < SEAL_BYTES || length > MAX_FRAME_BYTES + SEAL_BYTES) throw malformed('The bundle is damaged.')
            const opened = seal.open(await get(position + LENGTH_BYTES, length), number)
            const frame = opened && decodeFrame(opened)
            if (frame === undefined) throw malformed('The bundle is damaged.')
            return { frame, next: { position: position + LENGTH_BYTES + length, number: number + 1 } }
          }
        }
      },
      close: () => file.close()
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

export function malformed(message: string): RoomError {
  return new RoomError('BUNDLE_MALFORMED', message, {
    hint: 'What came before is kept. Have it brought again, and import it again.'
  })
}

async function writing<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (cause) {
    throw new RoomError('BUNDLE_NOT_WRITTEN', 'The bundle could not be written.', { cause })
  }
}

async function reading<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (cause) {
    throw new RoomError('BUNDLE_UNREADABLE', 'The file could not be read.', { cause })
  }
}
