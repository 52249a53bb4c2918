import Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { expect, test } from 'vitest'
import type { UpstreamViewRef } from '../../src/internal/guards/autobase-internals.js'
import { writeHeldBlocks } from '../../src/internal/guards/guard-prologue.js'
import { temporaryFolder } from '../support.js'

/** A page of the field that says which blocks are here, and some of a second. */
const BLOCKS = 34_000

interface Copying {
  copyPrologue(from: unknown): Promise<void>
  readonly state: unknown
  readonly bitfield: { get(index: number): boolean }
}

const inner = (core: Hypercore<unknown>): Copying => (core as unknown as { core: Copying }).core

/** How many blocks of a view are known to be here after it has moved to another core, and after a restart. */
async function moved(guard: (ref: UpstreamViewRef) => Promise<void>): Promise<{ before: number; after: number }> {
  const folder = await temporaryFolder()
  const known = (core: Hypercore<unknown>): number => Array.from({ length: BLOCKS }, (_, i) => inner(core).bitfield.get(i)).filter(Boolean).length
  let store = new Corestore(folder)
  const from = store.get({ name: 'view' })
  await from.ready()
  await from.append(Array.from({ length: BLOCKS }, () => Buffer.of(1)))
  const { publicKey } = from.manifest!.signers[0]!
  const signers = [{ signature: 'ed25519' as const, namespace: Buffer.alloc(32, 1), publicKey }]
  const prologue = { length: BLOCKS, hash: await from.treeHash(BLOCKS) }
  const manifest = { version: 1, hash: 'blake2b', allowPatch: true, quorum: 1, signers, prologue, userData: null, linked: null }
  const to = store.get({ manifest } as unknown as Parameters<Corestore['get']>[0])
  await to.ready()
  await inner(to).copyPrologue(inner(from).state)
  await guard({ moveTo: [to, to] } as unknown as UpstreamViewRef)
  const before = known(to)
  const { key } = to
  await store.close()
  store = new Corestore(folder)
  const again = store.get({ key: key! })
  await again.ready()
  const after = known(again)
  await store.close()
  return { before, after }
}

test('a view that has moved to other indexers is here after a restart too', async () => {
  const stock = await moved(async () => undefined)
  expect(stock.before).toBe(BLOCKS)
  expect(stock.after).toBeLessThan(BLOCKS)
  expect(await moved(writeHeldBlocks)).toEqual({ before: BLOCKS, after: BLOCKS })
})
