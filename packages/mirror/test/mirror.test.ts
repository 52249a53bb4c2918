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
  expect(mirror.stats()).toMatchObject({ cores: 1, bytes: 11 })
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
})

test('limits: of one device, of all, and who may ask', async () => {
  const mirror = await startMirror({ limits: { maxClientBytes: 1_000, maxClientCores: 2, maxBytes: 1_500 } })
  const alice = await startDevice(mirror)
  const cores = ['a', 'b', 'c'].map((name) => alice.store.get({ name }))
  for (const core of cores) await core.append(bytes('x'.repeat(600)))
  const refused: string[] = []
  alice.client.on('refused', ({ code }) => void refused.push(code))
  alice.client.hold(cores.map(({ key }) => key!))
  await until(() => refused.length === 2)
  expect(refused).toEqual(['QUOTA_EXCEEDED', 'QUOTA_EXCEEDED'])
  expect(mirror.stats()).toMatchObject({ cores: 2, bytes: 600 })

  // Another has room as long as what nobody is here for gives way.
  const bob = await startDevice(mirror)
  const his = bob.store.get({ name: 'his' })
  await his.append(bytes('y'.repeat(950)))
  const full = new Promise((resolve) => void bob.client.once('refused').then(({ code }) => resolve(code)))
  bob.client.hold([his.key!])
  expect(await full).toBe('MIRROR_FULL')
  await alice.node.close()
  await until(() => mirror.stats().openCores === 1)
  await his.append(bytes('z'))
  await heldOf(bob.client, his.key!, 2)
  expect(mirror.stats().bytes).toBeLessThanOrEqual(1_500)

  const closed = await startMirror({ allow: [bob.node.id] })
  const carol = await startDevice(closed)
  const hers = carol.store.get({ name: 'hers' })
  await hers.append(bytes('one'))
  carol.client.hold([hers.key!])
  expect(await carol.client.once('refused')).toMatchObject({ code: 'NOT_ALLOWED' })
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

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
