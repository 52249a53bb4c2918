import { assertString } from '@covey/core'
import { IdentityError } from './errors.js'
import { createFolder, createFile, readFile, removeFile, replaceFile } from './internal/files.js'

/** Names are short and safe in every file system: no folders, no dots in front. */
const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/

/**
 * Where the secrets of an identity are kept, each under a short name. An app that cannot use a folder
 * brings its own. What it is given to keep is already sealed where the caller asked for that.
 */
export interface SecretStore {
  /** The bytes under `name`, or `null` when there are none. */
  read(name: string): Promise<Uint8Array | null>
  /** Keeps `bytes` under `name` unless something is there already; tells whether it did. */
  create(name: string, bytes: Uint8Array): Promise<boolean>
  /**
   * Replaces what is under `name`, wholly or not at all: after a crash the old or the new bytes must
   * be there. Resolves when they are durable.
   */
  write(name: string, bytes: Uint8Array): Promise<void>
  /** Removes what is under `name`, if anything is. */
  remove(name: string): Promise<void>
}

/**
 * Keeps secrets in memory, for tests and for peers that are meant to leave nothing behind.
 *
 * @example
 * ```ts
 * import { createMemorySecretStore, openIdentity } from '@covey/identity'
 *
 * const storage = createMemorySecretStore()
 * const first = await openIdentity({ storage })
 * const again = await openIdentity({ storage })
 * console.log(first.identity.id === again.identity.id)
 * ```
 */
export function createMemorySecretStore(): SecretStore {
  const blobs = new Map<string, Uint8Array>()
  return {
    async read(name) {
      const bytes = blobs.get(checkName(name))
      return bytes === undefined ? null : Uint8Array.from(bytes)
    },
    async create(name, bytes) {
      if (blobs.has(checkName(name))) return false
      blobs.set(name, Uint8Array.from(bytes))
      return true
    },
    async write(name, bytes) {
      blobs.set(checkName(name), Uint8Array.from(bytes))
    },
    async remove(name) {
      blobs.delete(checkName(name))
    }
  }
}

/**
 * Keeps each secret as a file in `folder`, which is made when needed: readable by the user alone
 * (mode 0600, in a folder of mode 0700; Windows has its own rules), replaced atomically, so that a
 * crash at any moment leaves the old or the new file. One process at a time.
 *
 * Its methods reject with an {@link IdentityError} IDENTITY_STORE_FAILED when the disk does not do as
 * asked.
 *
 * @throws {TypeError} when `folder` is not a path.
 * @example
 * ```ts
 * import { createFileSecretStore } from '@covey/identity'
 *
 * const store = createFileSecretStore('./alice/secrets')
 * console.log(typeof store.read)
 * ```
 */
export function createFileSecretStore(folder: string): SecretStore {
  assertString(folder, 'folder', { minLength: 1 })
  return {
    read: (name) => attempt('read', () => readFile(folder, checkName(name))),
    create: (name, bytes) =>
      attempt('written', async () => {
        await createFolder(folder)
        return createFile(folder, checkName(name), bytes)
      }),
    write: (name, bytes) =>
      attempt('written', async () => {
        await createFolder(folder)
        await replaceFile(folder, checkName(name), bytes)
      }),
    remove: (name) => attempt('removed', () => removeFile(folder, checkName(name)))
  }
}

function checkName(name: string): string {
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new TypeError('name must be 1 to 64 lower-case letters, digits and hyphens')
  }
  return name
}

async function attempt<Value>(verb: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof TypeError) throw cause
    throw new IdentityError('IDENTITY_STORE_FAILED', `The secrets could not be ${verb}.`, {
      cause,
      retryable: true,
      hint: 'Check the folder, its permissions and the free space.'
    })
  }
}
