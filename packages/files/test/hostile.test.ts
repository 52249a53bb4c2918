import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import hypercoreCrypto from 'hypercore-crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeLink, type Content } from '@covey/core'
import { BLOCK_BYTES, fileContent, type Offer } from '@covey/files'
import { partsOf } from '@covey/transport/internal'
import { convertBlock, coreKey, coreManifest, encodeEnd, type End } from '../src/internal/crypto.js'
import type { UpstreamCore } from '../src/internal/upstream.js'
import { codeOf, collect, connect, digest, startPeer, until, useLocalNetwork, writeRandom, type Peer } from './support.js'

const local = useLocalNetwork()

/** A core for a file that says what it likes of itself. */
async function shareLie(peer: Peer, size: number | undefined, blocks: readonly Uint8Array[], end?: End): Promise<Content> {
  const keyPair = hypercoreCrypto.keyPair()
  const key = new Uint8Array(32).fill(3)
  const offer: Offer = { name: 'lie', type: '', signer: keyPair.publicKey, key, ...(size !== undefined && { size }) }
  const core = (partsOf(peer.node).corestore as Corestore).get({ key: coreKey(offer), manifest: coreManifest(offer), keyPair })
  await core.ready()
  const all = end === undefined ? blocks : [...blocks, encodeEnd(key, end)]
  await core.append(all.map((block, index) => convertBlock(key, index, block)))
  return fileContent.create(offer)
}

const block = (size = BLOCK_BYTES): Uint8Array => new Uint8Array(size).fill(1)

describe('a sharer who lies', () => {
  const LIES: Record<string, [size: number | undefined, blocks: Uint8Array[], end?: End]> = {
    'a file that is shorter than it says': [10 * BLOCK_BYTES, [block(), block(10)], { size: BLOCK_BYTES + 10, isWhole: true }],
    'an end that says more than there is': [10 * BLOCK_BYTES, [block(), block(10)], { size: 10 * BLOCK_BYTES, isWhole: true }],
    'a file that is longer than it says': [10, [block(), block(), block()]],
    'an end in the middle': [undefined, [block(), encodeEnd(new Uint8Array(32).fill(3), { size: BLOCK_BYTES, isWhole: true }), block(), block(7)]],
    'blocks that are too large': [4 * BLOCK_BYTES, [block(4 * BLOCK_BYTES)]],
    'a block in the middle that is too small': [2 * BLOCK_BYTES + 10, [block(), block(10), block()], { size: 2 * BLOCK_BYTES + 10, isWhole: true }],
    'blocks that are too small': [2 * BLOCK_BYTES, [block(10), block(20), block(30)], { size: 60, isWhole: true }]
  }
  for (const [name, lie] of Object.entries(LIES)) {
    it(`is found out: ${name}`, async () => {
      const [mallory, bob] = [await startPeer(local), await startPeer(local)]
      await connect(bob, mallory)
      const file = bob.files.open(await shareLie(mallory, ...lie))
      expect(await codeOf(() => file.bytes({ maxBytes: 100 * BLOCK_BYTES, signal: AbortSignal.timeout(10_000) }))).toBe('FILE_DAMAGED')
      // An end that is not the last block is none to who looks for it there: that sharer is never done.
      const expected = name === 'an end in the middle' ? 23 : 'FILE_DAMAGED'
      expect(await codeOf(() => file.saveTo(bob.desk, { signal: AbortSignal.timeout(3_000) }))).toBe(expected)
    })
  }

  it('cannot spoil what is here of another file, by its core with another key or size', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    const { path, bytes } = await writeRandom(alice, 'film', 2 * BLOCK_BYTES)
    const { content } = await alice.files.share(path)
    const offer = fileContent.read(content)!
    const spoilt = [{ ...offer, key: new Uint8Array(32) }, { ...offer, size: 5 }]
    const ids = spoilt.map((other) => bob.files.open(fileContent.create(other)).id)
    const file = bob.files.open(content)
    expect(ids).not.toContain(file.id)
    expect(digest(await file.bytes({ maxBytes: bytes.length }))).toBe(digest(bytes))
  })
})

describe('a holder who sends wrong blocks', () => {
  it('is not asked again, and the file comes from others', async () => {
    const [alice, mallory, carol] = [await startPeer(local), await startPeer(local), await startPeer(local)]
    await connect(alice, mallory)
    const { path, bytes } = await writeRandom(alice, 'film', 60 * BLOCK_BYTES)
    const shared = await alice.files.share(path)
    await until(shared, ({ state }) => state === 'whole')
    await mallory.files.open(shared.content).bytes({ maxBytes: bytes.length })
    const corestore = partsOf(mallory.node).corestore as Corestore
    const core: Hypercore = corestore.get({ key: coreKey(fileContent.read(shared.content)!) })
    await core.ready()
    const { storage } = (core as unknown as { core: UpstreamCore }).core
    const read = storage.read.bind(storage)
    let sent = 0
    storage.read = (fork) => {
      const batch = read(fork)
      const getBlock = batch.getBlock.bind(batch)
      batch.getBlock = async (index) => {
        sent++
        return (await getBlock(index))?.map((byte) => byte ^ 1) ?? null
      }
      return batch
    }
    await connect(carol, mallory)
    const file = carol.files.open(shared.content)
    const reading = collect(file.stream({ end: 30 * BLOCK_BYTES }))
    // Nobody else is there yet: it has sent what it has, and is asked no more.
    await until(file, ({ state }) => state === 'waiting' && sent > 0)
    await connect(carol, alice)
    expect(digest(await reading)).toBe(digest(bytes.subarray(0, 30 * BLOCK_BYTES)))
    expect(digest(await file.bytes({ maxBytes: bytes.length }))).toBe(digest(bytes))
    // Those that had been asked for before the first of them came, and none of the second half.
    expect(sent).toBeLessThanOrEqual(31)
  })
})

describe('an offer', () => {
  const offer: Offer = {
    name: 'ä', type: 'image/png', signer: block(32), key: block(32), size: 70_000, width: 3, height: 4, preview: { type: 'image/png', data: block(9) }
  }

  it('is read as it was made, and no other bytes are one that could harm', () => {
    expect(fileContent.read(fileContent.create(offer))).toEqual(offer)
    const { data } = fileContent.create(offer)
    fc.assert(
      fc.property(fc.nat(data.length - 1), fc.uint8Array({ maxLength: 8 }), fc.nat(data.length), (at, replaced, cut) => {
        const changed = Uint8Array.from(data)
        changed.set(replaced.subarray(0, data.length - at), at)
        const read = fileContent.read({ type: 'covey/file', version: 1, data: changed.subarray(0, cut) })
        if (read === undefined) return
        expect(Buffer.byteLength(read.name)).toBeLessThanOrEqual(255)
        expect(read.size ?? 0).toBeLessThanOrEqual(2 ** 50)
        expect(read.preview?.data.length ?? 0).toBeLessThanOrEqual(65_536)
      }),
      { numRuns: 2_000 }
    )
  })

  it('is refused when it is none', async () => {
    const bob = await startPeer(local)
    expect(await codeOf(() => bob.files.open({ type: 'covey/file', version: 1, data: block(50) }))).toBe('OFFER_MALFORMED')
    expect(await codeOf(() => bob.files.open({ type: 'other', version: 1, data: fileContent.create(offer).data }))).toBe('OFFER_MALFORMED')
    expect(await codeOf(() => bob.files.open(encodeLink('file', block(40))))).toBe('OFFER_MALFORMED')
    expect(await codeOf(() => bob.files.open(encodeLink('invite', block(40))))).toBe('LINK_WRONG_KIND')
    expect(await codeOf(() => bob.files.open('x'))).toBe('LINK_NOT_COVEY')
  })
})
