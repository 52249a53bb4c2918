// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="./internal/runtime.d.ts" />
import { open, realpath, stat } from '#fs'
import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import hypercoreCrypto from 'hypercore-crypto'
import {
  assertFunction,
  assertInteger,
  assertOptions,
  assertSignal,
  assertString,
  createEvents,
  decodeLink,
  encodeZ32,
  readBytes,
  throwIfAborted,
  type Content
} from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import type { Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { MAX_GROUP_BYTES } from './constants.js'
import { FileError } from './errors.js'
import type { SharedFile } from './file.js'
import type { Files, FileSource, FilesEvents, ShareOptions } from './files.js'
import { assertHolding, type Holding } from './holding.js'
import { Budget } from './internal/budget.js'
import { keepBlocks, storageError } from './internal/block-storage.js'
import { coreKey, coreManifest, KEY_BYTES, randomBytes } from './internal/crypto.js'
import type { FolderFiles } from './internal/folder/create-folder.js'
import { createFileCores, registerFileCores } from './internal/file-cores.js'
import { Folders } from './internal/folder/folders.js'
import { openJournal } from './internal/folder/journal.js'
import { Handles } from './internal/handles.js'
import { Holdings } from './internal/holdings.js'
import { readBytesOf, readStream } from './internal/import-file.js'
import { MediaServer } from './internal/media-server.js'
import { isSame, OpenFile, type FilesContext } from './internal/open-file.js'
import { stampOf, type Stamp } from './internal/place.js'
import { openRecords, type FileRecord } from './internal/records.js'
import { setPath } from './internal/save-file.js'
import { createSharedFile } from './internal/shared-file.js'
import type { Stop } from './internal/stop.js'
import { assertUpstream, type UpstreamStorages } from './internal/upstream.js'
import { assertInfo, fileContent, readOffer, type FileInfo, type Offer } from './offer.js'

/** What {@link createFiles} needs. */
export interface FilesInit {
  /** Whose files they are: the identity that the node was made with. Seals what is known of them on disk. */
  readonly identity: LocalIdentity
  readonly node: Node
  /** A folder for what is received and not saved elsewhere; made where it does not exist. */
  readonly folder: string
  /**
   * How much of what others have shared is kept in {@link folder}. Where there is more, the pieces that were not used for
   * longest go, and are fetched again when they are asked for. What is saved elsewhere, and what this device shares, is
   * not counted. Default: no limit.
   */
  readonly budgetBytes?: number
  /** How long it is kept, where {@link Files.setHolding} says nothing else. Default `keep`. */
  readonly holding?: Holding
}

interface Entry {
  readonly opened: OpenFile
  readonly file: SharedFile
}

/**
 * Opens the files of a node, and gives what it has of them to whoever was offered them.
 *
 * @throws {FileError} STORAGE_FAILED, UPSTREAM_UNSUPPORTED
 */
export async function createFiles(init: FilesInit): Promise<Files> {
  assertOptions(init, 'init', ['identity', 'node', 'folder', 'budgetBytes', 'holding'])
  const { identity, node, folder, budgetBytes = Infinity, holding = 'keep' } = init
  assertString(folder, 'init.folder', { minLength: 1 })
  if (budgetBytes !== Infinity) assertInteger(budgetBytes, 'init.budgetBytes', { min: 0 })
  assertHolding(holding, 'init.holding')
  assertUpstream()
  const corestore = partsOf(node).corestore as Corestore
  const events = createEvents<FilesEvents>()
  const handles = new Handles()
  const entries = new Map<string, Entry>()
  const records = await openRecords(folder, identity).catch((error: unknown) => {
    throw storageError(error)
  })
  const unopened: unknown[] = []
  const report = (error: unknown): void => void events.emit('error', storageError(error))
  const budget = new Budget(budgetBytes, report)
  const holdings = new Holdings(folder, identity, holding)
  const media = new MediaServer((error) => void events.emit('error', error))
  let closing: Promise<void> | undefined

  const cores = createFileCores({ find: (id) => entries.get(id)?.opened, all: () => [...entries.values()].map(({ opened }) => opened) })

  const context: FilesContext = {
    corestore,
    node,
    handles,
    records,
    media,
    folder,
    onuse: (opened, piece, bytes) => budget.use(opened, piece, bytes),
    onempty: (opened) => budget.forget(opened),
    onidle: (opened) => holdings.ended(opened),
    onforget(opened) {
      holdings.forget(opened)
      media.forget(opened.id)
      entries.delete(opened.id)
      cores.changed()
    },
    onoffered: () => cores.changed()
  }

  function add(record: FileRecord, isKept: boolean): Entry {
    const opened = new OpenFile(context, record, isKept)
    const entry = { opened, file: createSharedFile(opened, record.offer) }
    entries.set(opened.id, entry)
    opened.adopt()
    return entry
  }

  function assertOpen(): void {
    if (closing !== undefined) throw closedError()
  }

  /** Reads a path from where its core ends on. */
  function importPath(opened: OpenFile, core: Hypercore, path: string, stamp: Stamp): void {
    opened.import(core, { read: (position, into) => handles.readInto(path, position, into) }, async () => isSame(stamp, await stampOf(path)))
  }

  /** Goes on with a file as it was left. */
  async function resume({ opened }: Entry): Promise<void> {
    const { isOwn, isLinked, end, path, offer } = opened.record
    if (isLinked) opened.announce()
    if (end?.isWhole === false) opened.onchanged()
    if (!isOwn || end !== undefined) return opened.check()
    const core = corestore.get({ key: coreKey(offer) })
    await core.ready()
    if (path?.stamp !== undefined) return importPath(opened, core, path.path, path.stamp)
    // Nobody has the rest of a stream any more.
    opened.import(core, readBytesOf(new Uint8Array(0)), () => Promise.resolve(false))
  }

  async function share(source: FileSource, { copy = false, signal, ...given }: ShareOptions): Promise<SharedFile> {
    const found = typeof source === 'string' ? await findSource(source) : undefined
    const info: FileInfo = { ...given, name: given.name ?? found?.name ?? 'file', type: given.type ?? '' }
    assertInfo(info)
    throwIfAborted(signal)
    assertOpen()
    const size = found?.stamp.size ?? (source instanceof Uint8Array ? source.length : undefined)
    const keyPair = hypercoreCrypto.keyPair()
    const offer: Offer = { ...info, signer: keyPair.publicKey, key: randomBytes(KEY_BYTES), ...(size !== undefined && { size }) }
    // Another file may have its name by now.
    if (found !== undefined) await handles.release(found.path)
    const core = corestore.get({ key: coreKey(offer), manifest: coreManifest(offer), keyPair })
    await core.ready()
    const path = found && !copy ? { path: { path: found.path, isSource: true, stamp: found.stamp } } : {}
    const { opened, file } = add({ offer, isOwn: true, isLinked: false, ...path }, false)
    await opened.keep()
    if (found !== undefined) importPath(opened, core, found.path, found.stamp)
    else opened.import(core, source instanceof Uint8Array ? readBytesOf(source) : readStream(source as AsyncIterable<Uint8Array>), () => Promise.resolve(true))
    return file
  }

  /** Shares the file of a path when it was read to its end, as it was. */
  async function shareWhole(path: string, copy: boolean, stop: Stop): Promise<OpenFile> {
    const { opened } = entries.get((await share(path, { copy })).id)!
    let failure: unknown = new FileError('FILE_CHANGED', 'The file was changed while it was read.')
    const stopListening = opened.events.on('error', (error) => void (failure = error))
    try {
      await stop.guard(opened.imported)
      if (opened.record.end?.isWhole !== true) throw failure
      if ((await realpath(path)) !== path) throw new FileError('PATH_IS_LINK', 'The file is a link.')
      if (copy) await setPath(opened, path)
      return opened
    } catch (error) {
      await opened.forget()
      throw storageError(error)
    } finally {
      stopListening()
    }
  }

  const folderFiles: FolderFiles = {
    handles,
    mirrors: new Map(),
    assertOpen,
    open(offer, group) {
      const opened = openOffer(offer, false)
      opened.addGroup(group)
      return opened
    },
    find: (id) => entries.get(id)?.opened,
    all: () => [...entries.values()].map(({ opened }) => opened),
    share: async (source, options) => entries.get((await share(source, options)).id)!.opened,
    offered: ({ id }, group, message) => cores.offer(id, { group, message, isAsked: false }),
    shareWhole
  }
  const folders = new Folders(folderFiles, (room) => openJournal(`${folder}/folders`, room, identity, report), report)

  function openOffer(offer: Offer, isLinked: boolean): OpenFile {
    assertOpen()
    const known = entries.get(encodeZ32(hypercoreCrypto.discoveryKey(coreKey(offer))))
    return (known ?? add({ offer, isOwn: false, isLinked }, false)).opened
  }

  const close = (): Promise<void> =>
    (closing ??= (async () => {
      await holdings.close()
      await folders.close()
      await media.close(closedError())
      await budget.close()
      await Promise.all([...entries.values()].map(({ opened }) => opened.close(closedError())))
      release()
      await handles.close()
    })())

  const release = keepBlocks(corestore.storage as unknown as UpstreamStorages, (discoveryKey) => entries.get(encodeZ32(discoveryKey))?.opened.blocks)
  for (const record of await records.all((error) => unopened.push(error))) {
    await resume(add(record, true)).catch((error: unknown) => unopened.push(error))
  }
  await holdings.load().catch((error: unknown) => unopened.push(error))
  await Promise.all([...entries.values()].map(({ opened }) => holdings.check(opened)))
  await budget.load([...entries.values()].map(({ opened }) => ({ file: opened, folder: `${folder}/${opened.id}` })))
  // When whoever waits for the files has had the time to listen.
  setTimeout(() => unopened.forEach(report), 0)

  const files: Files = {
    async share(source, options = {}) {
      assertOptions(options, 'options', ['name', 'type', 'width', 'height', 'preview', 'copy', 'signal'])
      assertSource(source)
      assertSignal(options.signal, 'options.signal')
      throwIfAborted(options.signal)
      assertOpen()
      return share(source, options)
    },
    open(content, options = {}) {
      assertOptions(options, 'options', ['group'])
      if (options.group !== undefined) assertGroup(options.group, 'options.group')
      assertOpen()
      const offer = typeof content === 'string' ? decodeFileLink(content) : readContent(content)
      const opened = openOffer(offer, typeof content === 'string')
      if (typeof content === 'string') opened.announce()
      if (options.group !== undefined) opened.addGroup(options.group)
      // As it is called here, which may be not as it was called before.
      return createSharedFile(opened, offer)
    },
    async setHolding(group, holding) {
      assertGroup(group, 'group')
      if (holding !== null) assertHolding(holding, 'holding')
      assertOpen()
      await holdings.set(group, holding, [...entries.values()].map(({ opened }) => opened)).catch((error: unknown) => {
        throw storageError(error)
      })
    },
    holdingOf(group) {
      assertGroup(group, 'group')
      return holdings.of(group)
    },
    get: (id) => entries.get(id)?.file,
    folder: (room, name) => folders.folder(room, name),
    list: () => [...entries.values()].map(({ file }) => file),
    on: events.on.bind(events),
    once: events.once.bind(events),
    close,
    [Symbol.asyncDispose]: close
  }
  registerFileCores(files, cores)
  return files
}

function assertGroup(group: string, field: string): void {
  assertString(group, field, { minLength: 1, maxBytes: MAX_GROUP_BYTES })
}

function assertSource(source: FileSource): void {
  if (typeof source === 'string') return assertString(source, 'source', { minLength: 1 })
  if (source instanceof Uint8Array) return
  assertFunction((source as Partial<AsyncIterable<unknown>> | null)?.[Symbol.asyncIterator], 'source[Symbol.asyncIterator]')
}

/** The file of a path: where it really is, and as what. */
async function findSource(source: string): Promise<{ path: string; name: string; stamp: Stamp }> {
  try {
    const path = await realpath(source)
    if (!(await stat(path)).isFile()) throw new FileError('FILE_IS_FOLDER', 'What is to be shared is no file.', { hint: 'Share the files in it.' })
    // What may be looked at may not be read for that.
    await (await open(path, 'r')).close()
    const stamp = await stampOf(path)
    if (stamp !== undefined) return { path, name: /[^/\\]*$/.exec(source)![0] || 'file', stamp }
  } catch (cause) {
    if (cause instanceof FileError) throw cause
    if ((cause as { code?: string }).code === 'EACCES') throw new FileError('FILE_UNREADABLE', 'The file may not be read.', { cause })
    throw new FileError('FILE_NOT_FOUND', 'There is no such file to share.', { cause })
  }
  throw new FileError('FILE_NOT_FOUND', 'There is no such file to share.')
}

function readContent(content: Content): Offer {
  const offer = fileContent.read(content)
  if (offer !== undefined) return offer
  throw new FileError('OFFER_MALFORMED', 'The content is no offer of a file, or of a newer version.')
}

function decodeFileLink(text: string): Offer {
  const { body } = decodeLink(text, { kind: 'file' })
  const offer = readBytes(body, (reader) => {
    const read = readOffer(reader)
    reader.rest()
    return read
  })
  if (offer.ok) return offer.value
  throw new FileError('OFFER_MALFORMED', 'The link is whole, but no file is in it.', { cause: offer.error })
}

function closedError(): FileError {
  return new FileError('FILES_CLOSED', 'The files of this peer are closed.', { hint: 'Open a new peer.' })
}
