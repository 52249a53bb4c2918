import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createLocalNetwork, createTestPeer, type LocalNetwork, type TestPeerInit } from '@covey/testing'
import { useTemporaryFolder } from './support.js'

async function startNetwork(): Promise<LocalNetwork> {
  const network = await createLocalNetwork()
  onTestFinished(() => network.close())
  return network
}

test('a peer without storage leaves nothing behind', async () => {
  const temporary = await useTemporaryFolder()
  const peer = await createTestPeer({ network: await startNetwork(), name: 'Alice' })
  onTestFinished(() => peer.close())
  expect(await readdir(temporary)).toHaveLength(1)
  await peer.rooms.create({ name: 'Tea' })
  await peer.close()
  await peer.close()
  expect(await readdir(temporary)).toEqual([])
})

test('a peer with storage is the same person when it is opened again', async () => {
  const storage = join(await useTemporaryFolder(), 'alice')
  const network = await startNetwork()
  const before = await createTestPeer({ network, storage, name: 'Alice' })
  onTestFinished(() => before.close())
  await before.close()
  const after = await createTestPeer({ network, storage })
  onTestFinished(() => after.close())
  expect(after.identity).toEqual(before.identity)
  expect(after.identity.name).toBe('Alice')
})

test('a peer that does not start leaves nothing behind', async () => {
  const temporary = await useTemporaryFolder()
  const network = await startNetwork()
  await expect(createTestPeer({ network, phrase: 'no phrase at all' })).rejects.toThrow(/phrase/)
  expect(await readdir(temporary)).toEqual([])
})

test('a misspelt option is an error', async () => {
  const network = await startNetwork()
  await expect(createTestPeer({ network, nmae: 'Alice' } as TestPeerInit)).rejects.toThrow(/did you mean "name"/)
})

test('a missing network is named', async () => {
  await expect(createTestPeer({} as TestPeerInit)).rejects.toThrow(/network/)
})
