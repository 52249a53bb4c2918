import Corestore from 'corestore'
import Hypercore from 'hypercore'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Room } from '@covey/rooms'
import type { UpstreamApplyState } from '../../src/internal/guards/autobase-internals.js'
import { preloadMissing, preloadTraced } from '../../src/internal/guards/preload-missing.js'
import { partsOfRooms } from '../../src/internal/rooms-parts.js'
import { allOf, shareRoom, start, temporaryFolder, useLocalNetwork } from '../support.js'

const net = useLocalNetwork()

// White box: the core of a view, of which a device has written the end itself as Autobase does, in a session of its own, before
// it knows that others have signed the same.

const SIGNED = 5
const LENGTH = 8

async function openStore(): Promise<Corestore> {
  const store = new Corestore(await temporaryFolder())
  onTestFinished(() => store.close())
  await store.ready()
  return store
}

const blocks = (from: number, to: number): Uint8Array[] => Array.from({ length: to - from }, (_, i) => Uint8Array.of(from + i))

/** A view as its reader has it, and what is downloaded of it. */
async function scene() {
  const [hers, his] = [await openStore(), await openStore()]
  const signed = hers.get({ name: 'view' }) as Hypercore<Uint8Array>
  await signed.append(blocks(0, SIGNED))
  const read = his.get({ key: signed.key! }) as Hypercore<Uint8Array>
  await read.ready()
  const [there, here] = [hers.replicate(true), his.replicate(false)]
  there.pipe(here).pipe(there)
  await read.update({ wait: true })
  // All but one.
  await read.download({ start: 1, end: SIGNED }).done()
  const view = read.session({ name: 'view' }) as Hypercore<Uint8Array>
  await view.ready()
  await view.append(blocks(SIGNED, LENGTH))
  await signed.append(blocks(SIGNED, LENGTH))
  await expect.poll(() => read.length).toBe(LENGTH)
  const downloaded: number[] = []
  read.on('download', (index) => downloaded.push(index))
  const snapshot = view.snapshot() as Hypercore<Uint8Array>
  await snapshot.ready()
  return { view, snapshot, downloaded }
}

test('what a device has written of its view itself is not downloaded, and what it lacks is', async () => {
  const { view, snapshot, downloaded } = await scene()
  const guarded = preloadMissing(snapshot, view)
  await guarded.download({ blocks: [0, SIGNED, LENGTH - 1] }).done()
  expect(downloaded).toEqual([0])
  expect(guarded.download({ blocks: [SIGNED] })).toBe(undefined)
})

test('Hypercore downloads what the device has written', async () => {
  const { snapshot, downloaded } = await scene()
  await snapshot.download({ blocks: [0, SIGNED, LENGTH - 1] }).done()
  expect(downloaded.toSorted((a, b) => a - b)).toEqual([0, SIGNED, LENGTH - 1])
})

test('of what others have read of the view, only what is lacking is asked for ahead', async () => {
  const { view } = await scene()
  const state = { systemView: { core: view }, encryptionView: { core: null }, views: [{ core: view }], update: () => undefined }
  preloadTraced(state as unknown as UpstreamApplyState)
  const user = [{ view: 0, blocks: [0, SIGNED] }, { view: 0, blocks: [1, LENGTH - 1] }, { view: 1, blocks: [0] }]
  const node = { trace: { system: [0, 1, SIGNED], encryption: [0], user } }
  const update = state.update as unknown as (order: object) => void
  update({ indexed: [], tip: [node], shared: 0 })
  expect(node.trace).toEqual({ system: [0], encryption: [], user: [{ view: 0, blocks: [0] }] })
})

test('a room asks for nothing ahead that it has written itself', { timeout: 60_000 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  const { core } = partsOfRooms(bob.rooms).open.get(his.id)!.base.view.db
  const sameCore = (session: unknown): boolean => (session as { core: object }).core === (core as unknown as { core: object }).core
  const written: number[] = []
  const download = Hypercore.prototype.download
  vi.spyOn(Hypercore.prototype, 'download').mockImplementation(function (this: Hypercore, range) {
    const blocks = sameCore(this) && range && 'blocks' in range ? (range.blocks as number[]) : []
    written.push(...blocks.filter((block) => block >= core.signedLength))
    return download.call(this, range)
  })
  onTestFinished(() => void vi.restoreAllMocks())
  const texts = Array.from({ length: 300 }, (_, i) => `message ${i}`)
  await Promise.all(texts.map((text) => hers.send(text)))
  await allOf(his, texts)
  expect(written).toEqual([])
})
