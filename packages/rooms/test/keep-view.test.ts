import Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createViewKeeper } from '../src/internal/keep-view.js'
import { temporaryFolder } from './support.js'

const BLOCKS = 1_000
/** As many as are asked for at once, and so at the very start. */
const LAST = 64
/** Less than a room has to be quiet. */
const READING_MS = 500

/** A core that somebody has, and that this device has nothing of yet. */
async function newcomer(blocks = BLOCKS) {
  const [there, here] = await Promise.all([store(), store()])
  const written = there.get({ name: 'view' })
  await written.append(Array.from({ length: blocks }, (_, i) => Buffer.from(`block ${i}`)))
  const core = here.get({ key: written.key! })
  await core.ready()
  const streams = [there.replicate(true), here.replicate(false)]
  for (const stream of streams) stream.on('error', () => undefined)
  streams[0]!.pipe(streams[1]!).pipe(streams[0]!)
  onTestFinished(() => streams.forEach((stream) => stream.destroy()))
  await core.update({ wait: true })
  const errors: unknown[] = []
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const base = { _viewStore: { byName: new Map([['view', { core }]]) } } as unknown as Parameters<typeof createViewKeeper>[0]
  const keeper = createViewKeeper(base, (error) => errors.push(error))
  onTestFinished(() => keeper.close())
  return { core, keeper, errors }
}

async function store(): Promise<Corestore> {
  const made = new Corestore(await temporaryFolder())
  await made.ready()
  onTestFinished(() => made.close())
  return made
}

/** Reads one block after another, and is each time as long about what it has read. */
async function readOn(core: Hypercore<Uint8Array>, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await core.get(i)
    await vi.advanceTimersByTimeAsync(READING_MS)
  }
}

test('what nobody asks for comes after all that somebody does', async () => {
  const { core, keeper, errors } = await newcomer()
  keeper.changed()
  await readOn(core, 10)
  const has = await Promise.all(Array.from({ length: BLOCKS - LAST - 10 }, (_, i) => core.has(10 + i)))
  expect(has.filter(Boolean)).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(2 * READING_MS)
  vi.useRealTimers()
  await expect.poll(() => core.contiguousLength, { timeout: 20_000 }).toBe(BLOCKS)
  expect(errors).toEqual([])
})

test('what reads much waits until who has just come in has read, where more than a few blocks are missing', async () => {
  const { core, keeper } = await newcomer(2 * BLOCKS)
  keeper.changed()
  let isCalm = false
  const calm = keeper.calm().then(() => (isCalm = true))
  await readOn(core, 10)
  expect([keeper.isCalm(), isCalm]).toEqual([false, false])
  await vi.advanceTimersByTimeAsync(2 * READING_MS)
  await calm
  expect(keeper.isCalm()).toBe(true)
})

test('it waits for nothing where few are missing, and no longer when it is closed', async () => {
  const few = await newcomer()
  few.keeper.changed()
  expect(few.keeper.isCalm()).toBe(true)
  await few.keeper.calm()
  vi.useRealTimers()
  const many = await newcomer(2 * BLOCKS)
  many.keeper.changed()
  const calm = many.keeper.calm()
  expect(many.keeper.isCalm()).toBe(false)
  many.keeper.close()
  await calm
})

test('who reads on and on is not waited for without end', async () => {
  const { core, keeper, errors } = await newcomer()
  keeper.changed()
  await readOn(core, 30_000 / READING_MS)
  vi.useRealTimers()
  await expect.poll(() => core.contiguousLength, { timeout: 20_000 }).toBe(BLOCKS)
  expect(errors).toEqual([])
})
