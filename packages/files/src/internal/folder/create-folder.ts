import { assertOptions, assertSignal, assertString, isCoveyError, throwIfAborted } from '@covey/core'
import { MAX_FOLDER_DEPTH } from '../../constants.js'
import { FileError } from '../../errors.js'
import type { FileSource, ShareOptions } from '../../files.js'
import { MAX_REPLACES, type FolderChange } from '../../folder-content.js'
import type { Folder, FolderEntry, FolderPutOptions, FolderVersion, Mirror, MirrorOptions } from '../../folder.js'
import type { Offer } from '../../offer.js'
import type { Handles } from '../handles.js'
import type { OpenFile } from '../open-file.js'
import { createSharedFile } from '../shared-file.js'
import type { Stop } from '../stop.js'
import { Directory } from './directory.js'
import { assertPatterns } from './ignore.js'
import { createMirror } from './mirror.js'
import { isFolderPath, nameOf } from './path.js'
import type { KnownFolder, RoomFolders } from './room-folders.js'
import { parseVersionId, versionId, type Version } from './state.js'

/** What a folder needs of the files. */
export interface FolderFiles {
  readonly handles: Handles
  /** @param group in what it is offered. */
  open(offer: Offer, group: string): OpenFile
  find(id: string): OpenFile | undefined
  all(): Iterable<OpenFile>
  share(source: FileSource, options: ShareOptions): Promise<OpenFile>
  /** It is offered, by a message. @param group in what. */
  offered(file: OpenFile, group: string, message: string): Promise<void>
  /** Resolves when the file was read to its end. */
  shareWhole(path: string, copy: boolean, stop: Stop): Promise<OpenFile>
  /** @throws {FileError} FILES_CLOSED */
  assertOpen(): void
  /** To be closed with the files. */
  readonly mirrors: Map<KnownFolder, Mirror | 'opening'>
}

/** Of the rooms below: after these the message may have been sent all the same. */
const MAYBE_SENT = ['ROOM_CLOSED', 'ROOM_STORAGE_FAILED']

export function createFolder(name: string, folders: RoomFolders, files: FolderFiles): Folder {
  const known = folders.folder(name)
  const { state, events } = known
  const open = (offer: Offer): OpenFile => files.open(offer, folders.room.id)

  async function commit(changes: readonly FolderChange[], shared: readonly OpenFile[]): Promise<string> {
    try {
      return await folders.send(name, changes)
    } catch (error) {
      if (!MAYBE_SENT.some((code) => isCoveyError(error, code))) for (const file of shared) await file.forget()
      throw error
    }
  }

  /** All that stands, as far as a change has room to say so. */
  function seen(path: string): FolderChange {
    return { path, replaces: state.standing(path).slice(0, MAX_REPLACES).map(({ id }) => parseVersionId(id)) }
  }

  function demand(path: string): Version {
    assertFolderPath(path)
    const [entry] = state.files(path)
    if (entry !== undefined) return entry
    throw notFound()
  }

  async function put(path: string, source: FileSource, { type, copy, signal }: FolderPutOptions): Promise<FolderVersion> {
    if (state.isFull && state.versions(path).length === 0) throw full()
    const options = { name: nameOf(path), ...(type !== undefined && { type }), ...(copy !== undefined && { copy }), ...(signal && { signal }) }
    const file = await files.share(source, options)
    if (signal?.aborted) await file.forget()
    throwIfAborted(signal)
    const message = await commit([{ ...seen(path), offer: file.record.offer }], [file])
    const id = versionId({ message, index: 0 })
    const version = state.versions(path).find((each) => each.id === id)
    if (version !== undefined) {
      await files.offered(file, folders.room.id, message)
      return shown(version)
    }
    // Others were faster: no device has it in the folder.
    await file.forget()
    throw full()
  }

  async function mirror(directory: string, options: MirrorOptions): Promise<Mirror> {
    if (files.mirrors.has(known)) {
      throw new FileError('FOLDER_MIRRORED', 'Another directory is kept in step with the folder.', { hint: 'Close that mirror first.' })
    }
    files.mirrors.set(known, 'opening')
    try {
      const opened = await Directory.open(directory, files.handles)
      throwIfAborted(options.signal)
      files.assertOpen()
      const made = createMirror(opened.directory, opened.isNew, options, {
        id: `${folders.room.id}/${name}`,
        state,
        handles: files.handles,
        open,
        find: files.find,
        all: files.all,
        share: files.shareWhole,
        commit: async (changes, shared) => void (await commit(changes, shared)),
        onchange: (handler) => events.on('change', handler),
        onclose: () => void files.mirrors.delete(known)
      })
      files.mirrors.set(known, made)
      return made
    } catch (error) {
      files.mirrors.delete(known)
      throw error
    }
  }

  return {
    name,
    async entries(options = {}) {
      assertOptions(options, 'options', ['prefix'])
      const { prefix = '' } = options
      assertString(prefix, 'options.prefix')
      const paths = state.paths().filter((path) => path.startsWith(prefix))
      return paths.sort().flatMap((path): FolderEntry[] => {
        const [entry, ...conflicts] = state.files(path).map(shown)
        return entry === undefined ? [] : [{ ...entry, conflicts }]
      })
    },
    async put(path, source, options = {}) {
      assertFolderPath(path)
      assertOptions(options, 'options', ['type', 'copy', 'signal'])
      assertSignal(options.signal, 'options.signal')
      throwIfAborted(options.signal)
      return put(path, source, options)
    },
    async get(path, options = {}) {
      assertFolderPath(path)
      assertOptions(options, 'options', ['version'])
      const { version } = options
      if (version !== undefined) assertString(version, 'options.version')
      const { offer } = version === undefined ? demand(path) : (state.versions(path).find(({ id }) => id === version) ?? {})
      if (offer === undefined) throw notFound()
      return createSharedFile(open(offer), offer)
    },
    async remove(path) {
      demand(path)
      await commit([seen(path)], [])
    },
    async history(path) {
      assertFolderPath(path)
      return state.versions(path).reverse().map(shown)
    },
    async mirror(directory, options = {}) {
      assertString(directory, 'directory', { minLength: 1 })
      assertOptions(options, 'options', ['direction', 'ignore', 'watch', 'copy', 'signal'])
      const { direction = 'both', ignore = [], watch = true, copy = false, signal } = options
      if (!['both', 'to-folder', 'to-directory'].includes(direction)) {
        throw new TypeError('options.direction must be "both", "to-folder" or "to-directory"')
      }
      if (typeof watch !== 'boolean') throw new TypeError('options.watch must be true or false')
      if (typeof copy !== 'boolean') throw new TypeError('options.copy must be true or false')
      assertPatterns(ignore)
      assertSignal(signal, 'options.signal')
      throwIfAborted(signal)
      return mirror(directory, options)
    },
    on: events.on.bind(events),
    once: events.once.bind(events)
  }
}

function shown({ id, path, author, authorName, changedAt, offer }: Version): FolderVersion {
  return { id, path, author, authorName, changedAt, isRemoved: offer === undefined, type: offer?.type ?? '', size: offer?.size ?? null }
}

function assertFolderPath(path: string): void {
  assertString(path, 'path', { minLength: 1 })
  if (isFolderPath(path)) return
  throw new TypeError(`path must be at most ${MAX_FOLDER_DEPTH} names joined by "/", each safe on every system, not hidden, and in NFC`)
}

function notFound(): FileError {
  return new FileError('FOLDER_ENTRY_NOT_FOUND', 'There is no such file, or version of it, in the folder.')
}

function full(): FileError {
  return new FileError('FOLDER_FULL', 'The folder has as many paths as it may have.', { hint: 'Make another.' })
}
