// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="./runtime.d.ts" />
import { rm, stat } from '#fs'
import Corestore from 'corestore'
import Rache from 'rache'
import { rememberAbsent, type UpstreamStorages } from './absent-nodes.js'
import { guardCores } from './guards/guard-cores.js'

/** hypercore-storage 3.3.1, index.js: the lock of a folder that is being opened. */
interface UpstreamStorage {
  readonly deviceFile: { readonly lock: { close(): Promise<void> } | null } | null
}

/**
 * How many entries of trees are kept in memory, of all cores together. Without such a cache each tree that is opened has one
 * of its own (hyperbee 2.27.3, index.js:462), of 65,536 entries, and a talk fills it with several a message.
 */
const CACHED_ENTRIES = 8_192

/**
 * Opens a Corestore, and holds nothing of the folder where that fails.
 *
 * The first opening makes the file `CORESTORE`, and then writes into it how the folder is known again
 * (device-file 2.3.1, index.js). A full disk, or a kill, in between leaves it empty, and the folder
 * would be taken for one that was moved, for ever. Such a file says nothing, and is made again; so is
 * any beside which there is no database, for then nothing was ever stored. No two openers get the
 * database by that: it has a lock of its own.
 *
 * @param allowBackup whether it may be a copy: without that file.
 */
export async function openCorestore(folder: string, allowBackup: boolean): Promise<Corestore> {
  try {
    return await tryOpen(folder, allowBackup)
  } catch (error) {
    if ((error as { code?: string }).code !== 'DEVICE_FILE' || !(await isUnfinished(folder))) throw error
    await rm(`${folder}/CORESTORE`, { force: true })
    return tryOpen(folder, allowBackup)
  }
}

async function tryOpen(folder: string, allowBackup: boolean): Promise<Corestore> {
  const corestore = new Corestore(folder, { allowBackup, globalCache: new Rache({ maxSize: CACHED_ENTRIES }) })
  try {
    await corestore.ready()
    guardCores(corestore)
    rememberAbsent(corestore.storage as unknown as UpstreamStorages)
    return corestore
  } catch (error) {
    // A store that failed to open may refuse to close for that very reason, and then keeps the lock.
    await corestore.close().catch(() => undefined)
    await (corestore.storage as unknown as UpstreamStorage).deviceFile?.lock?.close()
    throw error
  }
}

async function isUnfinished(folder: string): Promise<boolean> {
  return (await sizeOf(`${folder}/CORESTORE`)) === 0 || (await sizeOf(`${folder}/db`)) === undefined
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined
    throw error
  }
}
