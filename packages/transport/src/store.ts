import type Corestore from 'corestore'
import { assertOptions, assertString } from '@covey/core'
import { TransportError } from './errors.js'
import { openCorestore } from './internal/open-corestore.js'

/**
 * A folder in which a peer keeps everything that it replicates, open in one process at a time.
 * Opening it takes the lock, so open it before anything else in that folder.
 */
export interface Store {
  readonly folder: string
  /** Releases the folder. Closing a node closes its store. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** How {@link openStore} opens a folder. */
export interface StoreOptions {
  /**
   * Whether a folder is opened that was copied, moved to another disk, or restored. Default `false`: what a device has
   * written since the copy was made, it would write a second time and otherwise, and be taken for one that lies. For stores
   * in which nothing is written that others read, a mirror's, say.
   */
  readonly allowCopy?: boolean
}

const corestores = new WeakMap<Store, Corestore>()

/** The Corestore behind a store, for the packages that replicate through it. */
export function corestoreOf(store: Store): Corestore {
  const corestore = corestores.get(store)
  if (corestore === undefined) throw new TypeError('store must come from openStore()')
  return corestore
}

/**
 * Opens a storage folder, making it where it does not exist.
 *
 * @throws {TransportError} STORAGE_LOCKED, STORAGE_UNWRITABLE, STORAGE_FAILED
 */
export async function openStore(folder: string, options: StoreOptions = {}): Promise<Store> {
  assertString(folder, 'folder', { minLength: 1 })
  assertOptions(options, 'options', ['allowCopy'])
  const { allowCopy = false } = options
  if (typeof allowCopy !== 'boolean') throw new TypeError('options.allowCopy must be true or false')
  // A folder of its own: what it finds in the one that it is given, the database takes for its own.
  const corestore = await openCorestore(`${folder}/cores`, allowCopy).catch((cause: unknown) => {
    throw openError(folder, cause)
  })

  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= corestore.close())
  const store: Store = { folder, close, [Symbol.asyncDispose]: close }
  corestores.set(store, corestore)
  return store
}

/** Of the folder's own lock, and of the database's (`PosixFileSystem::LockFile` of RocksDB). */
const LOCKED = /could not be locked|lock hold by current process|while lock file/i
const UNWRITABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT', 'ENOSPC'])

function openError(folder: string, cause: unknown): TransportError {
  const { code, message } = cause as { code?: string; message?: string }
  if (code === 'ELOCKED' || LOCKED.test(message ?? '')) {
    return new TransportError('STORAGE_LOCKED', `The folder ${folder} is in use already.`, {
      cause,
      retryable: true,
      hint: 'Close the other peer that has it open, or give this one a folder of its own.'
    })
  }
  if (code !== undefined && UNWRITABLE.has(code)) {
    return new TransportError('STORAGE_UNWRITABLE', `The folder ${folder} cannot be written.`, {
      cause,
      hint: 'Check that it is a folder, that you may write to it and that the disk has room.'
    })
  }
  if (code === 'DEVICE_FILE') {
    return new TransportError('STORAGE_FAILED', `The folder ${folder} is a copy, or was moved to another disk or restored.`, {
      cause,
      hint: 'Two devices that write as one break the rooms that they are in: give this one a folder of its own, and link it.'
    })
  }
  return new TransportError('STORAGE_FAILED', `The folder ${folder} could not be opened.`, {
    cause,
    hint: 'The cause says what the database found. Keep a copy of the folder before repairing it.'
  })
}
