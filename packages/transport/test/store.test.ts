import { copyFile, cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { isCoveyError } from '@covey/core'
import { openStore, TransportError, type Store } from '@covey/transport'
import { corestoreOf } from '../src/store.js'
import { codeOf, openInAnotherProcess, temporaryFolder } from './support.js'

async function open(folder: string): Promise<Store> {
  const store = await openStore(folder)
  onTestFinished(() => store.close())
  return store
}

/** The error of an `openStore` that fails. */
async function openError(folder: string): Promise<TransportError> {
  const error: unknown = await open(folder).catch((thrown: unknown) => thrown)
  if (!(error instanceof TransportError)) throw new Error('no TransportError', { cause: error })
  return error
}

test('makes a folder that does not exist, and those above it', async () => {
  const folder = join(await temporaryFolder(), 'a/b/ü c')
  const store = await open(folder)
  expect(store.folder).toBe(folder)
  expect(await readdir(folder)).not.toEqual([])
})

test('a folder that is open in this process is locked until it is closed', async () => {
  const folder = await temporaryFolder()
  const first = await open(folder)
  const error = await openError(folder)
  expect(error.code).toBe('STORAGE_LOCKED')
  expect(error.retryable).toBe(true)
  expect(error.message).toContain(folder)
  expect(error.hint).toMatch(/close the other peer/i)
  expect(isCoveyError(error, 'STORAGE_LOCKED')).toBe(true)

  await first.close()
  await open(folder)
})

test('a folder that is open in another process is locked until that ends, however it ends', async () => {
  const folder = await temporaryFolder()
  const other = await openInAnotherProcess(folder)
  expect((await openError(folder)).code).toBe('STORAGE_LOCKED')
  await other.kill()
  await open(folder)
})

test('a failed attempt does not take the lock from who has it', async () => {
  const folder = await temporaryFolder()
  await open(folder)
  await openError(folder)
  expect((await openError(folder)).code).toBe('STORAGE_LOCKED')
})

test('of many attempts at once, one gets the folder and the others are told that it is locked', async () => {
  const folder = await temporaryFolder()
  const codes = await Promise.all(Array.from({ length: 5 }, () => codeOf(() => open(folder))))
  expect(codes.filter((code) => code === null)).toHaveLength(1)
  expect(codes.filter((code) => code === 'STORAGE_LOCKED')).toHaveLength(4)
})

test('a folder beneath a regular file cannot be written, and can once the file is gone', async () => {
  const file = join(await temporaryFolder(), 'file')
  await writeFile(file, 'not a folder')
  const error = await openError(join(file, 'store'))
  expect(error.code).toBe('STORAGE_UNWRITABLE')
  expect(error.retryable).toBe(false)
  expect(error.hint).toMatch(/you may write/)

  await rm(file)
  await open(join(file, 'store'))
})

test('a regular file is no folder', async () => {
  const file = join(await temporaryFolder(), 'file')
  await writeFile(file, 'not a folder')
  expect((await openError(file)).code).toBe('STORAGE_UNWRITABLE')
})

test.runIf(process.platform === 'linux')('a folder where even root may not write', async () => {
  expect((await openError('/sys/covey-test')).code).toBe('STORAGE_UNWRITABLE')
})

test('a damaged database is told apart from a locked one, and opens again when it is mended', async () => {
  const folder = await temporaryFolder()
  await (await open(folder)).close()
  const current = (await readdir(folder, { recursive: true })).find((name) => /(^|\/)CURRENT$/.test(name))
  if (current === undefined) throw new Error('the database has no CURRENT file')
  const kept = join(await temporaryFolder(), 'CURRENT')
  await copyFile(join(folder, current), kept)
  await writeFile(join(folder, current), 'garbage')

  const error = await openError(folder)
  expect(error.code).toBe('STORAGE_FAILED')
  expect(error.cause).toBeInstanceOf(Error)

  await copyFile(kept, join(folder, current))
  await open(folder)
})

/** A file of no bytes is what a kill, or a full disk, leaves between its making and its first write. */
async function spoil(folder: string): Promise<void> {
  await mkdir(join(folder, 'cores'), { recursive: true })
  await writeFile(join(folder, 'cores/CORESTORE'), '')
}

test('a first opening that was cut before anything was stored is made up for', async () => {
  const folder = await temporaryFolder()
  await spoil(folder)
  await open(folder)
})

test('a folder whose mark was lost keeps what it has', async () => {
  const folder = await temporaryFolder()
  const store = await open(folder)
  const { key } = await written(store)
  await store.close()
  await spoil(folder)
  const core = corestoreOf(await open(folder)).get({ key })
  expect(String(await core.get(0))).toBe('kept')
})

test('of many who find a cut opening at once, one gets the folder and the others are told that it is locked', async () => {
  const folder = await temporaryFolder()
  await spoil(folder)
  const codes = await Promise.all(Array.from({ length: 5 }, () => codeOf(() => open(folder))))
  expect(codes.filter((code) => code === null)).toHaveLength(1)
  expect(codes.filter((code) => code === 'STORAGE_LOCKED')).toHaveLength(4)
})

test('a folder that was copied is not opened, and nothing of it is touched', async () => {
  const [folder, copy] = [await temporaryFolder(), await temporaryFolder()]
  await (await open(folder)).close()
  await cp(folder, copy, { recursive: true })
  const before = await readdir(copy, { recursive: true })
  for (const _ of [1, 2]) expect(await openError(copy)).toMatchObject({ code: 'STORAGE_FAILED', message: expect.stringMatching(/is a copy/) as string })
  expect(await readdir(copy, { recursive: true })).toEqual(before)
})

test('where a copy is allowed it has what the folder had, and is open once at a time, also in another process', async () => {
  const [folder, copy] = [await temporaryFolder(), await temporaryFolder()]
  const store = await open(folder)
  const { key } = await written(store)
  await store.close()
  await cp(folder, copy, { recursive: true })
  const options = { allowCopy: true }
  const copied = await openStore(copy, options)
  onTestFinished(() => copied.close())
  expect(String(await corestoreOf(copied).get({ key }).get(0))).toBe('kept')
  expect(await codeOf(() => openStore(copy, options))).toBe('STORAGE_LOCKED')
  await copied.close()
  const [elsewhere, other] = [await temporaryFolder(), await openInAnotherProcess(folder)]
  await expect(openStore(folder, options)).rejects.toMatchObject({ code: 'STORAGE_LOCKED' })
  await other.kill()
  await (await openStore(elsewhere, options)).close()
  // A peer's that was never a copy is opened as ever.
  await open(elsewhere)
  await expect(openStore(folder, { allowCopy: 1 as never })).rejects.toThrow('options.allowCopy')
})

/** A core with one block in it. */
async function written(store: Store): Promise<{ key: Uint8Array }> {
  const core = corestoreOf(store).get({ name: 'kept' })
  await core.ready()
  await core.append(Buffer.from('kept'))
  return { key: core.key! }
}

test('a folder with files of others in it is not touched beyond its own', async () => {
  const folder = await temporaryFolder()
  await mkdir(join(folder, 'photos'))
  await writeFile(join(folder, 'photos/1.jpg'), 'x')
  await (await open(folder)).close()
  expect(await readdir(join(folder, 'photos'))).toEqual(['1.jpg'])
})

test.each([[''], [undefined], [5], [null], ['a\ud800']])('%o is no folder', async (folder) => {
  await expect(openStore(folder as string)).rejects.toThrow(TypeError)
  await expect(openStore(folder as string)).rejects.toThrow(/^folder must/)
})

test('a second close, and one while the first is under way, do nothing more', async () => {
  const store = await openStore(await temporaryFolder())
  await Promise.all([store.close(), store.close()])
  await store.close()
  await store[Symbol.asyncDispose]()
  await open(store.folder)
})
