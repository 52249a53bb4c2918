import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createLocalNetwork, createTestPeer } from '@covey/testing'
import type { Peer, Room } from 'covey'

test('a device that runs from an old copy of its folder is removed, and everyone else goes on', async () => {
  const network = await createLocalNetwork()
  const island = await createLocalNetwork()
  onTestFinished(async () => {
    await network.close()
    await island.close()
  })
  const alice = await peer({ network, name: 'Alice' })
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite()
  const carol = await (await peer({ network, name: 'Carol' })).rooms.join(invite)
  const [folder, copy] = [await temporaryFolder(), join(await temporaryFolder(), 'copy')]
  const before = await peer({ network, name: 'Bob', storage: folder })
  const bobs = await before.rooms.join(invite)
  await bobs.send('before the copy')
  await received(room, 'before the copy')
  await before.close()
  await cp(folder, copy, { recursive: true })
  // It says that the folder was not moved; a hostile device would leave it out too.
  await rm(join(copy, 'cores', 'CORESTORE'))

  const first = await peer({ network, name: 'Bob', storage: folder })
  await first.rooms.get(room.id)!.send('from the folder')
  await received(room, 'from the folder')
  await received(carol, 'from the folder')
  await first.close()
  const alone = await peer({ network: island, name: 'Bob', storage: copy })
  await alone.rooms.get(room.id)!.send('from the copy')
  await alone.rooms.get(room.id)!.send('from the copy, once more')
  await alone.close()

  const told = room.once('error')
  const second = await peer({ network, name: 'Bob', storage: copy })
  const from = second.rooms.get(room.id)!
  // The others that it is not read on, and it that it writes no more.
  const frozen = { code: 'WRITER_FROZEN' }
  // What others have signed may come first, and what was made of the copy is put aside for it.
  expect(await frozenError(from)).toMatchObject({ ...frozen, hint: expect.stringContaining('old copy') as unknown })
  await expect(from.send('once again')).rejects.toMatchObject(frozen)
  expect(await told).toMatchObject(frozen)
  await room.send('after')
  await received(carol, 'after')
  await carol.send('after it too')
  await received(room, 'after it too')
  const texts = await textsOf(room)
  expect(texts).toEqual(['before the copy', 'from the folder', 'after', 'after it too'])
  expect(await textsOf(carol)).toEqual(texts)
})

async function peer(init: Parameters<typeof createTestPeer>[0]): Promise<Peer> {
  const started = await createTestPeer(init)
  onTestFinished(() => started.close())
  return started
}

async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'covey-guards-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

async function received(room: Room, text: string): Promise<void> {
  for await (const message of room.messages({ live: true, pending: false })) if (message.text === text) return
}

function frozenError(room: Room): Promise<unknown> {
  return new Promise((resolve) => {
    room.on('error', (error) => {
      if (error.code === 'WRITER_FROZEN') resolve(error)
    })
  })
}

async function textsOf(room: Room): Promise<string[]> {
  const texts: string[] = []
  for await (const { text } of room.messages()) texts.push(text)
  return texts
}
