// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="../runtime.d.ts" />
import { lstat, mkdir, readdir, realpath, rename, rm } from '#fs'
import { MAX_FOLDER_PATHS } from '../../constants.js'
import { FileError, type FileErrorCode } from '../../errors.js'
import { storageError } from '../block-storage.js'
import type { Handles } from '../handles.js'
import { isSame } from '../open-file.js'
import type { Stamp } from '../place.js'
import { giveName, syncFolder } from '../save-file.js'
import { isFolderPath, numberedPath, parentOf } from './path.js'

/** What is in a directory. */
export interface Found {
  readonly files: Map<string, Stamp>
  /** Folders that could not be read, with a `/` at their ends: what is in them is not known. */
  readonly unread: readonly string[]
}

/** In the directory: that it is there tells that the directory is what it was, and not a disk that was taken out. */
const OWN = '.covey'
const REPLACED = `${OWN}/replaced`
/** More files of one name are not kept. */
const MAX_NUMBER = 1_000

/** A directory of the user's, in which nothing is ever overwritten or deleted: files are moved, and given free names. */
export class Directory {
  readonly root: string
  readonly #handles: Handles

  private constructor(root: string, handles: Handles) {
    this.root = root
    this.#handles = handles
  }

  /** @returns with it, whether nothing was mirrored to it before. */
  static async open(path: string, handles: Handles): Promise<{ directory: Directory; isNew: boolean }> {
    const root = await realpath(path).catch((cause: unknown) => {
      throw new FileError('FILE_NOT_FOUND', 'There is no such directory.', { cause, hint: 'Make the directory first.' })
    })
    if (!(await lstat(root)).isDirectory()) throw new FileError('FILE_NOT_FOUND', 'What is to be mirrored is no directory.')
    const directory = new Directory(root, handles)
    const isNew = !(await directory.isThere())
    await mkdir(`${root}/${REPLACED}`, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw storageError(error)
    })
    return { directory, isNew }
  }

  pathOf(path: string): string {
    return `${this.root}/${path}`
  }

  /** The path in the directory of a whole one, or `undefined` for one that is elsewhere. */
  relative(path: string): string | undefined {
    return path.startsWith(`${this.root}/`) ? path.slice(this.root.length + 1) : undefined
  }

  async isThere(): Promise<boolean> {
    return (await statOf(`${this.root}/${OWN}`))?.isDirectory() ?? false
  }

  /** @throws {FileError} DIRECTORY_GONE */
  async demand(): Promise<void> {
    if (await this.isThere()) return
    throw new FileError('DIRECTORY_GONE', 'The directory is not what it was: moved, or on a disk that was taken out.', {
      retryable: true,
      hint: 'Nothing of the folder is removed. Bring it back, or mirror to it anew.'
    })
  }

  /**
   * All files, but those that are hidden, links, no files, or of a name that is not safe everywhere.
   *
   * @param onskip told of these, but for hidden ones.
   * @throws {FileError} FOLDER_FULL where there are too many, DIRECTORY_GONE
   */
  async scan(isIgnored: (path: string) => boolean, onskip: (path: string, code: FileErrorCode) => void): Promise<Found> {
    const files = new Map<string, Stamp>()
    const unread: string[] = []
    const folders = ['']
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const names = await readdir(this.pathOf(folder)).catch(() => undefined)
      if (names === undefined) {
        unread.push(folder)
        onskip(folder, 'FILE_UNREADABLE')
        continue
      }
      for (const name of names) {
        // Some systems take names apart, and find them either way.
        const path = `${folder}${name.normalize('NFC')}`
        if (name.startsWith('.') || isIgnored(path)) continue
        const found = await statOf(this.pathOf(path))
        if (found === undefined) {
          if (path !== `${folder}${name}`) onskip(path, 'PATH_UNSAFE')
        } else if (!isFolderPath(path)) onskip(path, 'PATH_UNSAFE')
        else if (found.isDirectory()) folders.push(`${path}/`)
        else if (!found.isFile()) onskip(path, 'PATH_IS_LINK')
        else files.set(path, { size: found.size, modifiedAt: found.mtimeMs })
        if (files.size + folders.length > MAX_FOLDER_PATHS) {
          throw new FileError('FOLDER_FULL', `There are more than ${MAX_FOLDER_PATHS} files in the directory.`, { hint: 'Leave some out with `ignore`.' })
        }
      }
    }
    // In this order, so that one that vanished meanwhile is not taken for an empty one.
    await this.demand()
    return { files, unread }
  }

  /** Where the disk does not tell names apart that differ in case alone, a file keeps the path that it was put at. */
  async keepCase({ files, unread }: Found, placed: Iterable<{ readonly path: string; readonly stamp: Stamp }>): Promise<void> {
    const fold = (path: string): string => path.toLowerCase()
    let folded: Map<string, string> | undefined
    for (const { path, stamp } of placed) {
      if (files.has(path) || unread.some((folder) => path.startsWith(folder)) || !isSame(stamp, await this.stamp(path))) continue
      folded ??= new Map([...files.keys()].map((each) => [fold(each), each]))
      const other = folded.get(fold(path))
      if (other === undefined || !files.delete(other)) continue
      files.set(path, stamp)
    }
  }

  async stamp(path: string): Promise<Stamp | undefined> {
    const found = await statOf(this.pathOf(path))
    return found?.isFile() ? { size: found.size, modifiedAt: found.mtimeMs } : undefined
  }

  /** Whether there is nothing of the name, not even a link. */
  async isFree(path: string): Promise<boolean> {
    return (await statOf(this.pathOf(path))) === undefined
  }

  /**
   * The whole path of the folder that a path is in, made where it is not there.
   *
   * @throws {FileError} PATH_IS_LINK where it would lead out, PATH_TAKEN where a file has its name
   */
  async makeParent(path: string): Promise<string> {
    const names = parentOf(path).split('/').slice(0, -1)
    let folder = this.root
    for (const name of names) {
      folder += `/${name}`
      await mkdir(folder).catch((error: unknown) => {
        if ((error as { code?: string }).code !== 'EEXIST') throw storageError(error)
      })
      const found = await lstat(folder)
      if (found.isSymbolicLink()) throw new FileError('PATH_IS_LINK', 'A folder of the path is a link in the directory.')
      if (!found.isDirectory()) throw new FileError('PATH_TAKEN', 'A folder of the path is a file in the directory.')
    }
    return folder
  }

  /**
   * Moves a file to where what others have replaced is kept.
   *
   * @returns its path now, or `undefined` where it was not what it should be any more: it stays then.
   */
  async putAway(path: string, stamp: Stamp): Promise<string | undefined> {
    const from = this.pathOf(path)
    for (let number = 1; number <= MAX_NUMBER; number++) {
      const to = `${REPLACED}/${numberedPath(path, number)}`
      if (!(await this.isFree(to))) continue
      await this.makeParent(to)
      if (!isSame(stamp, await this.stamp(path))) return undefined
      await this.#handles.release(from)
      await rename(from, this.pathOf(to)).catch((error: unknown) => {
        throw storageError(error)
      })
      // Written over at the last moment: it goes back, unless there is another already.
      if (isSame(stamp, await this.stamp(to))) return to
      await this.giveName(this.pathOf(to), path)
      return undefined
    }
    throw new FileError('STORAGE_FAILED', `There are ${MAX_NUMBER} replaced files of this name.`, { hint: `Empty ${REPLACED}.` })
  }

  /** Gives a file a second name, where that is free; its only one, where the disk has no files of two. @returns whether it has it. */
  async copyName(from: string, to: string, stamp: Stamp): Promise<boolean> {
    if (!isSame(stamp, await this.stamp(from))) return false
    await this.#handles.release(this.pathOf(from))
    await this.#handles.release(this.pathOf(to))
    return giveName(this.pathOf(from), this.pathOf(to))
  }

  /** Takes away a name of a file that has another. */
  async dropName(path: string, stamp: Stamp): Promise<void> {
    const away = await this.putAway(path, stamp)
    if (away !== undefined) await rm(this.pathOf(away), { force: true })
  }

  /** Gives a file of this package's the name, where it is free. @returns whether it was. */
  async giveName(file: string, path: string): Promise<boolean> {
    const to = this.pathOf(path)
    await this.#handles.release(file)
    await this.#handles.release(to)
    if (!(await giveName(file, to))) return false
    await rm(file, { force: true })
    await syncFolder(to.slice(0, to.lastIndexOf('/')))
    return true
  }
}

interface Stats {
  readonly size: number
  readonly mtimeMs: number
  isFile(): boolean
  isDirectory(): boolean
}

/** Of the thing itself, where it is a link; `undefined` only where there is surely nothing. */
async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as { code?: string }).code ?? '')) return undefined
    throw storageError(error)
  }
}
