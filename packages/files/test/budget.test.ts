import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { BLOCK_BYTES } from '@covey/files'
import { PIECE_BLOCKS } from '../src/internal/place.js'
import { collect, connect, digest, startPeer, useLocalNetwork, writeRandom, type Peer } from './support.js'

const local = useLocalNetwork()
const PIECE = PIECE_BLOCKS * BLOCK_BYTES
/** What is under way when the limit is reached is written all the same. */
const MARGIN = 2 * PIECE

it('no more is kept than the budget allows, and what went is fetched again', async () => {
  const [alice, bob] = [await startPeer(local), await startPeer(local, { budgetBytes: 2 * PIECE })]
  await connect(bob, alice)
  const { path, bytes } = await writeRandom(alice, 'film', 7 * PIECE)
  const shared = await alice.files.share(path)
  const file = bob.files.open(shared.content)
  for await (const part of file.stream()) {
    expect(part.length).toBeGreaterThan(0)
    expect(await keptBy(bob, file.id)).toBeLessThanOrEqual(2 * PIECE + MARGIN)
  }
  const again = await bob.restart()
  expect(await keptBy(again, file.id)).toBeLessThanOrEqual(2 * PIECE)
  const { receivedBytes, state } = await again.files.get(file.id)!.progress()
  expect([receivedBytes, state]).toEqual([await keptBy(again, file.id), 'idle'])
  await connect(again, alice)
  expect(digest(await collect(again.files.get(file.id)!.stream()))).toBe(digest(bytes))
})

it('what is saved elsewhere, or shared by this device, is not counted', async () => {
  const [alice, bob] = [await startPeer(local, { budgetBytes: 0 }), await startPeer(local, { budgetBytes: 0 })]
  await connect(bob, alice)
  const { bytes } = await writeRandom(alice, 'film', 3 * PIECE)
  const shared = await alice.files.share(bytes)
  const file = bob.files.open(shared.content)
  await file.saveTo(bob.desk)
  expect((await file.progress()).state).toBe('whole')
  expect(await keptBy(bob, file.id)).toBe(0)
  expect(await keptBy(alice, file.id)).toBe(bytes.length)
})

async function keptBy(peer: Peer, id: string): Promise<number> {
  const folder = join(peer.folder, 'files', id)
  const names = await readdir(folder).catch(() => [])
  // One may go while they are looked at.
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name)).catch(() => ({ size: 0 }))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
