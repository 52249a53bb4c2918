import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { raceSignal } from '@covey/core'
import { createMirror, type Mirror } from '@covey/mirror'
import type { MirrorClient, MirrorClientInit } from '@covey/mirror/client'
import { coresOf } from '@covey/rooms/internal'
import { createLocalNetwork, createTestPeer, type LocalNetwork } from '@covey/testing'
import { localNetwork } from '@covey/transport'
import { isCoveyError, type Peer, type Room } from 'covey'

/** The device, by id, that answers nothing. */
const silent = vi.hoisted(() => ({ device: '' }))
vi.mock('@covey/mirror/client', async (load) => {
  const { createMirrorClient, ...rest } = await load<{ createMirrorClient: (init: MirrorClientInit) => MirrorClient }>()
  const create = (init: MirrorClientInit): MirrorClient => {
    const client = createMirrorClient(init)
    const prove: MirrorClient['prove'] = (peer, key, length, options = {}) =>
      peer === silent.device ? raceSignal(new Promise<never>(() => undefined), options.signal) : client.prove(peer, key, length, options)
    return Object.assign(Object.create(client) as MirrorClient, { prove })
  }
  return { ...rest, createMirrorClient: create }
})

let network: LocalNetwork
beforeAll(async () => void (network = await createLocalNetwork()))
afterAll(() => network.close())

test('two people who are never there at the same time talk through a mirror', async () => {
  const mirror = await startMirror()
  const [aliceFolder, bobFolder] = [await temporaryFolder(), await temporaryFolder()]
  const alice = await start(mirror, 'Alice', aliceFolder)
  const room = await alice.rooms.create({ name: 'Tea' })
  const bob = await start(mirror, 'Bob', bobFolder)
  const bobs = await bob.rooms.join(await room.createInvite())
  await bobs.durable()
  await room.durable({ mirrors: 1, devices: 1 })
  await bob.close()

  await room.send('while you sleep')
  await room.durable()
  await alice.close()
  const bobAgain = await start(mirror, 'Bob', bobFolder)
  const his = bobAgain.rooms.get(room.id)!
  await received(his, 'while you sleep')
  await his.send('and while you do')
  const { mirrors, devices } = await his.durable()
  expect({ mirrors, devices }).toEqual({ mirrors: [mirror.id], devices: [] })
  await bobAgain.close()

  const aliceAgain = await start(mirror, 'Alice', aliceFolder)
  const hers = aliceAgain.rooms.get(room.id)!
  await received(hers, 'and while you do')
  expect(await textsOf(hers)).toEqual(['while you sleep', 'and while you do'])
})

test('what cannot be durable says why, and waits no longer than it is told to', async () => {
  const alone = await createTestPeer({ network, name: 'Alone' })
  onTestFinished(() => alone.close())
  const room = await alone.rooms.create({ name: 'Tea' })
  await expect(room.durable()).rejects.toMatchObject({ code: 'TOO_FEW_MIRRORS' })
  await expect(room.durable({ mirrors: 0, devices: 1, signal: AbortSignal.timeout(200) })).rejects.toMatchObject({ name: 'TimeoutError' })
  await expect(room.durable({ mirrors: -1 })).rejects.toThrow('options.mirrors')
  expect(await room.durability()).toEqual({ mirrors: [], devices: [] })
  const waiting = room.durable({ mirrors: 0, devices: 1 })
  const outcome = waiting.catch((error: unknown) => error)
  await room.close()
  expect(isCoveyError(await outcome, 'ROOM_CLOSED')).toBe(true)
  await expect(createTestPeer({ network, mirrors: ['covey:mirror/yyyy'] })).rejects.toMatchObject({ code: 'LINK_TRUNCATED' })
})

test('the health of a room tells which mirrors are there, and what they lack', async () => {
  const mirror = await startMirror()
  const alice = await start(mirror, 'Alice', await temporaryFolder())
  const room = await alice.rooms.create({ name: 'Tea' })
  const { id } = mirror
  await expect.poll(async () => (await room.health()).mirrors, { timeout: 30_000 }).toEqual([{ id, isConnected: true, missingBlocks: 0 }])
  const gone = new Promise((resolve) => room.on('health', (health) => health.mirrors[0]?.isConnected === false && resolve(health)))
  await mirror.close()
  expect(await gone).toMatchObject({ state: 'waiting', sentence: expect.stringContaining('1 of 1 mirror is out of reach') as unknown, mirrors: [{ id, isConnected: false }] })
})

test('a device that has what was said proves it', async () => {
  const alice = await createTestPeer({ network, name: 'Alice' })
  const bob = await createTestPeer({ network, name: 'Bob' })
  onTestFinished(async () => void (await Promise.all([alice.close(), bob.close()])))
  const room = await alice.rooms.create({ name: 'Tea' })
  await bob.rooms.join(await room.createInvite())
  await room.send('hello')
  expect(await room.durable({ mirrors: 0, devices: 1 })).toEqual({ mirrors: [], devices: [bob.device.id] })
})

test('who is silent holds nobody up, and a signal is heard meanwhile', async () => {
  const [alice, bob, carol] = await Promise.all(['Alice', 'Bob', 'Carol'].map((name) => createTestPeer({ network, name })))
  onTestFinished(async () => void (await Promise.all([alice, bob, carol].map((peer) => peer!.close()))))
  const room = await alice!.rooms.create({ name: 'Tea' })
  for (const peer of [bob, carol]) await peer!.rooms.join(await room.createInvite())
  expect((await room.durable({ mirrors: 0, devices: 2 })).devices.length).toBe(2)
  silent.device = carol!.device.id
  expect(await room.durable({ mirrors: 0, devices: 1 })).toEqual({ mirrors: [], devices: [bob!.device.id] })
  const reason = new Error('enough')
  const stop = new AbortController()
  const waiting = room.durable({ mirrors: 0, devices: 2, signal: stop.signal })
  stop.abort(reason)
  await expect(waiting).rejects.toBe(reason)
})

test('who has said nothing has nothing to lose', async () => {
  const alice = await createTestPeer({ network, name: 'Alice' })
  const reader = await createTestPeer({ network, name: 'Reader' })
  onTestFinished(async () => void (await Promise.all([alice.close(), reader.close()])))
  const room = await alice.rooms.create({ name: 'News', rules: { broadcast: true } })
  const read = await reader.rooms.join(await room.createInvite({ role: 'reader' }))
  expect(await coresOf(read).written()).toBe(0)
  expect(await read.durable({ mirrors: 0, devices: 1 })).toEqual({ mirrors: [], devices: [] })
  expect(await read.durability()).toEqual({ mirrors: [], devices: [] })
})

test('a mirror has nothing on its disk that says what was said, by whom, or where', async () => {
  const storage = await temporaryFolder()
  const mirror = await startMirror(storage)
  const alice = await start(mirror, 'Alice of the meadow', await temporaryFolder())
  const room = await alice.rooms.create({ name: 'Tea in the meadow' })
  await room.send('the cake is hidden')
  const { mirrors } = await room.durable()
  expect(mirrors).toEqual([mirror.id])
  await mirror.close()

  const secrets = ['Alice of the meadow', 'Tea in the meadow', 'the cake is hidden'].map((text) => Buffer.from(text))
  const person = Buffer.from(alice.identity.publicKey)
  // What is there: the key of a core that it was asked to hold. So the search does find.
  const asked = Buffer.from(coresOf(room).own)
  const found = new Set<string>()
  const files = (await readdir(storage, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  for (const { parentPath, name } of files) {
    const bytes = await readFile(join(parentPath, name))
    for (const each of [...secrets, person, asked]) if (bytes.includes(each)) found.add(each.toString('hex'))
  }
  expect([...found]).toEqual([asked.toString('hex')])
})

async function startMirror(storage?: string): Promise<Mirror> {
  const mirror = await createMirror({ storage: storage ?? (await temporaryFolder()), network: localNetwork(network.bootstrap) })
  onTestFinished(() => mirror.close())
  return mirror
}

async function start(mirror: Mirror, name: string, storage: string): Promise<Peer> {
  const peer = await createTestPeer({ network, name, storage, mirrors: [mirror.link] })
  onTestFinished(() => peer.close())
  return peer
}

async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'covey-mirrors-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

async function received(room: Room, text: string): Promise<void> {
  for await (const message of room.messages({ live: true, pending: false })) if (message.text === text) return
}

async function textsOf(room: Room): Promise<string[]> {
  const texts: string[] = []
  for await (const { text } of room.messages()) texts.push(text)
  return texts
}
