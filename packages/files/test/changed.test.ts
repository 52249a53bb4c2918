import { open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BLOCK_BYTES } from '@covey/files'
import { codeOf, collect, connect, digest, startPeer, until, useLocalNetwork, writeRandom, type Peer } from './support.js'

const local = useLocalNetwork()
const SIZE = 8 * BLOCK_BYTES

const CHANGES: Record<string, (path: string, peer: Peer) => Promise<void>> = {
  'one byte, with size and time as before': async (path) => {
    const file = await open(path, 'r+')
    const { atime, mtime } = await file.stat()
    await file.write(Buffer.from([1, 2, 3, 4]), 0, 4, 5 * BLOCK_BYTES)
    await file.utimes(atime, mtime)
    await file.close()
  },
  truncated: (path) => truncate(path, 5 * BLOCK_BYTES),
  removed: (path) => rm(path),
  'replaced by another': async (path, peer) => {
    await writeFile(join(peer.desk, 'other'), (await readFile(path)).fill(9, 5 * BLOCK_BYTES))
    await rename(join(peer.desk, 'other'), path)
  }
}

describe('a shared file that changes', () => {
  for (const [name, change] of Object.entries(CHANGES)) {
    it(`is told of, and its changed blocks are given to nobody: ${name}`, async () => {
      const [alice, bob] = [await startPeer(local), await startPeer(local)]
      const { path, bytes } = await writeRandom(alice, 'film', SIZE)
      const before = await alice.files.share(path)
      await until(before, ({ state }) => state === 'whole')
      const again = await alice.restart()
      const shared = again.files.get(before.id)!
      const changed = shared.once('changed')
      await change(path, alice)
      await connect(bob, again)
      const file = bob.files.open(shared.content)
      const reading = codeOf(() => collect(file.stream({ start: 5 * BLOCK_BYTES, signal: AbortSignal.timeout(2_000) })))
      expect((await changed).path).toBe(path)
      expect(await reading).toBe(23)
      expect((await shared.progress()).state).toBe('changed')
      if (name !== 'removed') {
        expect(digest(await collect(file.stream({ end: 5 * BLOCK_BYTES })))).toBe(digest(bytes.subarray(0, 5 * BLOCK_BYTES)))
      }
    })
  }

  it('is left to the user where it was saved: what is missing of it then is kept elsewhere', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    const { path, bytes } = await writeRandom(alice, 'film', SIZE)
    await connect(bob, alice)
    const file = bob.files.open((await alice.files.share(path)).content)
    const saved = await file.saveTo(bob.desk)
    await writeFile(saved, 'something else')
    expect(digest(await collect(file.stream()))).toBe(digest(bytes))
    expect(await readFile(saved, 'utf8')).toBe('something else')
  })

  it('is told of at the next start, when it changed meanwhile', async () => {
    const alice = await startPeer(local)
    const { path } = await writeRandom(alice, 'film', SIZE)
    const shared = await alice.files.share(path)
    await until(shared, ({ state }) => state === 'whole')
    await alice.close()
    await truncate(path, 10)
    const again = await alice.restart()
    expect((await again.files.get(shared.id)!.progress()).state).toBe('changed')
  })

  it.each([10, 20 * BLOCK_BYTES, 20 * BLOCK_BYTES + 10])('is broken for who has it not yet, when it is cut to %i bytes while it is read', async (length) => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    const { path } = await writeRandom(alice, 'film', 4 * SIZE)
    const shared = await alice.files.share(path)
    const changed = shared.once('changed')
    await truncate(path, length)
    await changed
    await connect(bob, alice)
    expect(['FILE_CHANGED', 'FILE_DAMAGED']).toContain(await codeOf(() => bob.files.open(shared.content).bytes({ maxBytes: 4 * SIZE })))
  })
})
