import Hypercore from 'hypercore'
import hypercoreCrypto from 'hypercore-crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Room } from '@covey/rooms'
import { isFrozen } from '../src/internal/guards/guard-core.js'
import { signKeyPair } from '../src/internal/crypto.js'
import { decodeFrame, encodeFrame, type CarriedCore, type Frame } from '../src/internal/bundle/format.js'
import { isOfRoom, makeHeader, readHeader, sealOf } from '../src/internal/bundle/seal.js'
import { coreOf } from '../src/internal/bundle/carrying-core.js'
import { nodesOf } from '../src/internal/bundle/tree.js'
import { forge, framesOf, openedOf, partedRoom, viewHash } from './support-bundles.js'
import { codeOf, fromHex, start, temporaryFolder, textsOf, toHex, useLocalNetwork, type TestPeer } from './support.js'

const net = useLocalNetwork()

interface Scene {
  readonly alice: TestPeer
  readonly bob: TestPeer
  readonly his: Room
  readonly path: string
  /** Of a bundle by which Bob would learn of thirty messages. */
  readonly genuine: readonly Frame[]
}

async function scene(): Promise<Scene> {
  const [alice, bob] = await Promise.all([start(net, 'Alice'), start(net, 'Bob')])
  const [hers, his] = (await partedRoom(alice, bob)) as [Room, Room]
  for (let i = 0; i < 30; i++) await hers.send(`${i}`)
  const path = join(await temporaryFolder(), 'tea.bundle')
  await hers.exportBundle(path)
  return { alice, bob, his, path, genuine: await framesOf(alice, his.id, path) }
}

type CoreFrame = Frame & { type: 'core' }
type BlocksFrame = Frame & { type: 'blocks' }

/** Changes what a bundle says of Alice's core, and of its blocks. */
function changed({ alice, his, genuine }: Scene, core: (frame: CoreFrame) => Frame, blocks: (frame: BlocksFrame) => Frame = (frame) => frame): Frame[] {
  const { key } = openedOf(alice, his.id).base.local
  let isHers = false
  return genuine.map((frame) => {
    if (frame.type === 'core') isHers = toHex(coreOf(frame.signer).key) === toHex(key)
    if (!isHers) return frame
    return frame.type === 'core' ? core(frame) : frame.type === 'blocks' ? blocks(frame) : frame
  })
}

const flip = (bytes: Uint8Array, at = 0): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))

test('what a device has not signed is not taken, and what it has signed still is', { timeout: 120_000 }, async () => {
  const here = await scene()
  const { bob, his, path } = here
  const before = await viewHash(bob, his.id)
  const same = (frame: CoreFrame): Frame => frame
  const hostile: Record<string, Frame[]> = {
    'another signature': changed(here, (frame) => ({ ...frame, signature: flip(frame.signature) })),
    'another length': changed(here, (frame) => ({ ...frame, length: frame.length + 1, roots: [...frame.roots, ...frame.roots].slice(0, bits(frame.length + 1)), tail: [{ hash: new Uint8Array(32), size: 9 }] })),
    'a block changed': changed(here, same, ({ type, first, blocks }) => ({ type, first, blocks: blocks.map((block, i) => (i === blocks.length - 1 ? { ...block, value: flip(block.value) } : block)) })),
    'blocks in each other’s place': changed(here, same, ({ type, first, blocks }) => ({ type, first, blocks: blocks.toReversed() }))
  }
  for (const [name, frames] of Object.entries(hostile)) {
    await forge(bob, his.id, path, frames)
    expect(await bob.rooms.importBundle(path), name).toMatchObject({ skipped: 1 })
    expect(await viewHash(bob, his.id), name).toBe(before)
  }
  // Nodes that lie are found when the blocks are proven; what is proven before them is genuine.
  await forge(bob, his.id, path, changed(here, same, ({ type, first, blocks }) => ({
    type,
    first,
    blocks: blocks.map((block) => ({ ...block, nodes: block.nodes.map(({ hash, size }) => ({ hash: flip(hash), size })) }))
  })))
  expect(await bob.rooms.importBundle(path)).toMatchObject({ skipped: 1 })
  await forge(bob, his.id, path, here.genuine)
  expect(await bob.rooms.importBundle(path)).toMatchObject({ skipped: 0 })
  expect(await textsOf(his)).toEqual(Array.from({ length: 30 }, (_, i) => `${i}`))
})

test('frames that do not follow each other are no bundle', { timeout: 120_000 }, async () => {
  const here = await scene()
  const { bob, his, path, genuine } = here
  const before = await viewHash(bob, his.id)
  const at = genuine.findIndex(({ type }) => type === 'core')
  const blocks = genuine[at + 1] as BlocksFrame
  const broken: Record<string, Frame[]> = {
    'no beginning': genuine.slice(1),
    'no end': genuine.slice(0, -1),
    'blocks of no core': [genuine[0]!, blocks, ...genuine.slice(at)],
    'a core without its blocks': genuine.filter(({ type }) => type !== 'blocks'),
    'blocks from elsewhere': genuine.map((frame) => (frame === blocks ? { ...blocks, first: blocks.first + 1 } : frame)),
    'more blocks than it says': genuine.map((frame) => (frame === blocks ? { ...blocks, blocks: [...blocks.blocks, ...blocks.blocks] } : frame)),
    'two beginnings': [genuine[0]!, ...genuine]
  }
  // Of one core, so that nothing comes before what is broken.
  for (const [name, frames] of Object.entries(broken)) {
    if (name === 'no end') continue
    await forge(bob, his.id, path, frames)
    expect(await codeOf(() => bob.rooms.importBundle(path)), name).toBe('BUNDLE_MALFORMED')
  }
  expect(await viewHash(bob, his.id)).toBe(before)
  await forge(bob, his.id, path, broken['no end']!)
  expect(await codeOf(() => bob.rooms.importBundle(path))).toBe('BUNDLE_MALFORMED')
  // What came before the damage has been taken.
  expect((await textsOf(his)).length).toBe(30)
})

test('a bundle brings no writer that the room has not let in, and nothing of theirs to the disk', { timeout: 60_000 }, async () => {
  const here = await scene()
  const { alice, bob, his, path, genuine } = here
  const { publicKey, secretKey } = signKeyPair(new Uint8Array(32).fill(7))
  const store = openedOf(alice, his.id).base.store.namespace('stranger')
  const manifest = { version: 1, signers: [{ publicKey }] }
  const strange = store.get({ manifest, keyPair: { publicKey, secretKey } })
  await strange.append(new Uint8Array(500))
  const upgrade = (await strange.proof({ upgrade: { start: 0, length: 1 } })).upgrade
  const core: CarriedCore = { signer: publicKey, start: 0, end: 1, length: 1, signature: upgrade.signature!.slice(2, 66), roots: upgrade.nodes, tail: [] }
  const frames: Frame[] = [genuine[0]!, { type: 'core', ...core }, { type: 'blocks', first: 0, blocks: [{ value: new Uint8Array(500), nodes: [] }] }, ...genuine.slice(1)]
  await forge(bob, his.id, path, frames)
  expect(await bob.rooms.importBundle(path)).toMatchObject({ skipped: 1 })
  expect((await textsOf(his)).length).toBe(30)
  const { base, view } = openedOf(bob, his.id)
  expect(await view.device(strange.key!)).toBe(null)
  const theirs = base.store.get({ discoveryKey: Hypercore.discoveryKey(strange.key!), active: false })
  expect(await codeOf(() => theirs.ready())).toBe('STORAGE_EMPTY')
})

test('what comes after what is not here is left, and said', { timeout: 60_000 }, async () => {
  const here = await scene()
  const { alice, bob, his, path } = here
  const hers = alice.rooms.get(his.id)!
  const everything = await hers.bundleSummary()
  await hers.send('after')
  await hers.exportBundle(path, { since: everything })
  expect(await bob.rooms.importBundle(path)).toMatchObject({ blocks: 0, skipped: 1 })
  expect(await textsOf(his)).toEqual([])
  await hers.exportBundle(path)
  expect(await bob.rooms.importBundle(path)).toMatchObject({ skipped: 0 })
  expect((await textsOf(his)).at(-1)).toBe('after')
})

test('two pasts of a device are found out by a bundle as by a peer', { timeout: 60_000 }, async () => {
  const here = await scene()
  const { alice, bob, his, path, genuine } = here
  await forge(bob, his.id, path, genuine)
  expect(await bob.rooms.importBundle(path)).toMatchObject({ skipped: 0 })
  const before = await textsOf(his)
  const told = his.once('error')
  // Somebody has Alice's keys, and writes another past.
  const { keyPair, key } = openedOf(alice, his.id).base.local
  const core = new Hypercore(join(await temporaryFolder(), 'other'), { keyPair: keyPair!, manifest: { version: 1, signers: [{ publicKey: keyPair!.publicKey }] } })
  onTestFinished(() => core.close())
  await core.ready()
  expect(toHex(core.key!)).toBe(toHex(key))
  const value = new Uint8Array(9)
  await core.append([value, value])
  const { upgrade } = await core.proof({ upgrade: { start: 0, length: 2 } })
  const nodes = [{ hash: hypercoreCrypto.data(value), size: value.length }]
  await forge(bob, his.id, path, [
    genuine[0]!,
    { type: 'core', signer: keyPair!.publicKey, start: 0, end: 2, length: 2, signature: upgrade.signature!.slice(2, 66), roots: upgrade.nodes, tail: [] },
    { type: 'blocks', first: 0, blocks: [{ value, nodes }, { value, nodes }] },
    { type: 'end' }
  ])
  expect(await bob.rooms.importBundle(path)).toMatchObject({ blocks: 0, skipped: 1 })
  expect((await told).code).toBe('WRITER_FROZEN')
  const frozen = openedOf(bob, his.id).base.store.get({ key, active: false })
  await frozen.ready()
  expect(isFrozen(frozen)).toBe(true)
  await frozen.close()
  expect(await textsOf(his)).toEqual(before)
  // And nothing more of that device is taken, nor carried on.
  expect(await bob.rooms.importBundle(path)).toMatchObject({ blocks: 0, skipped: 1 })
  await his.exportBundle(path)
  const carried = await framesOf(bob, his.id, path)
  expect(carried.some((frame) => frame.type === 'core' && toHex(frame.signer) === toHex(keyPair!.publicKey))).toBe(false)
})

/** Bits that are set. */
function bits(value: number): number {
  return value.toString(2).replaceAll('0', '').length
}

test('the nodes that go with a run of blocks are as few as prove them', () => {
  for (const [first, length] of [[0, 1], [0, 8], [3, 11], [5, 6], [6, 100]] as const) {
    const depth = Math.ceil(Math.log2(length + 1))
    expect(nodesOf(first, first, length)).toBeLessThanOrEqual(depth)
    for (let index = first + 1; index < length; index++) {
      if (index % 2 === 1) expect(nodesOf(index, first, length)).toBe(0)
    }
  }
  expect(Array.from({ length: 8 }, (_, i) => nodesOf(i, 0, 8))).toEqual([3, 0, 1, 0, 2, 0, 1, 0])
  expect(Array.from({ length: 4 }, (_, i) => nodesOf(i + 3, 3, 7))).toEqual([2, 1, 0, 0])
})

const vectors = JSON.parse(readFileSync(new URL('vectors/bundle.json', import.meta.url), 'utf8')) as {
  roomKey: string
  salt: string
  header: string
  frames: { frame: string; sealed: string }[]
}

test('a bundle of the first version opens, and is written as it was', () => {
  const { roomKey, salt, header, frames } = vectors
  const made = makeHeader(fromHex(roomKey), fromHex(salt))
  expect(toHex(made.bytes)).toBe(header)
  const read = readHeader(fromHex(header))
  if (typeof read === 'string') throw new Error(read)
  expect(isOfRoom(read, fromHex(roomKey))).toBe(true)
  expect(isOfRoom(read, flip(fromHex(roomKey)))).toBe(false)
  const seal = sealOf(fromHex(roomKey), read)
  const types = frames.map(({ frame, sealed }, number) => {
    expect(toHex(seal.seal(fromHex(frame), number))).toBe(sealed)
    expect(toHex(seal.open(fromHex(sealed), number)!)).toBe(frame)
    expect(seal.open(fromHex(sealed), number + 1)).toBe(undefined)
    const decoded = decodeFrame(fromHex(frame))!
    expect(toHex(encodeFrame(decoded))).toBe(frame)
    return decoded.type
  })
  expect(types).toEqual(['had', 'core', 'blocks', 'end'])
})
