import Corestore from 'corestore'
import { expect, onTestFinished, test } from 'vitest'
import type { UpstreamFastForward } from '../../src/internal/guards/autobase-internals.js'
import { FEW_BLOCKS, keepReadable } from '../../src/internal/guards/guard-fast-forward.js'
import { mapKey } from '../../src/internal/map-key.js'
import { temporaryFolder } from '../support.js'

async function openStore(): Promise<Corestore> {
  const store = new Corestore(await temporaryFolder())
  await store.ready()
  onTestFinished(() => store.close())
  return store
}

/** What a device goes forward to, whose blocks somebody else has: those of the system, and as many of a view. */
async function forwardTo(blocks: number, { length }: { readonly length: number }) {
  const [there, here] = await Promise.all([openStore(), openStore()])
  const streams = [there.replicate(true), here.replicate(false)]
  for (const stream of streams) stream.on('error', () => undefined)
  streams[0]!.pipe(streams[1]!).pipe(streams[0]!)
  onTestFinished(() => streams.forEach((stream) => stream.destroy()))
  const made = ['system', 'view'].map(async (name) => {
    const written = there.get({ name })
    await written.append(Array.from({ length: blocks / 2 }, (_, i) => Buffer.from(`${i}`)))
    const core = here.get({ key: written.key! })
    await core.update({ wait: true })
    return core
  })
  const [system, view] = await Promise.all(made)
  const fastForward = {
    base: { core: { length }, store: here },
    cores: [],
    key: system!.key,
    length: system!.length,
    views: [{ key: view!.key, length: view!.length }],
    _upgrade: async () => true
  } as unknown as UpstreamFastForward
  const missing = async (): Promise<number> => {
    const held = [system!, view!].flatMap((core) => Array.from({ length: core.length }, (_, i) => core.has(i)))
    return (await Promise.all(held)).filter((isHeld) => !isHeld).length
  }
  return { fastForward, missing }
}

test.each([
  { who: 'a newcomer to few blocks', blocks: FEW_BLOCKS, isReadable: false, length: 1, left: 0 },
  { who: 'a newcomer to many', blocks: FEW_BLOCKS + 2, isReadable: false, length: 1, left: FEW_BLOCKS + 2 },
  { who: 'somebody who has nothing at all', blocks: FEW_BLOCKS, isReadable: false, length: 0, left: FEW_BLOCKS },
  { who: 'a member to many', blocks: FEW_BLOCKS + 2, isReadable: true, length: 1, left: 0 },
  { who: 'a member who had gone forward before to half of it', blocks: FEW_BLOCKS, isReadable: true, length: 1, known: FEW_BLOCKS / 4, left: FEW_BLOCKS / 2 }
])('$who: what is on the disk when it has gone forward', async ({ blocks, isReadable, length, known = 0, left }) => {
  const { fastForward, missing } = await forwardTo(blocks, { length })
  const cores = [fastForward, ...fastForward.views]
  keepReadable(fastForward, () => isReadable, () => new Map(cores.map(({ key }) => [mapKey(key), known])))
  expect(await missing()).toBe(blocks)
  expect(await fastForward._upgrade()).toBe(true)
  expect(await missing()).toBe(left)
})
