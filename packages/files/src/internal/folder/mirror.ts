import { assertOptions, assertSignal, createEvents, onAbort, raceSignal, throwIfAborted, type EventEmitter } from '@covey/core'
import { FileError, type FileErrorCode } from '../../errors.js'
import { MAX_REPLACES, type FolderChange } from '../../folder-content.js'
import type { Mirror, MirrorEvents, MirrorOptions } from '../../folder.js'
import type { Offer } from '../../offer.js'
import { storageError } from '../block-storage.js'
import type { Handles } from '../handles.js'
import { isSame, type OpenFile } from '../open-file.js'
import type { Stamp } from '../place.js'
import { setPath } from '../save-file.js'
import { Stop } from '../stop.js'
import { batches, type Draft } from './batches.js'
import type { Directory, Found } from './directory.js'
import { Downloads, putAway } from './downloads.js'
import { createIgnore } from './ignore.js'
import { Lookout } from './lookout.js'
import { conflictPath, isFolderPath } from './path.js'
import { doublesOf, fileIdOf, placedIn, takenBack, type Placed } from './placed.js'
import { parseVersionId, type FolderState, type Version } from './state.js'

/** What a mirror needs of the folder and the files. */
export interface MirrorParts {
  /** As in the records of files. */
  readonly id: string
  readonly state: FolderState
  readonly handles: Handles
  open(offer: Offer): OpenFile
  find(id: string): OpenFile | undefined
  all(): Iterable<OpenFile>
  /** Resolves when the file was read to its end. @throws {FileError} FILE_…, PATH_IS_LINK, and what stops it */
  share(path: string, copy: boolean, stop: Stop): Promise<OpenFile>
  commit(changes: readonly FolderChange[], files: readonly OpenFile[]): Promise<void>
  onchange(handler: () => void): () => void
  onclose(): void
}

/** A file that is being written is left until it has been quiet for so long. */
const QUIET_MS = 1_000
/** How many that are in conflict with an entry are put into the directory. */
const MAX_CONFLICTS = 16

export function createMirror(
  directory: Directory,
  isNew: boolean,
  { direction = 'both', ignore = [], watch = true, copy = false, signal }: MirrorOptions,
  parts: MirrorParts
): Mirror {
  const { state, handles } = parts
  const events: EventEmitter<MirrorEvents> = createEvents<MirrorEvents>()
  const isIgnored = createIgnore(ignore)
  /** Files that differ from the versions of their paths. */
  const different = new Map<string, Stamp>()
  /** Files that were not taken: not before they are other, or it is asked for. */
  const refused = new Map<string, Stamp>()
  const told = new Map<string, FileErrorCode>()
  let closing: Promise<void> | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let steps = 0
  const stop = new Stop(undefined)

  /** Whether a file there is seen by the next scan. */
  const isSeen = (path: string): boolean => isFolderPath(path) && !isIgnored(path)
  const find = (offer: Offer): OpenFile | undefined => parts.find(fileIdOf(offer))
  const wake = (): void => lookout?.wake()
  const report = (error: unknown): void => void events.emit('error', storageError(error))
  const onchange = (change: MirrorEvents['change']): void => {
    steps++
    void events.emit('change', change)
    wake()
  }
  const skip = (path: string, code: FileErrorCode): void => {
    if (told.get(path) === code) return
    told.set(path, code)
    void events.emit('skip', { path, code })
  }
  const downloads = new Downloads({
    directory,
    state,
    handles,
    folder: parts.id,
    isCompareOnly: direction === 'to-folder',
    isSeen,
    open: (offer) => parts.open(offer),
    find,
    onchange,
    ondifferent(path, stamp) {
      different.set(path, stamp)
      wake()
    },
    onerror(error, path) {
      if (error instanceof FileError && error.code.startsWith('PATH_')) skip(path, error.code)
      else report(error)
    }
  })

  async function pass(isQuietOnly: boolean): Promise<void> {
    throwIfClosed()
    await directory.demand()
    const found = await directory.scan(isIgnored, skip)
    await directory.keepCase(found, placedIn(directory, state, find, found.files).values())
    if (isNew) await forgetPlaces(found)
    isNew = false
    // What the room does not take keeps nothing away that comes from it.
    const pushed = direction === 'to-directory' ? undefined : await push(found, isQuietOnly).catch((error: unknown) => ({ error }))
    downloads.prune()
    if (direction !== 'to-folder') await pull(found)
    if (pushed !== undefined) throw pushed.error
  }

  /** What was in a directory of this name before is not taken for removed. */
  async function forgetPlaces(found: Found): Promise<void> {
    for (const { opened, path } of placedIn(directory, state, find, found.files).values()) {
      if (!found.files.has(path)) await opened.leavePath()
    }
  }

  async function push(found: Found, isQuietOnly: boolean): Promise<undefined> {
    const placed = placedIn(directory, state, find, found.files)
    // Of what a process put that was killed then.
    for (const { opened } of placed.values()) if (opened.record.folder === undefined) await opened.update({ folder: parts.id })
    const back = takenBack(directory, state, parts.id, parts.all(), found.files)
    const here = new Set([...placed.values()].filter(({ isHere }) => isHere).map(({ version }) => version))
    const doubles = doublesOf(state)
    const drafts: Draft[] = []
    for (const [path, stamp] of found.files) {
      const at = placed.get(path)
      if (at?.isHere || back.has(path) || isSame(stamp, refused.get(path))) continue
      if (isQuietOnly && Math.abs(Date.now() - stamp.modifiedAt) < QUIET_MS) continue
      const isUnknown = at === undefined && !isSame(stamp, different.get(path))
      const same = isUnknown && state.files(path).find((version) => !here.has(version) && !doubles.has(version) && (version.offer!.size ?? stamp.size) === stamp.size)
      // Perhaps it is the same: then there is nothing to be put.
      if (same) downloads.add(same, path)
      else drafts.push(draftOf(path, at))
    }
    for (const [path, { version }] of placed) {
      if (found.files.has(path) || !state.stands(version) || isIgnored(path)) continue
      if (found.unread.some((folder) => path.startsWith(folder)) || !(await directory.isFree(path))) continue
      drafts.push({ change: removalOf(version), at: path, isPut: false })
    }
    if (drafts.length > 0) await put(drafts, found)
  }

  /** What is to be done about a file that is none of the versions: `at` is the one that it was before, if there is one. */
  function draftOf(path: string, at: Placed | undefined): Draft {
    const removals = state.standing(path).filter(({ offer }) => offer === undefined)
    const isOfPath = at?.version.path === path
    const replaces = [...(isOfPath ? [at!.version] : []), ...removals].slice(0, MAX_REPLACES).map(({ id }) => parseVersionId(id))
    // One that stood beside another is one of its own now.
    return { change: { path, replaces }, at: path, isPut: true, ...(at && { before: at.opened }), ...(at && !isOfPath && { removal: removalOf(at.version) }) }
  }

  async function put(drafts: readonly Draft[], found: Found): Promise<void> {
    for await (const { drafts: made, changes, files } of batches(drafts, share)) {
      try {
        await demandOpen(files)
        await parts.commit(changes, files)
      } catch (error) {
        for (const { at } of made) if (found.files.has(at)) refused.set(at, found.files.get(at)!)
        throw error
      }
      // Not before the room has it: what the room does not know, and is marked so, was taken back.
      for (const file of files) await file.update({ folder: parts.id })
      for (const { change, at, isPut, before } of made) {
        // Where it was is another now: should it stand again, it is not taken for removed.
        await before?.leavePath()
        onchange({ path: change.path, to: 'folder', kind: isPut ? 'put' : 'removed', file: directory.pathOf(at) })
      }
    }
  }

  /** A disk that was taken out meanwhile has removed nothing. What is not put then is forgotten. */
  async function demandOpen(files: readonly OpenFile[]): Promise<void> {
    try {
      throwIfClosed()
      await directory.demand()
    } catch (error) {
      for (const file of files) await file.forget()
      throw error
    }
  }

  async function share({ at }: Draft): Promise<OpenFile | undefined> {
    throwIfClosed()
    try {
      return await parts.share(directory.pathOf(at), copy, stop)
    } catch (error) {
      if (!(error instanceof FileError) || !/^(?:FILE|PATH)_/.test(error.code)) throw error
      skip(at, error.code)
      return undefined
    }
  }

  async function pull(found: Found): Promise<void> {
    const placed = placedIn(directory, state, find, found.files)
    const here = new Map([...placed.values()].filter(({ isHere }) => isHere).map((at) => [at.version.id, at]))
    const doubles = doublesOf(state)
    const files = (path: string): Version[] => state.files(path).filter((version) => !doubles.has(version))
    for (const at of here.values()) {
      // What is replaced stays until what replaces it has come.
      if (state.stands(at.version) || (at.path === at.version.path && files(at.path).length > 0)) continue
      const file = await putAway(directory, at.opened, at.path, at.stamp)
      if (file !== undefined) onchange({ path: at.version.path, to: 'directory', kind: 'removed', file: directory.pathOf(file) })
    }
    for (const [path, opened] of takenBack(directory, state, parts.id, parts.all(), found.files)) {
      // What is this user's own stays, where nothing else is to be there.
      if (opened.record.isOwn && state.files(path).length === 0) {
        skip(path, 'FOLDER_ENTRY_NOT_FOUND')
        continue
      }
      const file = await putAway(directory, opened, path, found.files.get(path)!)
      if (file !== undefined) onchange({ path, to: 'directory', kind: 'removed', file: directory.pathOf(file) })
    }
    for (const path of state.paths()) {
      if (isIgnored(path) || found.unread.some((folder) => path.startsWith(folder))) continue
      const [entry, ...others] = files(path)
      const there = placed.get(path)
      for (const other of others.slice(0, MAX_CONFLICTS)) await settleOther(other, here.get(other.id))
      if (others.length > MAX_CONFLICTS || state.files(path).some((version) => doubles.has(version))) skip(path, 'PATH_TAKEN')
      // What is there and is no version yet is put first.
      if (entry === undefined || (direction === 'both' && found.files.has(path) && !there?.isHere)) continue
      await settleEntry(entry, here.get(entry.id), there?.isHere && !state.stands(there.version) ? there : undefined)
    }
  }

  async function settleEntry(entry: Version, at: Placed | undefined, replaced: Placed | undefined): Promise<void> {
    if (at === undefined) return downloads.add(entry, entry.path)
    if (at.path === entry.path) return
    if (replaced !== undefined) await putAway(directory, replaced.opened, replaced.path, replaced.stamp)
    await move(at, entry.path, 'put')
  }

  async function settleOther(other: Version, at: Placed | undefined): Promise<void> {
    const path = conflictPath(other.path, other.authorName, other.id)
    if (!isSeen(path)) skip(other.path, 'PATH_TAKEN')
    else if (at === undefined) downloads.add(other, path)
    else if (at.path === other.path) await move(at, path, 'conflict')
  }

  /** Gives a file another name, where that is free; at each moment it has one, which its record knows. */
  async function move({ opened, path: from, stamp, version }: Placed, to: string, kind: 'put' | 'conflict'): Promise<void> {
    if (!(await directory.copyName(from, to, stamp))) return
    await setPath(opened, directory.pathOf(to))
    await directory.dropName(from, stamp)
    onchange({ path: version.path, to: 'directory', kind, file: directory.pathOf(to) })
  }

  /** One pass after the other. */
  async function run(isQuietOnly: boolean): Promise<void> {
    const done = turn.then(() => pass(isQuietOnly))
    turn = done.catch(() => undefined)
    await done
  }

  async function settle(signal?: AbortSignal): Promise<void> {
    while (signal?.aborted !== true) {
      const before = steps
      await run(false)
      downloads.throwIfFailed()
      if (downloads.size > 0) await downloads.next()
      else if (steps === before) return
    }
  }

  function throwIfClosed(): void {
    if (closing !== undefined) throw closedError()
  }

  const lookout = watch ? new Lookout(() => run(true), report) : undefined
  const stopListening = parts.onchange(wake)
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      stopListening()
      stopWaiting()
      stop.stop(closedError())
      await downloads.close(closedError())
      await turn
      await lookout?.close()
      parts.onclose()
    })())
  const stopWaiting = onAbort(signal, () => void close())

  return {
    directory: directory.root,
    async sync(options = {}) {
      assertOptions(options, 'options', ['signal'])
      assertSignal(options.signal, 'options.signal')
      throwIfAborted(options.signal)
      refused.clear()
      downloads.retry()
      return raceSignal(settle(options.signal), options.signal)
    },
    on: events.on.bind(events),
    once: events.once.bind(events),
    close,
    [Symbol.asyncDispose]: close
  }
}

function removalOf({ id, path }: Version): FolderChange {
  return { path, replaces: [parseVersionId(id)] }
}

function closedError(): FileError {
  return new FileError('FILES_CLOSED', 'The mirror, or the files of this peer, were closed.')
}
