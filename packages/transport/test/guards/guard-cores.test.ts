import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import Corestore from 'corestore'
import Hypercore from 'hypercore'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { guardConnection, type GuardedStream } from '../../src/internal/guards/guard-connection.js'
import { MAX_BLOCKS } from '../../src/internal/guards/guard-cores.js'
import { openCorestore } from '../../src/internal/open-corestore.js'

const MIB = 2 ** 20

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'covey-guard-cores-'))
})
afterAll(() => rm(root, { recursive: true }))

const STORES = {
  stock: async (folder: string) => new Corestore(folder),
  guarded: async (folder: string) => openCorestore(folder, true)
} as const

/** A core of somebody else, in a store, and the somebody: what they say by its channel is up to them. */
async function meet(kind: keyof typeof STORES, name: string, blocks: readonly string[] = ['all there is']) {
  const folder = join(root, `${name} ${kind}`)
  const store = await STORES[kind](folder)
  const far = new Hypercore(`${folder} of them`)
  await far.append(blocks.map((block) => Buffer.from(block)))
  const core = store.get({ key: far.key! })
  await core.ready()
  const [one, two] = [store.replicate(true), far.replicate(false)] as unknown as [Replication, Replication]
  for (const stream of [one, two]) stream.on('error', () => undefined)
  if (kind === 'guarded') guardConnection(one.noiseStream)
  one.pipe(two).pipe(one)
  for (const i of blocks.keys()) await core.get(i)
  const peer = await vi.waitUntil(() => (far as unknown as Far).core.replicator.peers[0])
  return { folder, store, far: far as unknown as Far & Hypercore, core, peer, stream: two, ended: new Promise<void>((resolve) => one.on('close', () => resolve())) }
}

interface Far {
  readonly core: {
    readonly header: { readonly manifest: object }
    readonly state: { createTreeBatch(): object }
    readonly verifier: { sign(batch: object, keyPair: object): Uint8Array }
    readonly replicator: { readonly peers: readonly FarPeer[] }
  }
  readonly keyPair: object
}

interface Replication extends Duplex {
  readonly noiseStream: GuardedStream
}

interface FarPeer {
  readonly wireRange: { send(message: { drop: boolean; start: number; length: number }): void }
  readonly wireBitfield: { send(message: { start: number; bitfield: Uint32Array }): void }
  readonly wireSync: { send(message: object): void }
  readonly wireRequest: { send(message: object): void }
  readonly wireData: { send(message: object): void }
  readonly paused: boolean
  onrequest(message: { id: number; upgrade: object | null }): Promise<void>
}

/** Gives the memory that something takes, outside of what JavaScript holds itself. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().arrayBuffers
  await work()
  return process.memoryUsage().arrayBuffers - before
}

test('what a peer says that it has takes the memory of all that it names, without the guard', async () => {
  const { core, peer, store, far } = await meet('stock', 'claims')
  const bytes = await growth(async () => {
    peer.wireRange.send({ drop: false, start: 1, length: 2 ** 29 })
    await far.append(Buffer.from('after it'))
    await core.get(1)
  })
  expect(bytes).toBeGreaterThan(100 * MIB)
  await store.close()
  await far.close()
})

test.for([
  ['many blocks', (peer: FarPeer) => peer.wireRange.send({ drop: false, start: 1, length: 2 ** 30 })],
  ['a block that is far away', (peer: FarPeer) => peer.wireRange.send({ drop: false, start: 2 ** 50, length: 1 })],
  ['blocks from the first on', (peer: FarPeer) => peer.wireRange.send({ drop: false, start: 0, length: 2 ** 50 })],
  ['a bitfield that is far away', (peer: FarPeer) => peer.wireBitfield.send({ start: 2 ** 40, bitfield: new Uint32Array(1_024) })]
] as const)('whoever says to have %s that no core has is heard no more', async ([what, say]) => {
  const { core, peer, store, far, ended } = await meet('guarded', what)
  const bytes = await growth(async () => {
    say(peer)
    await ended
  })
  expect(bytes).toBeLessThan(50 * MIB)
  expect(core.length).toBe(1)
  await store.close()
  await far.close()
})

test('a peer may have blocks in many places, and not in all of them', async () => {
  const { core, peer, store, far } = await meet('guarded', 'places')
  // As who has parts of a large file: 64 MiB of pages.
  for (let i = 0; i < 4_096; i++) peer.wireRange.send({ drop: false, start: 32_768 * i + 7, length: 1 })
  // As who has cleared a large part of it: no more than so much is believed of one message.
  peer.wireRange.send({ drop: true, start: 9, length: MAX_BLOCKS - 9 })
  peer.wireRange.send({ drop: false, start: 9, length: MAX_BLOCKS - 9 })
  await far.append(Buffer.from('after it'))
  expect(String(await core.get(1))).toBe('after it')
  await store.close()
  await far.close()
})

test('whoever says to have blocks all over many cores is heard no more', async () => {
  const { store, far, ended, stream } = await meet('guarded', 'cores')
  const others = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      const other = new Hypercore(join(root, `other ${i}`))
      await other.append(Buffer.from('x'))
      const core = store.get({ key: other.key! })
      await core.ready()
      other.replicate(stream as never)
      await core.get(0)
      return other as unknown as Far & Hypercore
    })
  )
  for (const other of others) {
    const [claiming] = other.core.replicator.peers
    for (let i = 0; i < 4_096; i++) claiming!.wireRange.send({ drop: false, start: 32_768 * i + 7, length: 1 })
  }
  await ended
  await store.close()
  for (const core of [far, ...others]) await core.close()
})

test('whoever asks for more than they take is heard no more', async () => {
  const { store, far, peer, ended } = await meet('guarded', 'requests')
  for (let id = 0; id < 10_000; id++) peer.wireRequest.send({ id: 1_000 + id, fork: 0, block: { index: 0, nodes: 0 }, hash: null, seek: null, upgrade: null, manifest: false, priority: 0 })
  await ended
  await store.close()
  await far.close()
})

/** Signs a length, of which there is a root and nothing below it, and sends it to whoever asks. */
async function signLength({ far, peer, core }: Awaited<ReturnType<typeof meet>>, length: number): Promise<void> {
  const root = { index: length - 1, hash: new Uint8Array(32).fill(7), size: 1 }
  const batch = Object.assign(far.core.state.createTreeBatch(), { roots: [root], length })
  const signature = far.core.verifier.sign(batch, far.keyPair)
  const answered = new Promise<void>((resolve) => {
    peer.onrequest = async ({ id, upgrade }) => {
      if (upgrade === null) return
      peer.wireData.send({ request: id, fork: 0, block: null, hash: null, seek: null, manifest: far.core.header.manifest, upgrade: { start: 0, length, nodes: [root], additionalNodes: [], signature } })
      resolve()
    }
  })
  peer.wireSync.send({ fork: 0, length, remoteLength: 0, canUpgrade: true, uploading: true, downloading: true, hasManifest: true, allowPush: false })
  await answered
  const [near] = (core as unknown as Far).core.replicator.peers
  // Taken, or refused for good.
  await vi.waitUntil(() => core.length > 0 || near!.paused)
}

test('a length that was signed takes its memory each time that the core is opened, without the guard', async () => {
  const met = await meet('stock', 'length', [])
  await signLength(met, 2 ** 32)
  await met.far.close()
  await met.store.close()
  const again = new Corestore(met.folder)
  const bytes = await growth(() => again.get({ key: met.far.key! }).ready())
  expect(bytes).toBeGreaterThan(400 * MIB)
  await again.close()
})

test('a length that nobody can hold is not taken', async () => {
  const met = await meet('guarded', 'length', [])
  await signLength(met, 2 ** 32)
  await met.store.close()
  const again = await openCorestore(met.folder, true)
  const core = again.get({ key: met.far.key! })
  await core.ready()
  expect(core.length).toBe(0)
  await again.close()
  await met.far.close()
})
