// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="./runtime.d.ts" />
import { mkdir, open, readdir, readFile, rename, rm } from '#fs'
import { assertString } from '@covey/core'
import locks from 'fs-native-extensions'
import { PaymentError } from '../errors.js'

/** Values by a key of 52 characters, as z-base-32 has of 32 bytes, each of which is durable once it was put. */
export interface DurableMap<Value> {
  get(key: string): Value | undefined
  list(): readonly Value[]
  /** Resolves when the value is durable, in place of the former one of that key. One after the other. */
  put(key: string, value: Value): Promise<void>
  /** May be called twice. */
  close(): Promise<void>
}

/** How values are files. */
export interface FileFormat<Value> {
  encode(value: Value): Uint8Array
  /** `undefined` for what is damaged, and for a value that does not belong under that key. */
  decode(bytes: Uint8Array, key: string): Value | undefined
  /** What to do about a file that is damaged. */
  readonly hint: string
}

const ENTRY = /^[a-z0-9]{52}$/
const TEMPORARY = '.tmp'

/** A durable map in memory alone, for tests and for what is meant to leave nothing behind. */
export function createMemoryMap<Value>(): DurableMap<Value> {
  return mapOf(new Map(), { put: async () => undefined, close: async () => undefined })
}

/**
 * Opens `folder`, which is made where there is none, with a file for each value: written to a new file, flushed, put in
 * place of the old one, and the folder flushed too, so that a crash at any moment leaves the old value or the new one.
 * A file that cannot be read is not skipped.
 *
 * @throws {PaymentError} JOURNAL_LOCKED while another process has it open, JOURNAL_DAMAGED, JOURNAL_FAILED
 * @throws {TypeError} when `folder` is not a path.
 */
export async function openDurableFolder<Value>(folder: string, format: FileFormat<Value>): Promise<DurableMap<Value>> {
  assertString(folder, 'folder', { minLength: 1 })
  const unlock = await attempt('opened', () => lock(folder))
  const writing = new Set<Promise<void>>()
  let isClosed = false
  try {
    return mapOf(await attempt('read', () => readEntries(folder, format)), {
      async put(key, value) {
        if (isClosed) throw new PaymentError('PAYMENTS_CLOSED', 'The journal was closed.')
        const written = attempt('written', () => replace(folder, key, format.encode(value)))
        const settled = written.catch(() => undefined)
        writing.add(settled)
        await written.finally(() => writing.delete(settled))
      },
      async close() {
        if (isClosed) return
        isClosed = true
        await Promise.all(writing)
        await unlock()
      }
    })
  } catch (error) {
    await unlock()
    throw error
  }
}

/** What was made durable is in memory too. */
function mapOf<Value>(entries: Map<string, Value>, disk: Pick<DurableMap<Value>, 'put' | 'close'>): DurableMap<Value> {
  let last: Promise<unknown> = Promise.resolve()
  return {
    get: (key) => entries.get(key),
    list: () => [...entries.values()],
    put(key, value) {
      const write = async (): Promise<void> => {
        await disk.put(key, value)
        entries.set(key, value)
      }
      // One after the other, so that the last put is what stays. A failed one is its caller's to hear of.
      const written = last.then(write, write)
      last = written
      return written
    },
    close: () => disk.close()
  }
}

/** The lock is the operating system's, so that a killed process holds nothing. */
async function lock(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = await open(`${folder}/lock`, 'a+', 0o600)
  if (locks.tryLock(file.fd)) return () => file.close()
  await file.close()
  throw new PaymentError('JOURNAL_LOCKED', 'Another process has the journal open.', {
    retryable: true,
    hint: 'Two wallets must not share a journal: close the other one.'
  })
}

async function readEntries<Value>(folder: string, { decode, hint }: FileFormat<Value>): Promise<Map<string, Value>> {
  const entries = new Map<string, Value>()
  for (const name of await readdir(folder)) {
    if (name.endsWith(TEMPORARY)) await rm(`${folder}/${name}`, { force: true })
    if (!ENTRY.test(name)) continue
    const entry = decode(Uint8Array.from(await readFile(`${folder}/${name}`)), name)
    if (entry === undefined) throw new PaymentError('JOURNAL_DAMAGED', `The entry ${name} of the journal cannot be read.`, { hint })
    entries.set(name, entry)
  }
  return entries
}

async function replace(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  // One process, and one attempt at a time for each key: the name is free.
  const temporary = `${folder}/${name}${TEMPORARY}`
  await flush(temporary, 'w', bytes)
  await rename(temporary, `${folder}/${name}`)
  await flush(folder, 'r')
}

async function flush(path: string, flags: string, bytes?: Uint8Array): Promise<void> {
  let file
  try {
    file = await open(path, flags, 0o600)
  } catch (error) {
    // A folder cannot be opened on Windows, where the system sees to its entries.
    if (bytes === undefined && ['EISDIR', 'EPERM', 'EACCES'].includes((error as { code?: string }).code ?? '')) return
    throw error
  }
  try {
    for (let offset = 0; bytes !== undefined && offset < bytes.length; ) {
      offset += (await file.write(bytes, offset)).bytesWritten
    }
    await file.sync()
  } finally {
    await file.close()
  }
}

async function attempt<Value>(verb: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof PaymentError) throw cause
    throw new PaymentError('JOURNAL_FAILED', `The journal could not be ${verb}.`, {
      cause,
      retryable: true,
      hint: 'Check the folder, its permissions and the free space.'
    })
  }
}
