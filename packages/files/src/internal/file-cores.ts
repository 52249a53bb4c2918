import { FileError } from '../errors.js'
import type { Files } from '../files.js'
import type { OpenFile } from './open-file.js'
import type { Offered } from './records.js'

/** A file of this device's that is offered to others, so that who holds cores can hold it. */
export interface OfferedFile {
  readonly id: string
  /** Of its core, 32 bytes. */
  readonly key: Uint8Array
  /** In bytes; `undefined` while it is not known. */
  readonly size: number | undefined
  readonly offered: Offered
}

/** What the files of a device lie in: of each a core, whose blocks are the file's, sealed, and one after them that says where it ends. */
export interface FileCores {
  /** The files of this device's that are offered, newest first; not those that were not read as they were. */
  offered(): OfferedFile[]
  /** Notes where a file of this device's is offered, over restarts; with nothing, that it is not any more. What fails is told by the file's `error`. */
  offer(id: string, where: Omit<Offered, 'atMs'> | undefined): Promise<void>
  /**
   * Resolves with a file's core, when this device has read the file to its end, and how many blocks it has.
   *
   * @throws {FileError} FILE_FORGOTTEN where no such file is shared here, FILE_CHANGED, FILES_CLOSED
   */
  whole(id: string): Promise<{ readonly key: Uint8Array; readonly length: number }>
  /** Calls back when what {@link offered} gives may be other than it was. */
  onchange(listener: () => void): () => void
}

const registry = new WeakMap<Files, FileCores>()

export function registerFileCores(files: Files, cores: FileCores): void {
  registry.set(files, cores)
}

/**
 * What the files of a device lie in.
 *
 * @throws {TypeError} when `files` were not made by this copy of the package.
 */
export function fileCoresOf(files: Files): FileCores {
  const cores = registry.get(files)
  if (cores === undefined) throw new TypeError('files must come from createFiles()')
  return cores
}

export interface FileCoresInit {
  readonly find: (id: string) => OpenFile | undefined
  readonly all: () => readonly OpenFile[]
}

export function createFileCores({ find, all }: FileCoresInit): FileCores & { changed(): void } {
  const listeners = new Set<() => void>()

  /** Also where the clock was set back. */
  function nextMs(): number {
    return all().reduce((latest, { record }) => Math.max(latest, (record.offered?.atMs ?? 0) + 1), Date.now())
  }

  return {
    changed: () => listeners.forEach((listener) => listener()),
    offered() {
      const offered = all().flatMap(({ id, core, record }): OfferedFile[] => {
        if (!record.isOwn || record.offered === undefined || record.end?.isWhole === false) return []
        return [{ id, key: core.key, size: core.size, offered: record.offered }]
      })
      return offered.sort((a, b) => b.offered.atMs - a.offered.atMs)
    },
    async offer(id, where) {
      const file = find(id)
      if (!file?.record.isOwn || file.core.closed !== undefined) return
      if (where === undefined) return file.withdraw()
      await file.update({ offered: { ...where, atMs: file.record.offered?.atMs ?? nextMs() } })
    },
    async whole(id) {
      const file = find(id)
      if (!file?.record.isOwn) throw forgotten()
      await file.imported
      if (find(id) !== file) throw forgotten()
      const { core: { key, blocks, closed }, record: { end } } = file
      if (closed !== undefined) throw closed
      if (end?.isWhole === true && blocks !== undefined) return { key, length: blocks + 1 }
      throw new FileError('FILE_CHANGED', 'The file was changed while it was shared, or could not be read to its end.', { hint: 'Share it again.' })
    },
    onchange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    }
  }
}

function forgotten(): FileError {
  return new FileError('FILE_FORGOTTEN', 'No such file is shared on this device.')
}
