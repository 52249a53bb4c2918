import { spawnSync } from 'node:child_process'
import { readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { BLOCK_BYTES } from '@covey/files'
import { codeOf, connect, digest, digestOf, startPeer, temporaryFolder, useLocalNetwork, writeRandom } from './support.js'

const local = useLocalNetwork()

it('what has arrived is kept when the disk is full, and the same call goes on when there is room', async ({ skip }) => {
  const small = await temporaryFolder()
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', small]).status !== 0) skip('a small disk cannot be mounted here')
  onTestFinished(() => void spawnSync('umount', ['-l', small]))
  await writeFile(join(small, 'ballast'), new Uint8Array(5 * 2 ** 20))
  const [alice, bob] = [await startPeer(local), await startPeer(local)]
  await connect(bob, alice)
  const { path, bytes } = await writeRandom(alice, 'film', 40 * BLOCK_BYTES)
  const file = bob.files.open((await alice.files.share(path)).content)
  expect(await codeOf(() => file.saveTo(small))).toBe('STORAGE_FULL')
  expect((await readdir(small)).sort()).toEqual([`.${file.id}.covey-part`, 'ballast'])
  const { receivedBytes } = await file.progress()
  expect(receivedBytes).toBeGreaterThan(0)
  expect(receivedBytes).toBeLessThan(bytes.length)
  await rm(join(small, 'ballast'))
  expect(await digestOf(await file.saveTo(small))).toBe(digest(bytes))
  expect(await readdir(small)).toEqual(['film'])
})

it('a file that could not be written down is, when there is room', async () => {
  const [alice, bob] = [await startPeer(local), await startPeer(local)]
  await connect(bob, alice)
  const { path, bytes } = await writeRandom(alice, 'film', 3 * BLOCK_BYTES)
  const file = bob.files.open((await alice.files.share(path)).content)
  // A disk that is full for this folder alone.
  const records = join(bob.folder, 'files')
  await rename(records, `${records}.away`)
  expect(await codeOf(() => file.bytes({ maxBytes: bytes.length }))).toBe('STORAGE_FAILED')
  await rename(`${records}.away`, records)
  expect(digest(await file.bytes({ maxBytes: bytes.length }))).toBe(digest(bytes))
  expect((await bob.restart()).files.get(file.id)).toBeDefined()
})
