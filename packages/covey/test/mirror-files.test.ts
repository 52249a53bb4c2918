import { randomBytes } from 'node:crypto'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fileCoresOf } from '@covey/files/internal'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import { createMirror, type Mirror, type MirrorInit } from '@covey/mirror'
import { createNode, openStore } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import type { Peer, PeerInit, Room, SharedFile } from 'covey'
import { codeOf, start, temporaryFolder, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
const BLOCK = 128 * 1_024

test('a member who never met its sharer has a file from the mirror alone, which can read nothing of it', async () => {
  const storage = await temporaryFolder()
  const first = await startMirror({ storage })
  const { alice, room, bobAgain } = await whileBobIsAway(first)
  const desk = await temporaryFolder()
  const bytes = randomBytes(5 * BLOCK + 1_000)
  const path = join(desk, 'the hidden cake.jpg')
  await writeFile(path, bytes)
  const { message, file } = await room.files.share(path, { type: 'image/jpeg' })
  expect(await room.durable({ file: file.id })).toEqual({ mirrors: [first.id], devices: [] })
  await room.durable({ message: message.id })
  const { key } = fileCoresOf(alice.files).offered()[0]!
  await alice.close()
  await first.close()

  const mirror = await startMirror({ storage })
  const again = await bobAgain()
  const received = await fileIn(again.rooms.get(room.id)!)
  expect(received).toMatchObject({ id: file.id, name: 'the hidden cake.jpg', size: bytes.length, isOwn: false })
  expect((await readFile(await received.saveTo(await temporaryFolder()))).equals(bytes)).toBe(true)
  expect(again.mirrors.list()).toEqual([{ id: mirror.id, isConnected: true, isOwn: false }])
  await again.close()
  await mirror.close()

  const blocks = await blocksOf(storage, key)
  expect(blocks).toHaveLength(7)
  const parts = Array.from({ length: 6 }, (_, i) => bytes.subarray(i * BLOCK, i * BLOCK + 32))
  // What is there, sealed: so the search does find.
  const sealed = blocks.map((block) => block.subarray(0, 32))
  expect(await onDisk(storage, [...sealed, ...parts, Buffer.from('the hidden cake'), Buffer.from('image/jpeg')])).toEqual(sealed)
})

test('what is shared in a room that is asleep since the start is held again after a restart, also by a mirror that was not there', async () => {
  const storage = await temporaryFolder()
  const alice = await peer('Alice', { storage })
  const room = await alice.rooms.create({ name: 'Tea' })
  const bytes = randomBytes(2 * BLOCK)
  await room.files.share(bytes)
  const { key } = fileCoresOf(alice.files).offered()[0]!
  await alice.close()

  const mirrors = [await startMirror(), await startMirror()] as const
  const again = await peer('Alice', { storage, mirrors: [mirrors[0].link] })
  await heldBy(again, mirrors[0], key, 3)
  await again.close()
  const last = await peer('Alice', { storage, mirrors: [mirrors[1].link] })
  await heldBy(last, mirrors[1], key, 3)
})

test('mirrors hold what the policy and the sharer say, and the last that there is room for', async () => {
  const storage = await temporaryFolder()
  const mirror = await startMirror({ storage })
  const alice = await peer('Alice', { mirrors: [mirror.link], mirrorFiles: { maxFileBytes: 1_000, maxBytes: 5_000 } })
  const room = await alice.rooms.create({ name: 'Tea' })
  const share = async (bytes: number, options: { mirror?: boolean } = {}): Promise<SharedFile> => (await room.files.share(randomBytes(bytes), options)).file
  const isHeld = async ({ id }: SharedFile): Promise<boolean> => (await codeOf(() => room.durable({ file: id, signal: AbortSignal.timeout(30_000) }))) === null
  const small = await share(1_000)
  expect(await isHeld(small)).toBe(true)
  const [large, refused, whole] = [await share(1_001), await share(10, { mirror: false }), await share(5_001, { mirror: true })]
  expect(await codeOf(() => room.durable({ file: large.id }))).toBe('TOO_FEW_MIRRORS')
  const wanted = await share(3_900, { mirror: true })
  const last = await share(600)
  expect(await isHeld(last)).toBe(true)
  expect(await isHeld(wanted)).toBe(true)
  // 1,000 + 3,900 + 600 are too many.
  for (const file of [small, large, refused, whole]) expect(await isHeld(file)).toBe(false)
  const keys = new Map(fileCoresOf(alice.files).offered().map(({ id, key }) => [id, key]))
  await mirror.close()
  for (const file of [small, wanted, last]) expect(await blocksOf(storage, keys.get(file.id)!)).toHaveLength(2)
  for (const file of [large, whole]) expect(await blocksOf(storage, keys.get(file.id)!)).toEqual([])
  expect(keys.has(refused.id)).toBe(false)
})

test('what is put into a folder is held, and had by who reads of it later', async () => {
  const { alice, room, bobAgain } = await whileBobIsAway(await startMirror())
  const photos = await room.files.folder('Photos')
  const bytes = randomBytes(2 * BLOCK)
  await photos.put('2026/cake.jpg', bytes)
  await room.durable({ file: (await photos.get('2026/cake.jpg')).id })
  await room.durable()
  await alice.close()

  const again = await bobAgain()
  const folder = await again.rooms.get(room.id)!.files.folder('Photos')
  while ((await folder.entries()).length === 0) await folder.once('change')
  const file = await folder.get('2026/cake.jpg')
  expect(Buffer.from(await file.bytes({ maxBytes: bytes.length })).equals(bytes)).toBe(true)
})

test('with the policy off nothing is held, nor what was shared before that', async () => {
  const [storage, mirrors] = [await temporaryFolder(), await temporaryFolder()]
  const mirror = await startMirror({ storage: mirrors })
  const alice = await peer('Alice', { storage })
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.files.share(randomBytes(10))
  await alice.close()
  const again = await peer('Alice', { storage, mirrors: [mirror.link], mirrorFiles: { maxBytes: 0 } })
  const [tea] = again.rooms.list() as [Room]
  // An empty one would have room.
  const { file } = await tea.files.share(new Uint8Array(0), { mirror: true })
  expect(await codeOf(() => tea.durable({ file: file.id }))).toBe('TOO_FEW_MIRRORS')
  expect(await tea.durable()).toMatchObject({ mirrors: [mirror.id] })
  const keys = fileCoresOf(again.files).offered().map(({ key }) => key)
  expect(keys).toHaveLength(2)
  await mirror.close()
  for (const key of keys) expect(await blocksOf(mirrors, key)).toEqual([])
})

test('a mirror is asked no more for what was forgotten, or whose message was withdrawn, by whomever', async () => {
  const mirror = await startMirror()
  const storage = await temporaryFolder()
  const alice = await peer('Alice', { storage, mirrors: [mirror.link] })
  const bob = await peer('Bob')
  const room = await bob.rooms.create({ name: 'Tea' })
  const hers = await alice.rooms.join(await room.createInvite())
  const shared = await Promise.all([1, 2, 3].map((bytes) => hers.files.share(new Uint8Array(bytes))))
  for (const { file } of shared) await hers.durable({ file: file.id })
  const { openCores } = mirror.stats()
  const [first, second, third] = shared as [(typeof shared)[0], (typeof shared)[0], (typeof shared)[0]]
  await first.file.forget()
  await expect.poll(() => mirror.stats().openCores, { timeout: 30_000 }).toBe(openCores - 1)
  await change(room, async () => (await room.message(second.message.id)) !== undefined)
  await room.delete(second.message.id)
  await expect.poll(() => mirror.stats().openCores, { timeout: 30_000 }).toBe(openCores - 2)
  expect(await codeOf(() => hers.durable({ file: first.file.id }))).toBe('FILE_FORGOTTEN')
  expect(await codeOf(() => hers.durable({ file: second.file.id }))).toBe('TOO_FEW_MIRRORS')
  await hers.durable({ file: third.file.id })
  await alice.close()
  const again = await peer('Alice', { storage, mirrors: [mirror.link] })
  expect(fileCoresOf(again.files).offered().map(({ id }) => id)).toEqual([third.file.id])
})

test('what a mirror has no room for is told, and stops neither the share nor the room', async () => {
  const mirror = await startMirror({ limits: { maxClientBytes: 3 * BLOCK } })
  const alice = await peer('Alice', { mirrors: [mirror.link] })
  const room = await alice.rooms.create({ name: 'Tea' })
  const refused = alice.mirrors.once('refused')
  const { file } = await room.files.share(randomBytes(4 * BLOCK))
  const { key } = fileCoresOf(alice.files).offered()[0]!
  const { key: which, ...told } = await refused
  expect(told).toEqual({ mirror: mirror.id, code: 'QUOTA_EXCEEDED' })
  expect(Buffer.from(which).equals(key)).toBe(true)
  const { id } = await room.send('hello')
  expect(await room.durable({ message: id })).toEqual({ mirrors: [mirror.id], devices: [] })
  await expect(room.durable({ file: file.id, signal: AbortSignal.timeout(300) })).rejects.toMatchObject({ name: 'TimeoutError' })
  const waiting = codeOf(() => room.durable({ file: file.id }))
  await file.forget()
  expect(await waiting).toBe('FILE_FORGOTTEN')
})

test('a file that was changed or removed since is had as it was shared, and one that changes meanwhile is not held', async () => {
  const mirror = await startMirror()
  const alice = await peer('Alice', { mirrors: [mirror.link] })
  const bob = await peer('Bob', { mirrors: [mirror.link] })
  const room = await alice.rooms.create({ name: 'Tea' })
  const joined = await bob.rooms.join(await room.createInvite())
  const path = join(await temporaryFolder(), 'cake.bin')
  const bytes = randomBytes(3 * BLOCK)
  await writeFile(path, bytes)
  const { file } = await room.files.share(path)
  await room.durable({ file: file.id })
  await rm(path)
  const received = await fileIn(joined)
  expect(Buffer.from(await received.bytes({ maxBytes: bytes.length })).equals(bytes)).toBe(true)
  // Bob's device has all of it too, now.
  const stop = gate()
  const { file: other } = await room.files.share((async function* () {
    yield randomBytes(BLOCK)
    await stop.opened
    throw new Error('the disk is gone')
  })())
  const failed = other.once('error')
  stop.open()
  expect((await failed).code).toBe('STORAGE_FAILED')
  expect(await codeOf(() => room.durable({ file: other.id }))).toBe('FILE_CHANGED')
  expect(fileCoresOf(alice.files).offered().map(({ id }) => id)).toEqual([file.id])
})

test('devices prove that they have a whole file, and what is none is told', async () => {
  const [alice, bob] = [await peer('Alice'), await peer('Bob')]
  const room = await alice.rooms.create({ name: 'Tea' })
  const joined = await bob.rooms.join(await room.createInvite())
  const { file } = await room.files.share(randomBytes(2 * BLOCK), { mirror: false })
  await (await fileIn(joined)).bytes({ maxBytes: 2 * BLOCK })
  expect(await room.durable({ file: file.id, mirrors: 0, devices: 1 })).toEqual({ mirrors: [], devices: [bob.device.id] })
  expect(await codeOf(() => room.durable({ file: file.id }))).toBe('TOO_FEW_MIRRORS')
  expect(await codeOf(() => room.durable({ file: 'x' }))).toBe('TypeError')
  expect(await codeOf(() => room.durable({ file: file.id, message: file.id }))).toBe('TypeError')
  expect(await codeOf(() => joined.durable({ file: file.id, mirrors: 0, devices: 1 }))).toBe('FILE_FORGOTTEN')
  expect(await codeOf(() => room.files.share(new Uint8Array(1), { mirror: 1 as never }))).toBe('TypeError')
  for (const mirrorFiles of [{ maxBytes: -1 }, { maxFileBytes: 0.5 }, { bytes: 1 }, false]) {
    expect(await codeOf(() => start({ network: net.network, mirrorFiles: mirrorFiles as never }))).toBe('TypeError')
  }
})

function peer(name: string, init: PeerInit = {}): Promise<Peer> {
  return start({ name, network: net.network, ...init })
}

async function startMirror(init: Partial<MirrorInit> = {}): Promise<Mirror> {
  const mirror = await createMirror({ storage: await temporaryFolder(), network: net.network, ...init })
  onTestFinished(() => mirror.close())
  return mirror
}

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined
  return { opened: new Promise<void>((resolve) => (open = resolve)), open: () => open() }
}

/** A room of Alice's that names a mirror, whose other member knows that and is away. */
async function whileBobIsAway({ link }: Mirror): Promise<{ alice: Peer; room: Room; bobAgain: () => Promise<Peer> }> {
  const bobAgain = peer.bind(undefined, 'Bob', { storage: await temporaryFolder() })
  const alice = await peer('Alice')
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.setMirrors([link])
  const bob = await bobAgain()
  const joined = await bob.rooms.join(await room.createInvite())
  await change(joined, async () => (await joined.info()).mirrors.length === 1)
  await bob.close()
  return { alice, room, bobAgain }
}

/** Resolves when a mirror says that it has the first blocks of a core, which nobody asks about. */
function heldBy(owner: Peer, mirror: Mirror, core: Uint8Array, blocks: number): Promise<void> {
  return new Promise((resolve) => {
    owner.mirrors.on('held', ({ mirror: id, key, length }) => {
      if (id === mirror.id && Buffer.from(core).equals(key) && length === blocks) resolve()
    })
  })
}

/** The blocks that are in the folder of a mirror that is closed, of a core. */
async function blocksOf(folder: string, key: Uint8Array): Promise<Buffer[]> {
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  const store = await openStore(folder)
  const node = createNode({ identity, store, network: net.network })
  try {
    const core = (partsOf(node).corestore as Corestore).get({ key, active: false })
    await core.ready()
    const blocks: Buffer[] = []
    for (let i = 0; i < core.length; i++) {
      const block = await core.get(i, { wait: false, raw: true })
      if (block !== null) blocks.push(Buffer.from(block))
    }
    return blocks
  } finally {
    await node.close()
    await store.close()
    await identity.close()
  }
}

interface Corestore {
  get(options: { key: Uint8Array; active: boolean }): {
    readonly length: number
    ready(): Promise<void>
    get(index: number, options: { wait: boolean; raw: boolean }): Promise<Uint8Array | null>
  }
}

/** Those of `parts` that are in some file of a folder. */
async function onDisk(folder: string, parts: readonly Buffer[]): Promise<Buffer[]> {
  const found = new Set<Buffer>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const bytes = await readFile(join(entry.parentPath, entry.name))
    for (const part of parts) if (bytes.includes(part)) found.add(part)
  }
  return parts.filter((part) => found.has(part))
}

async function fileIn(room: Room): Promise<SharedFile> {
  for await (const message of room.messages({ live: true })) {
    const file = room.files.of(message)
    if (file !== undefined) return file
  }
  throw new Error('the room ended')
}

/** Resolves when a room is as it should be. */
async function change(room: Room, isThere: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const changed = room.once('update')
    if (await isThere()) return
    await changed
  }
}
