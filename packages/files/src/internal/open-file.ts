import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import hypercoreCrypto from 'hypercore-crypto'
import { createEvents, encodeZ32, type EventEmitter } from '@covey/core'
import type { Node, Topic } from '@covey/transport'
import { FileError } from '../errors.js'
import type { FileEvents } from '../file.js'
import { storageError, wrapStorage, type Blocks } from './block-storage.js'
import { FileCore } from './file-core.js'
import type { Handles } from './handles.js'
import { importFile, type Source } from './import-file.js'
import type { MediaServer } from './media-server.js'
import { measurePieces, openFolder, openPath, openSource, stampOf, type Place, type Stamp } from './place.js'
import { Progress } from './progress.js'
import { MAX_GROUPS, type FileRecord, type PathRecord, type Records } from './records.js'
import { Stop } from './stop.js'
import type { UpstreamCore } from './upstream.js'

/** What all files of a peer share. */
export interface FilesContext {
  readonly corestore: Corestore
  readonly node: Node
  readonly handles: Handles
  readonly records: Records
  readonly media: MediaServer
  /** Where blocks are kept that are in no file of the user's. */
  readonly folder: string
  /** Told of each piece in that folder that is read, or written with so many bytes. */
  onuse(file: OpenFile, piece: number, bytes: number): void
  /** Nothing is in that folder any more. */
  onempty(file: OpenFile): void
  /** It was used, and is not any more. */
  onidle(file: OpenFile): Promise<void>
  onforget(file: OpenFile): void
  /** What is known of a file that is offered is other than it was. */
  onoffered(): void
}

/** How often a shared file is looked at while it is given to others. */
const LOOK_MS = 1_000

/** A file that this device knows, shared here or offered to it: where its blocks are, and what became of them. */
export class OpenFile {
  readonly id: string
  readonly discoveryKey: Uint8Array
  readonly core: FileCore
  readonly blocks: Blocks
  readonly events: EventEmitter<FileEvents> = createEvents<FileEvents>()
  readonly progress: Progress
  readonly context: FilesContext
  readonly #folder: Place
  #record: FileRecord
  #places: readonly Place[]
  #isKept: boolean
  #isForgotten = false
  #forgetting: Promise<void> | undefined
  #isReleased = false
  #importing: Promise<void> | undefined
  readonly #importStop = new Stop(undefined)
  #importStopped: FileError | undefined
  /** Whether what is read may never end. */
  #isEndless = false
  #hasChanged = false
  #lookedAtMs = 0
  readonly #lost = new Set<number>()
  #mending: Promise<void> = Promise.resolve()
  #topic: Topic | undefined
  /** Fails never: who did the work is told. */
  #turn: Promise<unknown> = Promise.resolve()
  /** Neither does this. */
  #releasing: Promise<void> = Promise.resolve()
  #writing: Promise<unknown> = Promise.resolve()

  /** @param isKept whether the record is on disk. */
  constructor(context: FilesContext, record: FileRecord, isKept: boolean) {
    const { offer } = record
    this.context = context
    this.#record = record
    this.#isKept = isKept
    this.core = new FileCore(context.corestore, offer, record.end, (end) => void this.update({ end }))
    this.discoveryKey = hypercoreCrypto.discoveryKey(this.core.key)
    this.id = encodeZ32(this.discoveryKey)
    this.progress = new Progress(
      this.core,
      () => (this.#hasChanged ? 'changed' : this.#importing && 'reading'),
      (progress) => void this.events.emit('progress', progress)
    )
    this.#folder = openFolder(context.handles, this.#folderPath, (piece, bytes) => context.onuse(this, piece, bytes))
    this.#places = this.#openPlaces(record.path)
    const places = (): readonly Place[] => this.#places
    const isUnwanted = (): boolean => this.#isForgotten || this.#isReleased
    this.blocks = {
      key: offer.key,
      get places() {
        return places()
      },
      get isUnwanted() {
        return isUnwanted()
      },
      fits: (index, bytes) => this.core.fits(index, bytes, Math.max(index + 1, this.#shared()?.state?.length ?? 0)),
      has: (index) => this.#shared()?.bitfield?.get(index) ?? false,
      onread: () => this.#look(),
      onlost: (index) => this.#onlost(index),
      onfailure: (error) => this.core.fail(error)
    }
  }

  get record(): FileRecord {
    return this.#record
  }

  /** Whether something of it may be here. */
  get isKept(): boolean {
    return this.#isKept
  }

  /** Reads the source to its end, in the background. */
  import(core: Hypercore, source: Source, isSame: (size: number) => Promise<boolean>): void {
    const { offer } = this.#record
    this.#isEndless = source.cancel !== undefined
    this.core.hold()
    this.#importing = (async () => {
      try {
        const end = await importFile(core, offer.key, source, offer.size, isSame, (error) => this.report(error), this.#importStop)
        this.core.onend(end)
        await this.update({ end })
        if (!end.isWhole) this.onchanged()
      } catch (error) {
        if (error !== this.#importStopped) this.report(error)
      }
      this.#importing = undefined
      // Not waited for: a stream that gives nothing may not end either.
      source.cancel?.().catch((error: unknown) => this.report(error))
      await core.close()
      await this.progress.tell()
    })()
  }

  /** Resolves when the source was read, if it is being read, to its end or not. */
  get imported(): Promise<void> {
    return this.#importing ?? Promise.resolve()
  }

  /** Without an end, so that it goes on from there when the files are opened again. */
  async #stopImport(error: FileError): Promise<void> {
    this.#importStop.stop((this.#importStopped ??= error))
    await this.#importing
  }

  /** Writes down that there is such a file here, before anything of it is. */
  async keep(): Promise<void> {
    await this.#releasing
    this.#isReleased = false
    if (this.#isKept || this.#isForgotten) return
    this.#isKept = true
    await this.#write().catch((error: unknown) => {
      this.#isKept = false
      throw storageError(error)
    })
  }

  /** It is offered here as well. */
  addGroup(group: string): void {
    const { groups = [] } = this.#record
    if (!groups.includes(group)) void this.update({ groups: [...groups, group].slice(-MAX_GROUPS) })
  }

  /** What {@link Progress.begin} began is over: what is here is held from now on as long as it is to be. */
  async endUse(): Promise<void> {
    await this.progress.end()
    if (!this.progress.isWanted) await this.context.onidle(this)
  }

  /**
   * Gives back what is here of what somebody else shares, unless it is being used, and gives it to nobody any more. A file
   * that was saved stays. It can be fetched again.
   */
  async release(): Promise<void> {
    if (this.#record.isOwn || this.progress.isWanted || this.#isForgotten || this.core.closed !== undefined) return
    const released = this.#releasing.then(() => this.#giveBack())
    this.#releasing = released.catch(() => undefined)
    await released
  }

  async #giveBack(): Promise<void> {
    if (!this.#isKept || this.progress.isWanted) return
    this.#isReleased = true
    await this.#mending
    await this.clear(0, Infinity)
    await this.#removePart()
    await this.#empty()
    const { path: _path, usedAtMs: _usedAtMs, ...record } = this.#record
    this.#record = record
    this.#places = this.#openPlaces(undefined)
    this.#isKept = false
    await this.#write(() => this.context.records.remove(this.id))
  }

  /** What was begun to be saved. What was saved whole is the user's. */
  async #removePart(): Promise<void> {
    const { path } = this.#record
    if (path !== undefined && !path.isSource && path.stamp === undefined) await this.#places[0]!.remove()
  }

  async update(change: Partial<FileRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change }
    if ('path' in change) this.#places = this.#openPlaces(change.path)
    if (this.#record.offered !== undefined) this.context.onoffered()
    if (!this.#isKept) return
    await this.#write().catch((error: unknown) => this.report(error))
  }

  /** It is not offered any more. */
  async withdraw(): Promise<void> {
    const { offered: _offered, ...record } = this.#record
    this.#record = record
    this.context.onoffered()
    await this.update({})
  }

  /** The file of the user's is not this one any more. */
  async leavePath(): Promise<void> {
    const { path: _path, ...record } = this.#record
    this.#record = record
    this.#places = this.#openPlaces(undefined)
    await this.update({})
  }

  /** One after the other, so that the last record is the one that stays. */
  #write(work = () => this.context.records.put(this.id, this.#record)): Promise<void> {
    const written = this.#writing.then(work)
    this.#writing = written.catch(() => undefined)
    return written
  }

  /**
   * Moves the blocks that are in this package's folder to where others are written now, and looks at those that are there: one
   * that is not what it was is fetched again.
   */
  async moveBlocks(stop: Stop): Promise<void> {
    const isEmpty = (await measurePieces(this.#folderPath)).length === 0
    await this.core.peek(async (core) => {
      const [to] = this.#places
      const { bitfield } = this.#shared()!
      // By those that are here: how many there are to be, is what somebody says.
      for (let index = bitfield!.firstSet(0); index !== -1; index = bitfield!.firstSet(index + 1)) {
        stop.throwIfStopped()
        const block = await core.get(index, { wait: false })
        if (block !== null && !isEmpty) await to!.write(index, block)
      }
    })
    await this.#mending
    await this.#empty()
  }

  /** Does one thing after the other: what a file is saved in is one file. Who is stopped waits no longer, and those after them do. */
  async inTurn<T>(stop: Stop, work: () => Promise<T>): Promise<T> {
    const before = this.#turn
    const done = stop.guard(before).then(work)
    this.#turn = before.then(() => done).catch(() => undefined)
    return done
  }

  /** Gives the blocks from `start` on and before `end` back to the disk. */
  async clear(start: number, end: number): Promise<void> {
    await this.core.peek((core) => core.clear(start, Math.min(end, core.length)))
    // Also the piece that is not full.
    await this.#folder.drop(start, end)
  }

  async #empty(): Promise<void> {
    await this.#folder.remove()
    this.context.onempty(this)
  }

  /** Is found by whoever has its link. */
  announce(): void {
    this.#topic ??= this.context.node.join(this.discoveryKey)
  }

  async hide(): Promise<void> {
    const topic = this.#topic
    this.#topic = undefined
    await topic?.close()
  }

  forget(): Promise<void> {
    this.#forgetting ??= this.#forget().catch((error: unknown) => {
      this.#forgetting = undefined
      throw error
    })
    return this.#forgetting
  }

  async #forget(): Promise<void> {
    const forgotten = new FileError('FILE_FORGOTTEN', 'The file was forgotten on this device.')
    await this.#stopImport(forgotten)
    this.#isForgotten = true
    await this.#releasing
    await this.clear(0, Infinity)
    await this.close(forgotten)
    await this.#removePart()
    await this.#empty()
    // Who still reads it writes nothing down any more.
    this.#isKept = false
    await this.#write(() => this.context.records.remove(this.id))
    this.context.onforget(this)
  }

  async close(error: FileError): Promise<void> {
    this.progress.stop()
    // What is copied is read to its end: after that nobody has the rest. What is in its place is there to go on with, and
    // a stream may have no end.
    if (this.#record.path?.isSource || this.#isEndless) await this.#stopImport(error)
    await this.#releasing
    await this.core.close(error)
    await this.#importing
    await this.#mending
    await this.#writing
    await this.hide()
  }

  report(cause: unknown): void {
    void this.events.emit('error', storageError(cause))
  }

  onchanged(): void {
    if (this.#hasChanged) return
    this.#hasChanged = true
    const { path } = this.#record
    if (path !== undefined) void this.events.emit('changed', { path: path.path })
  }

  /** Tells when a shared file is not what it was, by its size and time. */
  async check(): Promise<void> {
    const { path } = this.#record
    if (path?.stamp === undefined || !path.isSource) return
    if (!isSame(path.stamp, await stampOf(path.path))) this.onchanged()
  }

  /** The core, if it is open, by whomever. */
  #shared(): UpstreamCore | null {
    const { cores } = this.context.corestore as unknown as { cores: { get(discoveryKey: Uint8Array): UpstreamCore | null } }
    return cores.get(this.discoveryKey)
  }

  /** Takes over a core that was opened before it was known here, by a peer who asked for it. */
  adopt(): void {
    const core = this.#shared()
    if (core?.opened) wrapStorage(core.storage, this.blocks)
  }

  get #folderPath(): string {
    return `${this.context.folder}/${this.id}`
  }

  #openPlaces(path: PathRecord | undefined): Place[] {
    if (path === undefined) return [this.#folder]
    const { handles } = this.context
    const { key } = this.#record.offer
    if (path.isSource) return [openSource(handles, path.path, key), this.#folder]
    // One that has its name is the user's, who may have changed it since.
    if (path.stamp !== undefined) return [{ ...openSource(handles, path.path, key), write: this.#folder.write }, this.#folder]
    return [openPath(handles, path.path, key), this.#folder]
  }

  /** What is given away is compared block by block; this is to tell of a change early. */
  #look(): void {
    const nowMs = Date.now()
    if (nowMs - this.#lookedAtMs < LOOK_MS) return
    this.#lookedAtMs = nowMs
    this.check().catch((error: unknown) => this.report(error))
  }

  #onlost(index: number): void {
    this.#lost.add(index)
    if (this.#lost.size > 1) return
    this.#mending = this.#mending
      .then(() => this.core.peek((core) => this.#mend(core)))
      .catch((error: unknown) => {
        if (!(error instanceof FileError)) this.report(error)
      })
  }

  /** What should be here and is not is asked of others from now on, and they are told that it is not here. */
  async #mend(core: Hypercore): Promise<void> {
    const lost = [...this.#lost]
    this.#lost.clear()
    if (this.#record.path?.isSource) this.onchanged()
    for (const index of lost) await core.clear(index, index + 1)
  }
}

export function isSame(before: Stamp, now: Stamp | undefined): boolean {
  return now?.size === before.size && now.modifiedAt === before.modifiedAt
}
