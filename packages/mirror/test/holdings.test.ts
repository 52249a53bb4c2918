import { afterEach, expect, onTestFinished, test } from 'vitest'
import type Corestore from 'corestore'
import { createMirror, type Mirror } from '@covey/mirror'
import { createMirrorClient, type MirrorClient } from '@covey/mirror/client'
import { defineChannel, localNetwork, type Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { mirrorLink } from '../src/mirror-link.js'
import { startNode, temporaryFolder, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
const errors: unknown[] = []

afterEach(() => expect(errors).toEqual([]))

test('what is held together goes to the mirrors that are named for it, and to no others', async () => {
  const [own, tea, coffee] = [await startMirror(), await startMirror(), await startMirror()]
  const { client, coreOf } = await startDevice([own.link])
  const [inTea, inCoffee] = [await coreOf('tea'), await coreOf('coffee')]
  const [first, second] = [client.open(), client.open()]
  first.hold([inTea])
  first.name([tea.link])
  second.name([coffee.link])
  second.hold([inCoffee])
  expect(first.mirrors).toEqual([own.id, tea.id])
  expect(client.named).toEqual([tea.id, coffee.id])
  await until(() => client.held(inTea).size === 2 && client.held(inCoffee).size === 2)
  expect(new Set(client.held(inTea).keys())).toEqual(new Set([own.id, tea.id]))
  expect(own.stats().cores).toBe(2)
  expect([tea, coffee].map((mirror) => mirror.stats().cores)).toEqual([1, 1])
  for (const mirror of [own, tea]) expect(await client.prove(mirror.id, inTea, 1)).toBe(true)
})

test('a mirror that is not named any more fetches nothing more, and is not believed; named again it goes on', async () => {
  const mirror = await startMirror()
  const { client, coreOf, store } = await startDevice([])
  const key = await coreOf('tea')
  const holding = client.open()
  holding.hold([key])
  holding.name([mirror.link])
  await until(() => client.held(key).get(mirror.id) === 1)
  holding.name([])
  expect([holding.mirrors, client.named, client.held(key).size]).toEqual([[], [], 0])
  await until(() => mirror.stats().openCores === 0)
  await store.get({ key }).append(Buffer.from('two'))
  expect(mirror.stats()).toMatchObject({ cores: 1, bytes: 3 + 512 })
  holding.name([mirror.link])
  await until(() => client.held(key).get(mirror.id) === 2)

  // Another that wants it goes on wanting it.
  const other = client.open()
  other.hold([key])
  other.name([mirror.link])
  holding.close()
  holding.hold([await coreOf('late')])
  holding.name([mirror.link])
  expect(client.held(key).get(mirror.id)).toBe(2)
  other.close()
  expect([client.named, client.held(key).size]).toEqual([[], 0])
  expect(mirror.stats().cores).toBe(1)
})

test('what is wanted no more is asked for no more, unless something else wants it, also when much is said at once', async () => {
  const [own, named] = [await startMirror(), await startMirror()]
  const { client, coreOf } = await startDevice([own.link])
  const keys: Uint8Array[] = []
  for (let i = 0; i < 130; i++) keys.push(await coreOf(`core ${i}`))
  const [first, second] = [client.open(), client.open()]
  for (const holding of [first, second]) holding.name([named.link])
  first.hold(keys)
  second.hold(keys.slice(0, 1))
  await until(() => own.stats().openCores === 130 && named.stats().openCores === 130)
  // What is said last counts, though the first of it takes three messages to say.
  first.release(keys)
  first.hold(keys.slice(120))
  const heldKeys = () => keys.filter((key) => client.held(key).size > 0)
  await until(() => own.stats().openCores === 11 && named.stats().openCores === 11 && heldKeys().length === 11)
  second.release([...keys.slice(0, 1), new Uint8Array(32)])
  first.release(keys.slice(0, 1))
  await until(() => own.stats().openCores === 10 && named.stats().openCores === 10)
  expect(client.held(keys[0]!).size).toBe(0)
  second.close()
  second.release(keys)
  expect(client.held(keys[129]!).size).toBe(2)
})

test('who is asked about a core that is not there says so at once, and nothing fails by it', async () => {
  const [alice, bob] = [await startDevice([]), await startDevice([])]
  const key = await alice.coreOf('tea')
  const met = bob.node.addContact(alice.node.publicKey)
  onTestFinished(() => met.close())
  await until(() => alice.client.peers.includes(bob.node.id))
  const timer = new Promise((resolve) => setTimeout(resolve, 5_000, 'no answer'))
  expect(await Promise.race([alice.client.prove(bob.node.id, key, 1), timer])).toBe(false)
})

test('however many are named, so many are dialled, and whoever names one has one', async () => {
  const mirror = await startMirror()
  const { client, coreOf, node } = await startDevice([], 3)
  const key = await coreOf('tea')
  const [greedy, modest, third] = [client.open(), client.open(), client.open()]
  greedy.name([mirrorLink(node.publicKey, null), ...Array.from({ length: 40 }, (_, i) => mirrorLink(new Uint8Array(32).fill(i + 1), null))])
  expect(client.named).toHaveLength(3)
  modest.hold([key])
  modest.name([mirror.link])
  third.name(Array.from({ length: 8 }, (_, i) => mirrorLink(new Uint8Array(32).fill(i + 100), null)))
  expect(client.named).toHaveLength(3)
  for (const holding of [greedy, modest, third]) expect(holding.mirrors).toHaveLength(1)
  await until(() => client.held(key).get(mirror.id) === 1)
  // Of the links of one, the first eight count, and this device is no mirror of itself.
  modest.close()
  third.close()
  expect(greedy.mirrors).toHaveLength(3)
  expect(greedy.mirrors).not.toContain(node.id)
  expect(() => greedy.name(['covey:mirror/yyyy'])).toThrow(expect.objectContaining({ code: 'LINK_TRUNCATED' }))
  greedy.close()
  expect(client.named).toEqual([])
})

test('a device that refuses them deals with no mirror that others name', async () => {
  const mirror = await startMirror()
  const { client, coreOf } = await startDevice([], 0)
  const holding = client.open()
  holding.hold([await coreOf('tea')])
  holding.name([mirror.link])
  expect([holding.mirrors, client.named]).toEqual([[], []])
  for (const maxNamed of [-1, 65, 1.5]) {
    expect(() => createMirrorClient({ node: {} as Node, mirrors: [], maxNamed })).toThrow('init.maxNamed')
  }
})

test('what a mirror says of what it was not asked for is not listened to', async () => {
  const liar = await startNode(net)
  const { client, coreOf } = await startDevice([])
  const [asked, other] = [await coreOf('tea'), await coreOf('coffee')]
  const [first, second] = [client.open(), client.open()]
  second.hold([other])
  const channel = liar.channel(defineChannel({ name: 'covey/holding', version: 1 }), { peers: 'any' })
  first.name([mirrorLink(liar.publicKey, null)])
  first.hold([asked])
  const refused: unknown[] = []
  client.on('refused', ({ key }) => void refused.push(Buffer.from(key).toString('hex')))
  for await (const { peer } of channel.messages()) {
    // It has block 0 of the other, refuses it, refuses what it was asked for, and has that.
    await channel.send(peer, Buffer.concat([Uint8Array.of(1, 1), other, Uint8Array.of(1)]))
    await channel.send(peer, Buffer.concat([Uint8Array.of(2, 1, 2), other, asked]))
    await channel.send(peer, Buffer.concat([Uint8Array.of(1, 1), asked, Uint8Array.of(1)]))
    break
  }
  await until(() => client.held(asked).get(liar.id) === 1)
  expect(client.held(other).size).toBe(0)
  expect(refused).toEqual([Buffer.from(asked).toString('hex')])
})

test('one block is proven by who has fetched it, also where those before it are not here', async () => {
  const mirror = await startMirror()
  const alice = await startDevice([mirror.link])
  const core = alice.store.get({ name: 'long' })
  await core.append(Array.from({ length: 50 }, (_, i) => Buffer.from(`line ${i}`)))
  alice.client.hold([core.key!])
  await until(() => alice.client.held(core.key!).get(mirror.id) === 50)
  await alice.node.close()

  const bob = await startDevice([mirror.link])
  bob.client.hold([core.key!])
  await until(() => bob.client.held(core.key!).get(mirror.id) === 50)
  await expect(bob.client.prove(mirror.id, core.key!, 40)).rejects.toMatchObject({ code: 'MIRROR_FAILED' })
  expect(await bob.client.fetch(core.key!, 39)).toBe(true)
  expect(await bob.client.prove(mirror.id, core.key!, 40)).toBe(true)
  await expect(bob.client.fetch(core.key!, 99, { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({ name: 'TimeoutError' })
})

interface Device {
  readonly node: Node
  readonly client: MirrorClient
  readonly store: Corestore
  /** The key of a core of this device that has one block, of three bytes. */
  coreOf(name: string): Promise<Uint8Array>
}

async function startMirror(): Promise<Mirror> {
  const mirror = await createMirror({ storage: await temporaryFolder(), network: localNetwork(net.network.bootstrap) })
  mirror.on('error', (error) => errors.push(error))
  onTestFinished(() => mirror.close())
  return mirror
}

async function startDevice(mirrors: readonly string[], maxNamed?: number): Promise<Device> {
  const node = await startNode(net)
  const client = createMirrorClient({ node, mirrors, ...(maxNamed !== undefined && { maxNamed }) })
  client.on('error', (error) => errors.push(error))
  onTestFinished(() => client.close())
  const store = partsOf(node).corestore as Corestore
  async function coreOf(name: string): Promise<Uint8Array> {
    const core = store.get({ name })
    await core.append(Buffer.from('one'))
    return core.key!
  }
  return { node, client, store, coreOf }
}
