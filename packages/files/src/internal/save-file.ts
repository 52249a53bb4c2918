// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="./runtime.d.ts" />
import { copyFile, link, open, realpath, rename, rm, stat } from '#fs'
import { BLOCK_BYTES } from '../constants.js'
import { FileError } from '../errors.js'
import { storageError } from './block-storage.js'
import type { Work } from './file-core.js'
import type { OpenFile } from './open-file.js'
import { stampOf } from './place.js'
import { readFile } from './read-file.js'
import { numberedName, safeName } from './safe-name.js'
import type { Stop } from './stop.js'

/** More files of one name are not made. */
const MAX_NUMBER = 1_000

/** Saves the whole file in `folder`, under its name or the next that is free, and resolves with its path. */
export async function saveFile(opened: OpenFile, folder: string, name: string, stop: Stop): Promise<string> {
  const parent = await findFolder(folder)
  return receiveFile(opened, parent, stop, async (part, isCopy) => {
    const path = await publish(part, parent, safeName(name), async (saved) => {
      // What is in another file of the user's stays there.
      if (!isCopy) await setPath(opened, saved)
    })
    await syncFolder(parent)
    return path
  })
}

/** From now on the file is where it was saved, as it is there. */
export async function setPath(opened: OpenFile, path: string, folder?: string): Promise<void> {
  const stamp = await stampOf(path)
  await opened.update({ path: { path, isSource: opened.record.isOwn, ...(stamp && { stamp }) }, ...(folder !== undefined && { folder }) })
}

/**
 * Makes a hidden file in `folder` of the whole file, from which the same call goes on after it failed.
 *
 * @param onwhole told when it is whole and durable; what it is to be is up to that.
 */
export async function receiveFile<T>(
  opened: OpenFile,
  folder: string,
  stop: Stop,
  onwhole: (part: string, isCopy: boolean) => Promise<T>
): Promise<T> {
  opened.progress.begin()
  try {
    await opened.keep()
    return await opened.inTurn(stop, async () => {
      const part = `${folder}/.${opened.id}.covey-part`
      const { path, isOwn } = opened.record
      const isCopy = isOwn || path?.stamp !== undefined
      if (isCopy) await copyTo(opened, part, stop)
      else await fetchTo(opened, part, stop)
      return await onwhole(part, isCopy)
    })
  } finally {
    await opened.endUse()
  }
}

async function fetchTo(opened: OpenFile, part: string, stop: Stop): Promise<void> {
  const begun = opened.record.path?.path
  if (begun !== part) {
    if (begun !== undefined) await movePart(opened, begun, part)
    await opened.update({ path: { path: part, isSource: false } })
  }
  await opened.moveBlocks(stop)
  const size = await opened.core.use(stop, (work) => receive(opened, work))
  await opened.context.handles.finish(part, size)
  await opened.context.handles.release(part)
}

/** What was begun in another folder is gone on with in this one. Where it is gone, it is fetched again. */
async function movePart(opened: OpenFile, from: string, to: string): Promise<void> {
  await opened.context.handles.release(from)
  try {
    await rename(from, to)
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'ENOENT') return
    if (code !== 'EXDEV') throw storageError(error)
    await copyPart(from, to)
  }
}

/** {@link movePart} to another disk. */
async function copyPart(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to)
    await rm(from)
  } catch (error) {
    await rm(to, { force: true })
    throw storageError(error)
  }
}

/** Fetches all that is missing, and resolves with the size when all is here. */
async function receive(opened: OpenFile, work: Work): Promise<number> {
  const { core, stop } = work
  // To its end, wherever that is. Not destroyed before the work is over, when its session is closed.
  core.download({ start: 0, end: -1, linear: true })
  const { size } = await opened.core.untilEnd(work)
  const blocks = Math.ceil(size / BLOCK_BYTES)
  do await stop.guard(core.download({ start: 0, end: blocks, linear: true }).done())
  while ((await opened.core.look()).held < blocks)
  return size
}

async function copyTo(opened: OpenFile, part: string, stop: Stop): Promise<void> {
  const { handles } = opened.context
  let size = 0
  try {
    await rm(part, { force: true })
    for await (const bytes of readFile(opened.core, 0, Infinity, stop)) {
      await handles.write(part, size, bytes)
      size += bytes.length
    }
    await handles.finish(part, size)
  } catch (error) {
    await handles.release(part)
    await rm(part, { force: true })
    throw (error as { code?: string }).code === undefined ? error : storageError(error)
  }
  await handles.release(part)
}

/** The folder's path, whole and without links. @throws {FileError} FILE_NOT_FOUND */
async function findFolder(folder: string): Promise<string> {
  const path = await realpath(folder).catch((cause: unknown) => {
    throw new FileError('FILE_NOT_FOUND', 'There is no such folder to save in.', { cause, hint: 'Make the folder first.' })
  })
  if ((await stat(path)).isDirectory()) return path
  throw new FileError('FILE_NOT_FOUND', 'What is to be saved in is no folder.')
}

/**
 * Gives a finished file its name, or the next with a number that is free. Never replaces what has the name already.
 *
 * @param onnamed told before the old name is gone, where the system has files of two names.
 * @returns the path
 */
async function publish(part: string, folder: string, name: string, onnamed: (path: string) => Promise<void>): Promise<string> {
  for (let number = 1; number <= MAX_NUMBER; number++) {
    const path = `${folder}/${numberedName(name, number)}`
    if (!(await giveName(part, path))) continue
    await onnamed(path)
    await rm(part, { force: true })
    return path
  }
  throw new FileError('STORAGE_FAILED', `There are ${MAX_NUMBER} files of this name.`, { hint: 'Choose another name, or folder.' })
}

const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES'])

/** Whether the name was free. The file has both then, where a file can have two. */
export async function giveName(part: string, path: string): Promise<boolean> {
  try {
    // Unlike a rename, a hard link never replaces what has the name.
    await link(part, path)
    return true
  } catch (error) {
    const { code = '' } = error as { code?: string }
    if (code === 'EEXIST') return false
    if (!NO_LINKS.has(code)) throw storageError(error)
  }
  // File systems without hard links (FAT, some of Android's): the name is taken by an empty file first.
  try {
    await (await open(path, 'wx', 0o600)).close()
    await rename(part, path)
    return true
  } catch (error) {
    if ((error as { code?: string }).code === 'EEXIST') return false
    throw storageError(error)
  }
}

/** Makes the name durable. Where a folder cannot be opened (Windows), the system sees to it. */
export async function syncFolder(folder: string): Promise<void> {
  let file
  try {
    file = await open(folder, 'r')
    await file.sync()
  } catch {
    // Neither can it be refused usefully: the file itself is in place.
  } finally {
    await file?.close()
  }
}
