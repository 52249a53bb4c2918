import Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { expect, onTestFinished, test } from 'vitest'
import fc from 'fast-check'
import definition from '../../spec/db/index.js'
import { openSharing } from '../../src/internal/guards/share-blocks.js'
import { openMovable } from '../support-movable.js'
import { temporaryFolder } from '../support.js'

// White box: a view alone, whose end is cut off and written anew as Autobase does it when the order changes.

const WRITERS = '@covey/writers'

async function openStore() {
  const store = new Corestore(await temporaryFolder())
  await store.ready()
  onTestFinished(() => store.close())
  let count = 0
  return async () => {
    const core = store.get({ name: `view ${count++}` })
    await core.ready()
    return { core: core as Hypercore<unknown>, db: openSharing(core as Hypercore<unknown>, definition) }
  }
}

function row(writer: number, length: number) {
  return { writer: new Uint8Array(32).fill(writer), length, head: new Uint8Array(32) }
}

test('what was cut off the end of a view is never seen in what took its place', { timeout: 60_000 }, async () => {
  const open = await openStore()
  const step = fc.record({
    writer: fc.integer({ min: 0, max: 40 }),
    back: fc.option(fc.nat({ max: 5 })),
    isHeld: fc.boolean()
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
      const { core, db } = await open()
      /** What the view said at each of its lengths. */
      const states: { length: number; rows: Map<number, number> }[] = [{ length: 0, rows: new Map() }]
      for (const [at, { writer, back, isHeld }] of steps.entries()) {
        const before = isHeld ? db.snapshot() : undefined
        if (back !== null) {
          states.length = Math.max(1, states.length - back)
          await (core as unknown as { truncate(length: number): Promise<void> }).truncate(states.at(-1)!.length)
        }
        await db.insert(WRITERS, row(writer, at + 1))
        await db.flush()
        // Somebody still reads what was, in part what is there no more.
        await before?.find(WRITERS).toArray().catch(() => undefined)
        await before?.close()
        const rows = new Map(states.at(-1)!.rows).set(writer, at + 1)
        states.push({ length: core.length, rows })
        const found = await db.find<{ writer: Uint8Array; length: number }>(WRITERS).toArray()
        expect(new Map(found.map(({ writer: [first], length }) => [first!, length]))).toEqual(
          new Map([...rows].toSorted(([a], [b]) => a - b))
        )
        for (const [key, length] of rows) {
          expect(await db.get(WRITERS, { writer: row(key, 0).writer })).toMatchObject({ length })
        }
      }
      await db.close()
    }),
    { numRuns: 25 }
  )
})

test('after an append, only what is new is read again', async () => {
  const { core, db } = await (await openStore())()
  for (let writer = 0; writer < 200; writer++) await db.insert(WRITERS, row(writer, 1))
  await db.flush()
  const prototype = Object.getPrototypeOf(core) as { get(...args: unknown[]): Promise<unknown> }
  const get = prototype.get
  let reads = 0
  prototype.get = function (...args) {
    reads++
    return get.apply(this, args)
  }
  onTestFinished(() => void (prototype.get = get))

  await db.get(WRITERS, { writer: row(77, 0).writer })
  const first = reads
  await db.insert(WRITERS, row(201, 1))
  await db.flush()
  reads = 0
  await db.get(WRITERS, { writer: row(77, 0).writer })
  expect(first).toBeGreaterThan(4)
  expect(reads).toBeLessThan(first / 2)
  await db.close()
})

async function movableView(store: Corestore, name: string) {
  const movable = await openMovable(store, name)
  return { movable, db: openSharing(movable.session, definition) }
}

test.each([4, 7, 20])('a view that moves to a core of %i rows, as with other indexers, is read as it is there', async (rows) => {
  const store = new Corestore(await temporaryFolder())
  await store.ready()
  onTestFinished(() => store.close())
  const [here, there] = [await movableView(store, 'here'), await movableView(store, 'there')]
  const put = async ({ db }: typeof here, writer: number, length: number): Promise<void> => {
    await db.insert(WRITERS, row(writer, length))
    await db.flush()
  }
  const all = async ({ db }: typeof here): Promise<number[][]> =>
    (await db.find<{ writer: Uint8Array; length: number }>(WRITERS).toArray()).map(({ writer: [first], length }) => [first!, length])
  for (let i = 0; i < 6; i++) await put(here, i, 1)
  expect((await all(here)).length).toBe(6)
  for (let i = 0; i < rows; i++) await put(there, i, 2)
  const expected = await all(there)
  expect(expected.length).toBe(rows)
  await here.movable.moveTo(there.movable)
  expect(await all(here)).toEqual(expected)
})
