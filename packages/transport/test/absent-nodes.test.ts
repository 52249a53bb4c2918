import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { expect, onTestFinished, test } from 'vitest'
import { openStore } from '@covey/transport'
import { corestoreOf } from '../src/store.js'
import { temporaryFolder } from './support.js'

const BLOCKS = 128

/** hypercore-storage 3.3.1, index.js and lib/tx.js; rocksdb-native 3.18.1, lib/state.js. */
interface Storage {
  readonly db: { readonly _state: { readonly stats: { readonly gets: number } } }
  read(): { hasTreeNode(index: number): Promise<boolean>; tryFlush(): void }
  /** Reads as it is, and remembers nothing. */
  snapshot(): Storage
  close(): Promise<void>
  atomize(atom: object): { write(): { putTreeNode(node: object): void; flush(): Promise<boolean> } }
  createAtom(): { flush(): Promise<void> }
}

function storageOf(core: Hypercore): Storage {
  return (core as unknown as { state: { storage: Storage } }).state.storage
}

async function open(): Promise<Corestore> {
  const store = await openStore(await temporaryFolder())
  onTestFinished(() => store.close())
  return corestoreOf(store)
}

/** A core of which one store has all and the other has heard. */
async function coreInTwo() {
  const [near, far] = [await open(), await open()]
  const source = near.get({ name: 'source' })
  await source.append(Array.from({ length: BLOCKS }, (_, i) => Buffer.from(`block ${i}`)))
  const [one, other] = [near.replicate(true), far.replicate(false)]
  for (const stream of [one, other]) stream.on('error', () => undefined)
  one.pipe(other).pipe(one)
  onTestFinished(() => [one, other].forEach((stream) => stream.destroy()))
  const copy = far.get({ key: source.key! })
  await copy.update({ wait: true })
  return { source, copy, storage: storageOf(copy) }
}

async function has(storage: Storage, index: number): Promise<boolean> {
  const batch = storage.read()
  const asked = batch.hasTreeNode(index)
  batch.tryFlush()
  return asked
}

async function nodes(storage: Storage): Promise<boolean[]> {
  return Promise.all(Array.from({ length: 2 * BLOCKS }, (_, index) => has(storage, index)))
}

/** What the database has. */
async function stored(storage: Storage): Promise<boolean[]> {
  const snapshot = storage.snapshot()
  const found = await nodes(snapshot)
  await snapshot.close()
  return found
}

test('what is not there is looked for once, however many ask, and nothing of it is believed once it is there', async () => {
  const { copy, storage } = await coreInTwo()
  const before = await stored(storage)
  expect(await nodes(storage)).toEqual(before)
  const { stats } = storage.db._state
  const gets = stats.gets
  const again = await nodes(storage)
  expect(again).toEqual(before)
  expect(stats.gets - gets).toBe(again.filter(Boolean).length)

  // While it is asked for all the time.
  let isOver = false
  const asking = (async () => {
    while (!isOver) await nodes(storage)
  })()
  for (let i = 0; i < BLOCKS; i += 3) await copy.get(i)
  isOver = true
  await asking
  const after = await stored(storage)
  expect(after).not.toEqual(before)
  expect(await nodes(storage)).toEqual(after)
})

test('what is written together with other cores is found', async () => {
  const { storage } = await coreInTwo()
  const [index] = (await nodes(storage)).flatMap((isThere, at) => (isThere ? [] : [at])) as [number]
  const atom = storage.createAtom()
  const batch = storage.atomize(atom).write()
  batch.putTreeNode({ index, size: 1, hash: new Uint8Array(32) })
  await batch.flush()
  await atom.flush()
  expect(await has(storage, index)).toBe(true)
})
