import { EventEmitter } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { createQuotas } from '../../src/internal/guards/guard-quota.js'
import type { UpstreamWriter } from '../../src/internal/guards/autobase-internals.js'

// White box: writers as Autobase has them, and what is downloaded of them.

const BURST = 10
const FLOOD = 1_000

function scene(indexers: number, burst = BURST) {
  const quotas = createQuotas(() => undefined, () => Math.floor(indexers / 2) + 1, {
    blocks: { burst, perSecond: 0.001 },
    bytes: { burst: burst * 100, perSecond: 0.001 }
  })
  onTestFinished(() => quotas.close())
  let keys = 0

  function createWriter(isActiveIndexer: boolean, key = new Uint8Array(32).fill(++keys)) {
    const nodes = { length: 0 }
    const core = Object.assign(new EventEmitter(), { key, byteLength: 0, length: FLOOD, closing: null, download: (range: object) => ({ range }) })
    const writer = {
      core,
      nodes,
      isActiveIndexer,
      range: null as { range: { end: number } } | null,
      node: null as object | null,
      _pause() {
        this.range = null
      },
      _resume() {},
      updateActivity() {
        this._resume()
      },
      _ensureNodeDependencies: async () => false
    }
    quotas.guard(writer as unknown as UpstreamWriter)
    return writer
  }
  type Writer = ReturnType<typeof createWriter>

  /** Reads a writer for as long as anything of it is downloaded; how many blocks there are then. */
  function read(writer: Writer): number {
    for (writer._resume(); writer.range !== null && writer.nodes.length < FLOOD; writer._resume()) {
      writer.core.emit('download', writer.nodes.length++, 1)
    }
    return writer.nodes.length
  }

  /** A writer builds on all of another. */
  async function buildOn(writer: Writer, other: Writer): Promise<void> {
    writer.node = { heads: [{ key: other.core.key, length: FLOOD }], dependencies: new Set() }
    await writer._ensureNodeDependencies()
  }

  return { createWriter, read, buildOn }
}

test('who builds on a flood pays for it out of their own allowance', async () => {
  const { createWriter, read, buildOn } = scene(1)
  const [flood, friend] = [createWriter(false), createWriter(false)]
  expect(read(flood)).toBe(BURST)
  await buildOn(friend, flood)
  expect(read(flood)).toBe(2 * BURST)
})

test('a block is counted once, however many sessions of its core are open', () => {
  const { createWriter, read } = scene(1)
  // As autobase has the room's first core: once for as long as it is open, and once as a writer like any other.
  const first = createWriter(false)
  const second = createWriter(false, first.core.key)
  for (const { core } of [first, second]) core.emit('download', 0, 1)
  first.core.emit('close')
  expect(read(second)).toBe(BURST - 1)
})

test('where what is unread may be of any size, few blocks are under way at a time, and many again when it is read', () => {
  const { createWriter, read } = scene(1, 2 * FLOOD)
  const MIB = 1_048_576
  const writer = createWriter(false)
  /** How many blocks are asked for at once. */
  const asked = (): number => {
    writer.range = null
    writer._resume()
    return writer.range!.range.end - writer.nodes.length
  }
  const grow = (length: number, mib: number): void => void Object.assign(writer.core, { length, byteLength: mib * MIB })
  grow(500, 16)
  expect(asked()).toBe(256)
  grow(FLOOD, 17)
  expect(asked()).toBe(4)
  expect(read(writer)).toBe(FLOOD)
  grow(2 * FLOOD, 18)
  // Less what of the allowance is used up.
  expect(asked()).toBeGreaterThan(250)
  grow(2 * FLOOD, 40)
  expect(asked()).toBe(4)
})

test('what the only indexer has read is read without end', async () => {
  const { createWriter, read, buildOn } = scene(1)
  const flood = createWriter(false)
  expect(read(flood)).toBe(BURST)
  await buildOn(createWriter(true), flood)
  expect(read(flood)).toBe(FLOOD)
})

test('one of three indexers pays like anybody, and two of them do not', async () => {
  const { createWriter, read, buildOn } = scene(3)
  const [flood, friend, honest] = [createWriter(false), createWriter(true), createWriter(true)]
  read(flood)
  await buildOn(friend, flood)
  expect(read(flood)).toBe(2 * BURST)
  await buildOn(friend, flood)
  expect(read(flood)).toBe(2 * BURST)
  // Who indexes no more does not count, whatever it has built on.
  friend.isActiveIndexer = false
  await buildOn(honest, flood)
  expect(read(flood)).toBe(3 * BURST)
  friend.isActiveIndexer = true
  await buildOn(friend, flood)
  expect(read(flood)).toBe(FLOOD)
})
