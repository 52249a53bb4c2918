import { createHash } from 'node:crypto'
import type Corestore from 'corestore'
import type Hyperswarm from 'hyperswarm'
import { expect, onTestFinished, test } from 'vitest'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import { createNode, localNetwork, openStore, type Node, type NodeInit } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { encodeZ32 } from '@covey/core'
import type { SessionSwarm } from '../src/internal/session/session-swarm.js'
import { codeOf, startNode, temporaryFolder, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('what is spoken over sessions is spoken with whom was dialled, on both sides', async () => {
  const [a, b] = await Promise.all([startNode(net), startNode(net)])
  const met = [a, b].map((node) => {
    const swarm = partsOf(node).sessionSwarm as SessionSwarm
    return new Promise<string>((resolve) => swarm.on('connection', ({ remotePublicKey }) => resolve(encodeZ32(remotePublicKey))))
  })
  await a.connect(b.publicKey)
  expect(await Promise.all(met)).toEqual([b.id, a.id])
  expect((partsOf(a).sessionSwarm as SessionSwarm).connections.size).toBe(1)
})

test('a node connects to another by its key alone', async () => {
  const [a, b] = await Promise.all([startNode(net), startNode(net)])
  const met = b.once('connect')
  await a.connect(b.publicKey)
  expect(await met).toEqual({ peer: a.id })
  expect([a.peers, b.peers]).toEqual([[b.id], [a.id]])
  expect([a.path(b.id), b.path(a.id)]).toEqual(['direct', 'direct'])
  await a.connect(b.publicKey)
  expect(a.path('nobody')).toBe('offline')
})

test('both may connect at once: it is one session', async () => {
  const [a, b] = await Promise.all([startNode(net), startNode(net)])
  const seen: string[] = []
  a.on('connect', ({ peer }) => seen.push(peer))
  await Promise.all([a.connect(b.publicKey), b.connect(a.publicKey)])
  expect(seen).toEqual([b.id])
})

test('a core comes whole while the connections below it break', { timeout: 60_000 }, async () => {
  const [a, b] = await Promise.all([startNode(net), startNode(net)])
  const ends: unknown[] = []
  for (const node of [a, b]) node.on('disconnect', (event) => ends.push(event))
  const mine = storeOf(a).get({ name: 'large' })
  const blocks = Array.from({ length: 400 }, (_, i) => Buffer.alloc(65_536, i))
  await mine.append(blocks)
  const theirs = storeOf(b).get({ key: mine.key! })
  const streams = connectionsOf(a)
  await b.connect(a.publicKey)
  const hash = createHash('sha256')
  for (const [i] of blocks.entries()) {
    if (i % 80 === 40) for (const stream of streams.splice(0)) stream.destroy()
    hash.update((await theirs.get(i))!)
  }
  expect(hash.digest()).toEqual(createHash('sha256').update(Buffer.concat(blocks)).digest())
  expect(ends).toEqual([])
})

test('a session tells of the gap, and of the way back', { timeout: 20_000 }, async () => {
  const [a, b] = await Promise.all([startNode(net), startNode(net)])
  const streams = connectionsOf(a)
  await b.connect(a.publicKey)
  const paths: string[] = []
  const isBack = new Promise<void>((resolve) => {
    b.on('path', ({ peer, path }) => {
      expect(peer).toBe(a.id)
      paths.push(path)
      if (path === 'direct') resolve()
    })
  })
  streams[0]!.destroy()
  await isBack
  expect(paths).toEqual(['offline', 'direct'])
})

test('a contact is dialled until it is there', { timeout: 30_000 }, async () => {
  const [a, folder] = await Promise.all([startNode(net), temporaryFolder()])
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  onTestFinished(() => identity.close())
  const contact = a.addContact(identity.device.publicKey)
  expect(contact.peer).toBe(identity.device.id)
  const met = a.once('connect')
  const late = await start({ identity, store: await openStore(folder) })
  expect(await met).toEqual({ peer: late.id })
  const gone = a.once('disconnect')
  await late.close()
  await gone
  contact.close()
  contact.close()
})

test('who cannot be reached, may not be or is oneself is refused with a reason', async () => {
  const [a, b] = await Promise.all([startNode(net), startNode(net)])
  expect(await codeOf(() => a.connect(a.publicKey))).toBe('TypeError')
  expect(await codeOf(() => a.connect(new Uint8Array(31)))).toBe('TypeError')
  expect(await codeOf(() => a.addContact('key' as never))).toBe('TypeError')
  const aborted = AbortSignal.abort(new Error('enough'))
  await expect(a.connect(b.publicKey, { signal: aborted })).rejects.toThrow('enough')
  const nobody = new Uint8Array(32).fill(7)
  await expect(a.connect(nobody, { signal: AbortSignal.timeout(500) })).rejects.toThrow(/timeout/)
  await a.close()
  expect(await codeOf(() => a.connect(b.publicKey))).toBe('NODE_CLOSED')
})

test('nobody at the key: unreachable, with why', { timeout: 40_000 }, async () => {
  const a = await startNode(net)
  const error = await a.connect(new Uint8Array(32).fill(9)).catch((problem: unknown) => problem)
  expect(error).toMatchObject({ code: 'PEER_UNREACHABLE', retryable: true, cause: expect.any(Error) })
})

test('a blocked device is let go of and kept out, until it is unblocked', { timeout: 30_000 }, async () => {
  const [a, b] = await Promise.all([startNode(net), startNode(net)])
  await b.connect(a.publicKey)
  const gone = b.once('disconnect')
  a.block(b.publicKey)
  await gone
  expect(a.peers).toEqual([])
  expect(await codeOf(() => a.connect(b.publicKey))).toBe('PEER_BLOCKED')
  await expect(b.connect(a.publicKey, { signal: AbortSignal.timeout(1_500) })).rejects.toThrow(/timeout/)
  a.unblock(b.publicKey)
  await a.connect(b.publicKey)
  expect(a.peers).toEqual([b.id])
})

test('a contact that was blocked is dialled again when it is unblocked, unless it was closed meanwhile', { timeout: 30_000 }, async () => {
  const [a, b, c] = await Promise.all([startNode(net), startNode(net), startNode(net)])
  const contacts = [b, c].map(({ publicKey }) => a.addContact(publicKey))
  while (a.peers.length < 2) await a.once('connect')
  for (const { publicKey } of [b, c]) a.block(publicKey)
  while (a.peers.length > 0) await a.once('disconnect')
  contacts[1]!.close()
  const connected = a.once('connect')
  for (const { publicKey } of [c, b]) a.unblock(publicKey)
  expect(await connected).toMatchObject({ peer: b.id })
  expect(a.peers).toEqual([b.id])
})

test('more devices than the budget allows are turned away', { timeout: 30_000 }, async () => {
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  onTestFinished(() => identity.close())
  const small = await start({ identity, store: await openStore(await temporaryFolder()), maxPeers: 1 })
  const [a, b] = await Promise.all([startNode(net), startNode(net)])
  await a.connect(small.publicKey)
  await expect(b.connect(small.publicKey, { signal: AbortSignal.timeout(1_500) })).rejects.toThrow(/timeout/)
  expect(small.peers).toEqual([a.id])
})

async function start(init: NodeInit): Promise<Node> {
  const node = createNode({ network: localNetwork(net.network.bootstrap), ...init })
  onTestFinished(() => node.close())
  return node
}

function storeOf(node: Node): Corestore {
  return partsOf(node).corestore as Corestore
}

/** The connections below the sessions, as they are made. */
function connectionsOf(node: Node): { destroy(): void }[] {
  const streams: { destroy(): void }[] = []
  ;(partsOf(node).swarm as Hyperswarm).on('connection', (stream) => streams.push(stream))
  return streams
}
