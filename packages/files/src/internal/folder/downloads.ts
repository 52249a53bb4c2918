// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="../runtime.d.ts" />
import { rm } from '#fs'
import { equalBytes } from '@covey/core'
import { BLOCK_BYTES } from '../../constants.js'
import { FileError } from '../../errors.js'
import type { MirrorEvents } from '../../folder.js'
import type { Offer } from '../../offer.js'
import type { Handles } from '../handles.js'
import type { OpenFile } from '../open-file.js'
import type { Stamp } from '../place.js'
import { receiveFile, setPath } from '../save-file.js'
import { Stop } from '../stop.js'
import type { Directory } from './directory.js'
import { conflictPath, numberedPath } from './path.js'
import { placeOf } from './placed.js'
import type { FolderState, Version } from './state.js'

/** How many files are fetched at a time. */
const MAX_ACTIVE = 8
/** How many times a file that waits tells of it before another has its turn. */
const MAX_WAITS = 8
/** After a failure it is not tried again for so long. */
const RETRY_MS = 30_000
/** More files of one name are not made. */
const MAX_NUMBER = 100

export interface DownloadsInit {
  readonly directory: Directory
  readonly state: FolderState
  readonly handles: Handles
  /** For the records of the files. */
  readonly folder: string
  /** Whether what comes is only compared with what is there. */
  readonly isCompareOnly: boolean
  /** Whether a file that is put there counts as one of the directory. */
  isSeen(path: string): boolean
  open(offer: Offer): OpenFile
  find(offer: Offer): OpenFile | undefined
  onchange(change: MirrorEvents['change']): void
  /** The file at the path is no version of the folder. */
  ondifferent(path: string, stamp: Stamp): void
  onerror(error: unknown, path: string): void
}

interface Download {
  readonly version: Version
  readonly path: string
  readonly stop: Stop
  readonly done: Promise<void>
}

class Yield extends Error {}

/** What comes into the directory: whole files, each under a name that is free. */
export class Downloads {
  readonly #init: DownloadsInit
  readonly #active = new Map<string, Download>()
  readonly #waiting = new Map<string, { version: Version; path: string }>()
  readonly #failed = new Map<string, { atMs: number; error?: unknown }>()
  #closed: FileError | undefined

  constructor(init: DownloadsInit) {
    this.#init = init
  }

  get size(): number {
    return this.#active.size + this.#waiting.size
  }

  /** Fetches a version, and puts it at the path, or beside it. */
  add(version: Version, path: string): void {
    const { id } = version
    const failed = this.#failed.get(id)
    if (this.#closed !== undefined || this.#active.has(id) || this.#waiting.has(id)) return
    if (failed !== undefined && Date.now() - failed.atMs < RETRY_MS) return
    this.#failed.delete(id)
    this.#waiting.set(id, { version, path })
    this.#startNext()
  }

  /** Tries at once what has failed. */
  retry(): void {
    this.#failed.clear()
  }

  /** Ends what nobody wants any more. */
  prune(): void {
    const { state } = this.#init
    for (const [id, { version }] of this.#waiting) if (!state.stands(version)) this.#waiting.delete(id)
    for (const { version, stop } of this.#active.values()) if (!state.stands(version)) stop.stop(new Yield())
  }

  /** Resolves when one of them has ended. @throws what one has failed with. */
  async next(): Promise<void> {
    if (this.#active.size > 0) await Promise.race([...this.#active.values()].map(({ done }) => done))
    this.throwIfFailed()
  }

  throwIfFailed(): void {
    for (const { error } of this.#failed.values()) if (error !== undefined) throw error
  }

  async close(error: FileError): Promise<void> {
    this.#closed = error
    this.#waiting.clear()
    const active = [...this.#active.values()]
    for (const { stop } of active) stop.stop(error)
    await Promise.all(active.map(({ done }) => done))
  }

  #startNext(): void {
    for (const [id, { version, path }] of this.#waiting) {
      if (this.#active.size >= MAX_ACTIVE) return
      this.#waiting.delete(id)
      const stop = new Stop(undefined)
      const done = this.#run(version, path, stop).finally(() => {
        this.#active.delete(id)
        this.#startNext()
      })
      this.#active.set(id, { version, path, stop, done })
    }
  }

  /** Rejects never. */
  async #run(version: Version, path: string, stop: Stop): Promise<void> {
    const { directory, state, open, onerror } = this.#init
    let stopListening = (): void => undefined
    let discard: (() => Promise<void>) | undefined
    try {
      const opened = open(version.offer!)
      let waits = 0
      stopListening = opened.events.on('progress', (progress) => {
        waits = progress.state === 'waiting' ? waits + 1 : 0
        if (waits >= MAX_WAITS && this.#waiting.size > 0) stop.stop(new Yield())
      })
      const parent = await directory.makeParent(path)
      discard = () => this.#discard(opened, `${parent}/.${opened.id}.covey-part`)
      await this.#leaveMissing(opened)
      await receiveFile(opened, parent, stop, (whole) => this.#publish(version, opened, whole, path))
    } catch (error) {
      if (!state.stands(version)) await discard?.().catch((failure: unknown) => onerror(failure, path))
      else if (error instanceof Yield) this.#waiting.set(version.id, { version, path })
      else if (this.#closed === undefined) {
        const isSkipped = error instanceof FileError && error.code.startsWith('PATH_')
        this.#failed.set(version.id, { atMs: Date.now(), ...(!isSkipped && { error }) })
        onerror(error, path)
      }
    } finally {
      stop.close()
      stopListening()
    }
  }

  /** What was in the directory and is not any more is fetched anew. */
  async #leaveMissing(opened: OpenFile): Promise<void> {
    const { directory, handles } = this.#init
    const { path } = opened.record
    const known = path?.stamp && directory.relative(path.path)
    if (known === undefined || !(await directory.isFree(known))) return
    await handles.release(path!.path)
    await opened.leavePath()
  }

  async #publish(version: Version, opened: OpenFile, part: string, wanted: string): Promise<void> {
    const { directory, state, isCompareOnly, isSeen, onchange, ondifferent } = this.#init
    const beside = wanted === version.path ? conflictPath(version.path, version.authorName, version.id) : wanted
    for (let number = 0; number <= MAX_NUMBER; number++) {
      const path = number === 0 ? wanted : numberedPath(beside, number)
      if (!isSeen(path)) break
      if (!state.stands(version)) return this.#discard(opened, part)
      const stamp = await directory.stamp(path)
      const occupant = stamp && this.#versionAt(version.path, path, stamp)
      if (stamp !== undefined && occupant === undefined) {
        if (await this.#isEqual(part, directory.pathOf(path), stamp)) return this.#keep(opened, part, path)
        ondifferent(path, stamp)
      }
      if (isCompareOnly || occupant?.version === version) return this.#discard(opened, part)
      if (occupant !== undefined && !state.stands(occupant.version)) await putAway(directory, occupant.opened, path, occupant.stamp)
      if (!(await directory.giveName(part, path))) continue
      await setPath(opened, directory.pathOf(path), this.#init.folder)
      return onchange({ path: version.path, to: 'directory', kind: path === version.path ? 'put' : 'conflict', file: directory.pathOf(path) })
    }
    throw new FileError('PATH_TAKEN', 'There is no free name for the file.')
  }

  /** The file of the user's is this version already. */
  async #keep(opened: OpenFile, part: string, path: string): Promise<void> {
    await setPath(opened, this.#init.directory.pathOf(path), this.#init.folder)
    await rm(part, { force: true })
  }

  async #discard(opened: OpenFile, part: string): Promise<void> {
    await this.#init.handles.release(part)
    if (opened.record.path?.path === part) await opened.leavePath()
    await rm(part, { force: true })
  }

  #versionAt(of: string, path: string, stamp: Stamp): ReturnType<typeof placeOf> {
    const { directory, state, find } = this.#init
    return state
      .versions(of)
      .map((version) => version.offer && placeOf(directory, version, find(version.offer), (where) => (where === path ? stamp : undefined)))
      .findLast((at) => at?.isHere)
  }

  async #isEqual(one: string, other: string, { size }: Stamp): Promise<boolean> {
    const { handles } = this.#init
    // It may be another file of the same name by now.
    await handles.release(other)
    for (let position = 0; position <= size; position += BLOCK_BYTES) {
      const [a, b] = await Promise.all([one, other].map((path) => handles.read(path, position, BLOCK_BYTES)))
      if (!equalBytes(a!, b!)) return false
    }
    return true
  }
}

/** Moves a file away that is a version of the folder, and goes on to give it from there. */
export async function putAway(directory: Directory, opened: OpenFile, path: string, stamp: Stamp): Promise<string | undefined> {
  const to = await directory.putAway(path, stamp)
  if (to !== undefined) await setPath(opened, directory.pathOf(to))
  return to
}
