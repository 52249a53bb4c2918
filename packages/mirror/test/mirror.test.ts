import { createRequire } from 'node:module'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import type Corestore from 'corestore'
import { createMirror, type Mirror, type MirrorInit } from '@covey/mirror'
import { createMirrorClient, type MirrorClient } from '@covey/mirror/client'
import { defineChannel, localNetwork, type Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { startNode, temporaryFolder, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
const errors: unknown[] = []

afterEach(() => expect(errors).toEqual([]))

test('a device writes and leaves, another comes and reads: they never meet', async () => {
  const mirror = await startMirror()
  const alice = await startDevice(mirror)
  const core = alice.store.get({ name: 'diary' })
  await core.append(['one', 'two', 'three'].map(bytes))
  alice.client.hold([core.key!])
  await heldOf(alice.client, core.key!, 3)
  await alice.node.close()

  const bob = await startDevice(mirror)
  const copy = bob.store.get({ key: core.key! })
  bob.client.hold([core.key!])
  expect(Buffer.from((await copy.get(2))!).toString()).toBe('three')
  expect(mirror.stats()).toMatchObject({ cores: 1, bytes: 11 + 3 * 512 })
})

test('what is added later is held as well, and told to all who asked', async () => {
  const mirror = await startMirror()
  const [alice, bob] = [await startDevice(mirror), await startDevice(mirror)]
  const core = alice.store.get({ name: 'diary' })
  await core.append(bytes('one'))
  for (const { client } of [alice, bob]) client.hold([core.key!])
  await Promise.all([alice, bob].map(({ client }) => heldOf(client, core.key!, 1)))
  await core.append(bytes('two'))
  await Promise.all([alice, bob].map(({ client }) => heldOf(client, core.key!, 2)))
  expect(alice.client.held(core.key!).get(mirror.id)).toBe(2)
})

test('a mirror proves what it has, and keeps it through a restart', async () => {
  const storage = await temporaryFolder()
  const mirror = await startMirror({ storage })
  const alice = await startDevice(mirror)
  const core = alice.store.get({ name: 'diary' })
  await core.append(Array.from({ length: 20 }, (_, i) => bytes(`line ${i}`)))
  alice.client.hold([core.key!])
  await heldOf(alice.client, core.key!, 20)
  expect(await alice.client.prove(mirror.id, core.key!, 8)).toBe(true)
  await mirror.close()
  expect(await alice.client.prove(mirror.id, core.key!, 8)).toBe(false)

  const again = await startMirror({ storage })
  expect(again.link).toBe(mirror.link)
  expect(again.stats()).toMatchObject({ cores: 1, openCores: 0 })
  await until(() => alice.client.peers.length === 1)
  expect(await alice.client.prove(mirror.id, core.key!, 20)).toBe(true)
})

test('nobody learns whether a core is here who does not know its key', async () => {
  const mirror = await startMirror()
  const alice = await startDevice(mirror)
  const core = alice.store.get({ name: 'diary' })
  await core.append(bytes('one'))
  alice.client.hold([core.key!])
  await heldOf(alice.client, core.key!, 1)
  const stranger = await startNode(net)
  const channel = stranger.channel(defineChannel({ name: 'covey/holding', version: 1 }), { peers: 'any' })
  await stranger.connect(mirror.publicKey)
  await channel.opened(mirror.id)
  // A challenge, number 1, of block 0, with a proof that is none.
  await channel.send(mirror.id, Buffer.concat([Uint8Array.of(3, 1), core.discoveryKey!, Uint8Array.of(0), Buffer.alloc(64, 5)]))
  for await (const { message } of channel.messages()) {
    expect([...message]).toEqual([4, 1])
    break
  }
})

test('a mirror that says more than it has is found out', async () => {
  const alice = await startNode(net)
  const liar = await startNode(net)
  const { mirrorLink } = await import('../src/mirror-link.js')
  const client = createMirrorClient({ node: alice, mirrors: [mirrorLink(liar.publicKey, null)] })
  const core = (partsOf(alice).corestore as Corestore).get({ name: 'diary' })
  await core.append(bytes('one'))
  const channel = liar.channel(defineChannel({ name: 'covey/holding', version: 1 }), { peers: 'any' })
  const claimed = heldOf(client, core.key!, 1)
  client.hold([core.key!])
  void (async () => {
    for await (const { peer, message } of channel.messages()) {
      const [type, id] = message
      if (type === 0) await channel.send(peer, Buffer.concat([Uint8Array.of(1, 1), core.key!, Uint8Array.of(1)]))
      else await channel.send(peer, Buffer.concat([Uint8Array.of(4, id!), Buffer.alloc(32, 1)]))
    }
  })()
  await claimed
  const lied = client.once('lied')
  expect(await client.prove(liar.id, core.key!, 1)).toBe(false)
  expect(await lied).toMatchObject({ mirror: liar.id, index: 0 })
  expect(client.held(core.key!).size).toBe(0)

  // It says so once more, and then something else.
  const said = client.once('refused')
  await channel.send(alice.id, Buffer.concat([Uint8Array.of(1, 1), core.key!, Uint8Array.of(1)]))
  await channel.send(alice.id, Buffer.concat([Uint8Array.of(2, 1, 1), core.key!]))
  await said
  expect(client.held(core.key!).size).toBe(0)
})

test('who has half of the blocks proves to have all by no number of tries', async () => {
  const [alice, bob] = [await startNode(net), await startNode(net)]
  const [client] = [alice, bob].map((node) => createMirrorClient({ node, mirrors: [] }))
  const core = (partsOf(alice).corestore as Corestore).get({ name: 'diary' })
  await core.append(Array.from({ length: 64 }, (_, i) => bytes(`line ${i}`)))
  await alice.connect(bob.publicKey)
  const copy = (partsOf(bob).corestore as Corestore).get({ key: core.key! })
  for (let index = 1; index < 64; index += 2) await copy.get(index)
  await until(() => client!.peers.includes(bob.id))
  const answers: boolean[] = []
  for (let i = 0; i < 24; i++) answers.push(await client!.prove(bob.id, core.key!, 64))
  // It is lucky at first, and never again once it was not.
  expect(answers.join()).toMatch(/^(true,)*(false,)+false$/)
})

test('limits: of one device, of all, and who may ask', async () => {
  const mirror = await startMirror({ limits: { maxClientBytes: 2_000, maxClientCores: 2, maxBytes: 2_500 } })
  const alice = await startDevice(mirror)
  const cores = ['a', 'b', 'c'].map((name) => alice.store.get({ name }))
  for (const core of cores) await core.append(bytes('x'.repeat(600)))
  const refused: string[] = []
  alice.client.on('refused', ({ code }) => void refused.push(code))
  alice.client.hold(cores.map(({ key }) => key!))
  await until(() => refused.length === 2)
  expect(refused).toEqual(['QUOTA_EXCEEDED', 'QUOTA_EXCEEDED'])
  expect(mirror.stats()).toMatchObject({ cores: 2, bytes: 600 + 512 })

  // Another has room as long as what nobody is here for gives way.
  const bob = await startDevice(mirror)
  const his = bob.store.get({ name: 'his' })
  await his.append(bytes('y'.repeat(900)))
  const full = new Promise((resolve) => void bob.client.once('refused').then(({ code }) => resolve(code)))
  bob.client.hold([his.key!])
  expect(await full).toBe('MIRROR_FULL')
  await alice.node.close()
  await until(() => mirror.stats().openCores === 1)
  await his.append(bytes('z'))
  await heldOf(bob.client, his.key!, 2)
  expect(mirror.stats().bytes).toBeLessThanOrEqual(2_500)

  const closed = await startMirror({ allow: [bob.node.id] })
  const carol = await startDevice(closed)
  const hers = carol.store.get({ name: 'hers' })
  await hers.append(bytes('one'))
  carol.client.hold([hers.key!])
  expect(await carol.client.once('refused')).toMatchObject({ code: 'NOT_ALLOWED' })
})

test('who has no room left keeps nothing of others from being held, by asking for it first', async () => {
  const mirror = await startMirror({ limits: { maxClientBytes: 2_000 } })
  const [alice, bob] = [await startDevice(mirror), await startDevice(mirror)]
  const his = bob.store.get({ name: 'his' })
  await his.append(bytes('x'.repeat(1_400)))
  bob.client.hold([his.key!])
  await heldOf(bob.client, his.key!, 1)
  const [hers, more] = ['hers', 'more'].map((name) => alice.store.get({ name }))
  await hers!.append(bytes('y'.repeat(200)))
  await more!.append(bytes('z'.repeat(1_000)))
  const refused = bob.client.once('refused')
  bob.client.hold([hers!.key!])
  expect(await refused).toMatchObject({ code: 'QUOTA_EXCEEDED' })
  alice.client.hold([hers!.key!])
  await heldOf(alice.client, hers!.key!, 1)
  // It is hers from then on.
  const full = refusalOf(alice.client, more!.key!)
  alice.client.hold([more!.key!])
  expect(await full).toBe('QUOTA_EXCEEDED')
})

test('what a device wants held no more counts no more for it, gives way first, and is asked for again like anything else', async () => {
  const storage = await temporaryFolder()
  const limits = { maxClientBytes: 2_000, maxBytes: 4_000 }
  const mirror = await startMirror({ storage, limits })
  const alice = await startDevice(mirror)
  const [first, second] = ['first', 'second'].map((name) => alice.store.get({ name }))
  await first!.append(bytes('x'.repeat(1_000)))
  await second!.append(bytes('y'.repeat(1_200)))
  const holding = alice.client.open()
  holding.hold([first!.key!])
  await heldOf(alice.client, first!.key!, 1)
  expect(mirror.usage().get(alice.node.id)).toEqual({ cores: 1, bytes: 1_512 })
  holding.release([first!.key!])
  holding.hold([second!.key!])
  await heldOf(alice.client, second!.key!, 1)
  expect(mirror.usage()).toEqual(new Map([[alice.node.id, { cores: 1, bytes: 1_712 }]]))
  expect(mirror.stats()).toMatchObject({ cores: 2, bytes: 3_224 })
  const refused = refusalOf(alice.client, first!.key!)
  holding.hold([first!.key!])
  expect(await refused).toBe('QUOTA_EXCEEDED')

  // Also after a restart, though another was used less lately.
  await mirror.close()
  const again = await startMirror({ storage, limits })
  expect(again.usage()).toEqual(new Map([[alice.node.id, { cores: 1, bytes: 1_712 }]]))
  await alice.node.close()
  const bob = await startDevice(again)
  const his = bob.store.get({ name: 'his' })
  await his.append(bytes('z'.repeat(300)))
  bob.client.hold([his.key!])
  await heldOf(bob.client, his.key!, 1)
  expect(again.stats()).toMatchObject({ cores: 2, bytes: 1_712 + 812 })
  expect(again.usage().get(alice.node.id)).toEqual({ cores: 1, bytes: 1_712 })
})

test('what a block takes beside its bytes counts, and no block comes before it is counted', async () => {
  const mirror = await startMirror({ limits: { maxClientBytes: 10_000 } })
  const alice = await startDevice(mirror)
  const [empty, large, growing] = ['empty', 'large', 'growing'].map((name) => alice.store.get({ name }))
  const refused = async (key: Uint8Array): Promise<void> => {
    const told = refusalOf(alice.client, key)
    alice.client.hold([key])
    expect(await told).toBe('QUOTA_EXCEEDED')
  }
  await empty!.append(Array.from({ length: 100 }, () => bytes('')))
  await refused(empty!.key!)
  await large!.append(bytes('x'.repeat(20_000)))
  await refused(large!.key!)
  expect(await alice.client.prove(mirror.id, large!.key!, 1)).toBe(false)
  await growing!.append(bytes('one'))
  alice.client.hold([growing!.key!])
  await heldOf(alice.client, growing!.key!, 1)
  const told = refusalOf(alice.client, growing!.key!)
  await growing!.append(bytes('x'.repeat(20_000)))
  expect(await told).toBe('QUOTA_EXCEEDED')
  expect(await alice.client.prove(mirror.id, growing!.key!, 2)).toBe(false)
  expect(await alice.client.prove(mirror.id, growing!.key!, 1)).toBe(true)
  expect(mirror.stats().bytes).toBe(3 + 512)
})

test('a writer that signs other sizes than its blocks have gets no more room by it', async () => {
  const mirror = await startMirror({ limits: { maxClientBytes: 100_000 } })
  const alice = await startDevice(mirror)
  const { MerkleTreeBatch } = createRequire(import.meta.resolve('corestore'))('hypercore/lib/merkle-tree.js') as { MerkleTreeBatch: { prototype: TreeBatch } }
  const { appendRoot } = MerkleTreeBatch.prototype
  MerkleTreeBatch.prototype.appendRoot = function (node, ite) {
    return appendRoot.call(this, { ...node, size: 0 }, ite)
  }
  const cores = ['a', 'b', 'c'].map((name) => alice.store.get({ name }))
  for (const core of cores) await core.append(bytes('x'.repeat(80_000)))
  MerkleTreeBatch.prototype.appendRoot = appendRoot
  expect(cores[0]).toMatchObject({ length: 1, byteLength: 0 })
  alice.client.hold([cores[0]!.key!])
  await heldOf(alice.client, cores[0]!.key!, 1)
  expect(mirror.stats().bytes).toBeGreaterThanOrEqual(80_000)
  for (const { key } of cores.slice(1)) {
    const told = refusalOf(alice.client, key!)
    alice.client.hold([key!])
    expect(await told).toBe('QUOTA_EXCEEDED')
  }
  expect(await alice.client.prove(mirror.id, cores[2]!.key!, 1)).toBe(false)
})

test('metrics and health are on loopback', async () => {
  const mirror = await startMirror({ metricsPort: 0 })
  const at = `http://127.0.0.1:${mirror.metricsPort}`
  expect(await (await fetch(`${at}/metrics`)).text()).toMatch(/^covey_mirror_cores 0$/m)
  expect(await (await fetch(`${at}/health`)).text()).toBe('ok\n')
  expect((await fetch(`${at}/other`)).status).toBe(404)
})

test.each([
  [{}, 'init.storage'],
  [{ storage: '' }, 'init.storage'],
  [{ storage: 'x', allow: ['nobody'] }, 'init.allow'],
  [{ storage: 'x', limits: { maxBytes: 0 } }, 'init.limits.maxBytes'],
  [{ storage: 'x', limit: {} }, 'limit']
])('%j is refused', async (init, field) => {
  await expect(createMirror(init as MirrorInit)).rejects.toThrow(field)
})

/** hypercore 11.37.1, lib/merkle-tree.js */
interface TreeBatch {
  appendRoot(node: { readonly size: number }, ite: unknown): void
}

interface Device {
  readonly node: Node
  readonly client: MirrorClient
  readonly store: Corestore
}

async function startMirror(init: Partial<MirrorInit> = {}): Promise<Mirror> {
  const mirror = await createMirror({ storage: await temporaryFolder(), network: localNetwork(net.network.bootstrap), ...init })
  mirror.on('error', (error) => errors.push(error))
  onTestFinished(() => mirror.close())
  return mirror
}

async function startDevice(mirror: Mirror): Promise<Device> {
  const node = await startNode(net)
  const client = createMirrorClient({ node, mirrors: [mirror.link] })
  onTestFinished(() => client.close())
  return { node, client, store: partsOf(node).corestore as Corestore }
}

/** Resolves when a mirror says that it has so much of a core. */
async function heldOf(client: MirrorClient, key: Uint8Array, length: number): Promise<void> {
  if ([...client.held(key).values()].some((held) => held >= length)) return
  await new Promise<void>((resolve) => {
    const stop = client.on('held', (event) => {
      if (event.length < length || !Buffer.from(event.key).equals(key)) return
      stop()
      resolve()
    })
  })
}

/** Why a mirror holds no more of a core, when it says so. */
async function refusalOf(client: MirrorClient, key: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const stop = client.on('refused', (event) => {
      if (!Buffer.from(event.key).equals(key)) return
      stop()
      resolve(event.code)
    })
  })
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
