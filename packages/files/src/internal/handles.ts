// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="./runtime.d.ts" />
import { open } from '#fs'
import { FileError } from '../errors.js'

type Handle = Awaited<ReturnType<typeof open>>

interface Entry {
  readonly opening: Promise<Handle>
  uses: number
}

/** Enough for what is read and written at a time, and far fewer than a process may have open. */
const MAX_HANDLES = 32

/** Open files, so that a block costs one call of the system: those used last stay open. */
export class Handles {
  readonly #entries = new Map<string, Entry>()
  #isClosed = false

  /** Reads at most `length` bytes, fewer at the end of the file. */
  async read(path: string, position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    return bytes.subarray(0, await this.readInto(path, position, bytes))
  }

  /** The same into memory that is given; resolves with how many. */
  readInto(path: string, position: number, into: Uint8Array): Promise<number> {
    return this.#use(`r ${path}`, () => open(path, 'r'), async (handle) => {
      let filled = 0
      while (filled < into.length) {
        const { bytesRead } = await handle.read(into, filled, into.length - filled, position + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return filled
    })
  }

  /** Writes all of them, making the file where there is none. */
  write(path: string, position: number, bytes: Uint8Array): Promise<void> {
    return this.#use(`w ${path}`, () => openToWrite(path), async (handle) => {
      let offset = 0
      while (offset < bytes.length) {
        offset += (await handle.write(bytes, offset, bytes.length - offset, position + offset)).bytesWritten
      }
    })
  }

  /** Makes what was written durable, with the file as long as given. */
  finish(path: string, size: number): Promise<void> {
    return this.#use(`w ${path}`, () => openToWrite(path), async (handle) => {
      await handle.truncate(size)
      await handle.sync()
    })
  }

  /** To be called before a file is removed or renamed, which some systems refuse while it is open. */
  async release(path: string): Promise<void> {
    await Promise.all([`r ${path}`, `w ${path}`].map((id) => this.#close(id)))
  }

  /** For good. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#entries.keys()].map((id) => this.#close(id)))
  }

  async #use<T>(id: string, opener: () => Promise<Handle>, work: (handle: Handle) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new FileError('FILES_CLOSED', 'The files of this peer are closed.')
    const entry: Entry = this.#entries.get(id) ?? { opening: opener(), uses: 0 }
    // To the end of the line of those to be closed.
    this.#entries.delete(id)
    this.#entries.set(id, entry)
    entry.uses++
    try {
      return await work(await entry.opening)
    } catch (error) {
      // A file that could not be opened may be there the next time.
      await entry.opening.catch(() => this.#entries.delete(id))
      throw error
    } finally {
      entry.uses--
      if (this.#entries.size > MAX_HANDLES) await this.#closeOldest()
    }
  }

  async #closeOldest(): Promise<void> {
    for (const [id, entry] of this.#entries) if (entry.uses === 0) return this.#close(id)
  }

  async #close(id: string): Promise<void> {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    // One that did not open has nothing to be closed; who wanted it was told.
    const handle = await entry.opening.catch(() => undefined)
    await handle?.close()
  }
}

/** For reading too, and without cutting off what is there. */
async function openToWrite(path: string): Promise<Handle> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error
    return open(path, 'wx+', 0o600)
  }
}
