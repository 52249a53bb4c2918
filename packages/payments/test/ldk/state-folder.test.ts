import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isCoveyError } from '@covey/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { StateFolder, type StateWitness } from '../../src/internal/ldk/state-folder.js'

let root: string
const opened: StateFolder[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'covey-state-'))
})

afterEach(async () => {
  for (const folder of opened.splice(0)) await folder.close()
  await rm(root, { recursive: true })
})

async function open(name = 'wallet', options: { witness?: StateWitness; acceptMoved?: boolean } = {}): Promise<StateFolder> {
  const folder = await StateFolder.open(join(root, name), { witness: options.witness, acceptMoved: options.acceptMoved ?? false })
  opened.push(folder)
  return folder
}

async function close(folder: StateFolder): Promise<void> {
  opened.splice(opened.indexOf(folder), 1)
  await folder.close()
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return isCoveyError(error) ? error.code : String(error)
  }
  return 'none'
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** Ends with what is in `wallet`: a at the second state, b at the first. */
async function twoStates(witness?: StateWitness): Promise<void> {
  const folder = await open('wallet', witness && { witness })
  await folder.commit(new Map([['a', bytes(1)], ['b', bytes(2)]]))
  await cp(join(root, 'wallet'), join(root, 'backup'), { recursive: true })
  await folder.commit(new Map([['a', bytes(3)]]))
  await close(folder)
}

test('a state is there again, whole, and what it no longer names is gone', async () => {
  await twoStates()
  const folder = await open()
  expect([folder.generation, folder.get('a'), folder.get('b'), folder.get('c')]).toEqual([2, bytes(3), bytes(2), undefined])
  await folder.commit(new Map([['b', null], ['c', bytes(4)]]))
  expect(folder.names().sort()).toEqual(['a', 'c'])
  expect((await readdir(join(root, 'wallet'))).sort()).toEqual(['a.2', 'c.3', 'lock', 'state'])
})

test('what was written of a state that never came into force does not count', async () => {
  await twoStates()
  await writeFile(join(root, 'wallet', 'a.3'), bytes(9))
  await writeFile(join(root, 'wallet', 'state.tmp'), bytes(9))
  const folder = await open()
  expect(folder.get('a')).toEqual(bytes(3))
  await folder.commit(new Map([['b', bytes(5)]]))
  expect((await readdir(join(root, 'wallet'))).sort()).toEqual(['a.2', 'b.3', 'lock', 'state'])
})

test('a second opener is refused, in the same process too', async () => {
  await open()
  expect(await codeOf(open())).toBe('WALLET_STATE_LOCKED')
})

test('a copy is refused, and what was moved within its disk is not', async () => {
  await twoStates()
  await cp(join(root, 'wallet'), join(root, 'copy'), { recursive: true, preserveTimestamps: true })
  expect(await codeOf(open('copy'))).toBe('WALLET_STATE_MOVED')
  await rename(join(root, 'wallet'), join(root, 'renamed'))
  expect((await open('renamed')).get('a')).toEqual(bytes(3))
})

test('a backup is refused that was restored over the folder, file by file', async () => {
  await twoStates()
  for (const name of await readdir(join(root, 'backup'))) {
    await writeFile(join(root, 'wallet', name), await readFile(join(root, 'backup', name)))
  }
  expect(await codeOf(open())).toBe('WALLET_STATE_MOVED')
})

test('an accepted copy is a wallet of its own from then on', async () => {
  await twoStates()
  await cp(join(root, 'wallet'), join(root, 'copy'), { recursive: true })
  const folder = await open('copy', { acceptMoved: true })
  await folder.commit(new Map([['a', bytes(7)]]))
  await close(folder)
  expect((await open('copy')).get('a')).toEqual(bytes(7))
})

test('with a witness an older state is refused, however it came there', async () => {
  let stored: number | undefined
  const witness: StateWitness = {
    load: async () => stored,
    store: async (generation) => void (stored = generation)
  }
  await twoStates(witness)
  expect(stored).toBe(2)
  await rm(join(root, 'wallet'), { recursive: true })
  await cp(join(root, 'backup'), join(root, 'wallet'), { recursive: true })
  expect(await codeOf(open('wallet', { witness, acceptMoved: true }))).toBe('WALLET_STATE_STALE')
  // The witness may be one behind: a process can die between the two.
  stored = 0
  expect((await open('wallet', { witness, acceptMoved: true })).generation).toBe(1)
})

test('a lost or altered file is not taken for a new wallet, nor for a sound one', async () => {
  await twoStates()
  const path = join(root, 'wallet', 'state')
  const state = await readFile(path)
  for (const at of [0, 9, state.length - 1]) {
    const altered = Uint8Array.from(state)
    altered[at]! ^= 1
    await writeFile(path, altered)
    expect(await codeOf(open())).toBe('WALLET_STATE_DAMAGED')
  }
  await writeFile(path, state.subarray(0, 20))
  expect(await codeOf(open())).toBe('WALLET_STATE_DAMAGED')
  await rm(path)
  expect(await codeOf(open())).toBe('WALLET_STATE_DAMAGED')
  await writeFile(path, state)
  await writeFile(join(root, 'wallet', 'a.2'), bytes(4))
  expect(await codeOf(open('wallet', { acceptMoved: true }))).toBe('WALLET_STATE_DAMAGED')
})

test('a commit that cannot be written leaves the old state', async () => {
  await twoStates()
  const folder = await open()
  await mkdir(join(root, 'wallet', 'state.tmp'))
  expect(await codeOf(folder.commit(new Map([['a', bytes(8)]])))).toMatch(/EISDIR/)
  await close(folder)
  await rm(join(root, 'wallet', 'state.tmp'), { recursive: true })
  expect((await open()).get('a')).toEqual(bytes(3))
})
