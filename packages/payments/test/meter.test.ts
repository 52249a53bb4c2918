import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { createMemoryMeterJournal, createMeter, GB_DAY, MAX_HOLDS, openMeterJournal, type DurableMap, type MeterInit, type MeterJournal } from '@covey/payments'
import { codeOf } from './support/people.js'

const asset = 'lightning:bcrt/slip44:0'
const BOB = new Uint8Array(32).fill(1)
const CAROL = new Uint8Array(32).fill(2)

function id(number: number): Uint8Array {
  const bytes = new Uint8Array(32)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}

function open(init: Partial<MeterInit> = {}) {
  return createMeter({ journal: createMemoryMeterJournal(), price: { asset, amount: 3n }, per: 7n, window: 0n, ...init })
}

test('serves what is paid and the window, exactly', async () => {
  const meter = open({ window: 2n })
  // 2 buys 2 * 7 / 3 = 4 units, and two thirds of one.
  expect(await codeOf(() => meter.hold(BOB, 5n))).toBe('CREDIT_EXHAUSTED')
  const first = await meter.hold(BOB, 4n)
  await meter.settle(BOB, first.id, 4n)
  expect(await codeOf(() => meter.hold(BOB, 1n))).toBe('CREDIT_EXHAUSTED')
  expect(await meter.credit(BOB, { id: id(1), money: { asset, amount: 1n } })).toBe(true)
  // With 3, exactly 7: the two thirds were not lost.
  expect(meter.balance(BOB)).toEqual({ paid: 1n, spent: 2n, held: 0n, units: 3n })
  await meter.hold(BOB, 3n)
  expect(await codeOf(() => meter.hold(BOB, 1n))).toBe('CREDIT_EXHAUSTED')
})

test('a payment is credit once, and of one customer', async () => {
  const meter = open()
  const payment = { id: id(1), money: { asset, amount: 10n } }
  expect(await Promise.all([1, 2, 3].map(() => meter.credit(BOB, payment)))).toEqual([true, false, false])
  expect(await codeOf(() => meter.credit(CAROL, payment))).toBe('DUPLICATE')
  expect(await codeOf(() => meter.credit(BOB, { ...payment, money: { asset, amount: 11n } }))).toBe('DUPLICATE')
  expect(meter.balance(BOB).paid).toBe(10n)
  expect(meter.balance(CAROL)).toEqual({ paid: 0n, spent: 0n, held: 0n, units: 0n })
})

test('holds at once do not pass the window together', async () => {
  const meter = open({ window: 3n })
  const codes = await Promise.all(Array.from({ length: 5 }, () => codeOf(() => meter.hold(BOB, 2n))))
  expect(codes.filter((code) => code === null)).toHaveLength(3)
})

test('what was held and not used is there again, and is settled once', async () => {
  const meter = open({ window: 3n })
  const { id: hold } = await meter.hold(BOB, 7n)
  await expect(meter.settle(BOB, hold, 8n)).rejects.toThrow(TypeError)
  await Promise.all([meter.settle(BOB, hold, 2n), meter.settle(BOB, hold, 7n)])
  expect(meter.balance(BOB)).toEqual({ paid: 0n, spent: 1n, held: 0n, units: 5n })
  await meter.settle(CAROL, hold, 1n)
  expect(meter.balance(CAROL).spent).toBe(0n)
})

test('a new price is for what is held from then on', async () => {
  const meter = open({ window: 100n })
  const { id: hold } = await meter.hold(BOB, 7n)
  meter.setPrice({ asset, amount: 30n })
  await meter.settle(BOB, hold, 7n)
  expect(meter.balance(BOB).spent).toBe(3n)
  await meter.settle(BOB, (await meter.hold(BOB, 7n)).id, 7n)
  expect(meter.balance(BOB).spent).toBe(33n)
  expect(() => meter.setPrice({ asset: 'eip155:1/slip44:60', amount: 1n })).toThrow(TypeError)
})

test('a gigabyte for a day costs what it says, also in pieces', async () => {
  const meter = open({ price: { asset, amount: 1_000n }, per: GB_DAY, window: 1_000n })
  for (let hour = 0; hour < 24; hour++) {
    const { id: hold, units } = await meter.hold(BOB, 1_000_000_000n * 3_600_000n)
    await meter.settle(BOB, hold, units)
  }
  expect(meter.balance(BOB)).toEqual({ paid: 0n, spent: 1_000n, held: 0n, units: 0n })
})

test('a customer holds so many at once, and wrong arguments are named', async () => {
  const meter = open({ window: 1_000_000n })
  for (let i = 0; i < MAX_HOLDS; i++) await meter.hold(BOB, 1n)
  expect(await codeOf(() => meter.hold(BOB, 1n))).toBe('CREDIT_EXHAUSTED')
  expect(meter.holds(BOB)).toHaveLength(MAX_HOLDS)
  for (const wrong of [0n, -1n, 1, 1.5, 2n ** 200n]) expect(await codeOf(() => meter.hold(CAROL, wrong as bigint))).toBe('TypeError')
  expect(await codeOf(() => meter.credit(BOB, { id: id(1), money: { asset, amount: 0n } }))).toBe('TypeError')
  expect(await codeOf(() => meter.credit(BOB, { id: id(1), money: { asset: 'eip155:1/slip44:60', amount: 1n } }))).toBe('TypeError')
  for (const wrong of [{ per: 0n }, { window: -1n }, { per: 7 }, { price: { asset, amount: 1.5 } }]) expect(() => open(wrong as never)).toThrow(TypeError)
  await meter.close()
  expect(await codeOf(() => meter.hold(BOB, 1n))).toBe('PAYMENTS_CLOSED')
})

class Crash extends Error {}

/** A journal that crashes at the n-th write from now, before or after it is durable; what is durable outlives it. */
function fragile() {
  const durable = createMemoryMeterJournal()
  let left = Infinity
  let isDurable = false
  const wrap = <Value>(map: DurableMap<Value>): DurableMap<Value> => ({
    ...map,
    async put(key, value) {
      if (left-- > 1) return map.put(key, value)
      if (isDurable && left === 0) await map.put(key, value)
      throw new Crash('killed')
    }
  })
  return {
    journal: (): MeterJournal => ({ credits: wrap(durable.credits), accounts: wrap(durable.accounts) }),
    crashAt(writes: number, afterIt: boolean) {
      left = writes
      isDurable = afterIt
    }
  }
}

type Step =
  | { readonly type: 'pay'; readonly amount: bigint }
  | { readonly type: 'use'; readonly units: bigint; readonly used: number }
  | { readonly type: 'price'; readonly amount: bigint }
  | { readonly type: 'crash'; readonly writes: number; readonly afterIt: boolean }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('pay' as const), amount: fc.bigInt(1n, 5n) }),
  fc.record({ type: fc.constant('use' as const), units: fc.oneof(fc.bigInt(1n, 3n), fc.bigInt(1n, 40n)), used: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })) }),
  fc.record({ type: fc.constant('price' as const), amount: fc.bigInt(1n, 9n) }),
  fc.record({ type: fc.constant('crash' as const), writes: fc.integer({ min: 1, max: 3 }), afterIt: fc.boolean() })
)

test('whatever is paid, used and killed: never served beyond the window, and never a credit lost or doubled', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), fc.bigInt(0n, 30n), fc.bigInt(1n, 13n), async (steps, window, per) => {
      const disk = fragile()
      const price = { asset, amount: 3n }
      let meter = createMeter({ journal: disk.journal(), price, per, window })
      let payments = 0
      let paid = 0n
      /** What was really served, in shares, and what of it the meter was told of. */
      let served = 0n
      let settled = 0n
      const restart = (): void => {
        disk.crashAt(Infinity, false)
        meter = createMeter({ journal: disk.journal(), price: meter.price, per, window })
      }
      const tryTo = async (work: () => Promise<void>): Promise<void> => {
        try {
          await work()
        } catch (error) {
          if (error instanceof Crash) restart()
          else expect((error as { code?: string }).code).toBe('CREDIT_EXHAUSTED')
        }
      }
      for (const each of steps) {
        if (each.type === 'crash') disk.crashAt(each.writes, each.afterIt)
        if (each.type === 'price') meter.setPrice({ asset, amount: each.amount })
        if (each.type === 'pay') {
          const payment = { id: id(payments++), money: { asset, amount: each.amount } }
          await tryTo(async () => void (await meter.credit(BOB, payment)))
          // Who has paid says so until it is told that it was taken.
          await meter.credit(BOB, payment)
          paid += each.amount
        }
        if (each.type === 'use') {
          await tryTo(async () => {
            const hold = await meter.hold(BOB, each.units)
            const used = BigInt(Math.floor(Number(each.units) * each.used))
            served += used * hold.price
            expect(served).toBeLessThanOrEqual((paid + window) * per)
            await meter.settle(BOB, hold.id, used)
            settled += used * hold.price
          })
        }
        expect(meter.balance(BOB).paid).toBe(paid)
      }
      restart()
      const balance = meter.balance(BOB)
      expect(balance.paid).toBe(paid)
      // A settlement that crashed after it was durable counts, and was served; nothing else was ever taken.
      expect(balance.spent * per).toBeGreaterThanOrEqual(settled)
      expect((balance.spent - 1n) * per).toBeLessThan(served + 1n)
      // What a crash has left in doubt comes back once it is known that it was not served.
      for (const hold of meter.holds(BOB)) await meter.settle(BOB, hold.id, 0n)
      expect(meter.balance(BOB).held).toBe(0n)
    }),
    { numRuns: 150 }
  )
})

test('killed at any moment, a process has lost no credit, and has served no more than it held', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'covey-meter-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  let credited = 0n
  let served = 0n
  for (let life = 0; life < 4; life++) {
    const child = fork(fileURLToPath(new URL('support/meter-until-killed.ts', import.meta.url)), [folder, String(life)], {
      execArgv: ['--import', 'tsx', '-C', '@covey/source'],
      serialization: 'advanced'
    })
    const closed = once(child, 'close')
    let heard = 0
    child.on('message', (message: { credited?: bigint; served?: bigint }) => {
      credited += message.credited ?? 0n
      served += message.served ?? 0n
      if (++heard === 12 + 7 * life) child.kill('SIGKILL')
    })
    await closed
    const meter = createMeter({ journal: await openMeterJournal(folder), price: { asset, amount: 3n }, per: 7n, window: 5n })
    const { paid, spent } = meter.balance(BOB)
    // One credit may be durable, and its process killed before it could tell.
    expect(paid).toBeGreaterThanOrEqual(credited)
    expect(paid - credited).toBeLessThanOrEqual(10n)
    credited = paid
    expect(served * 3n).toBeLessThanOrEqual((paid + 5n) * 7n)
    expect(spent * 7n).toBeLessThanOrEqual((paid + 5n) * 7n)
    // What was in doubt was served, for all that is known here.
    for (const hold of meter.holds(BOB)) await meter.settle(BOB, hold.id, hold.units)
    await meter.close()
  }
  expect(served).toBeGreaterThan(0n)
})

test('a journal is of one asset and one unit', async () => {
  const journal = createMemoryMeterJournal()
  const meter = open({ journal, window: 10n })
  await meter.hold(BOB, 1n)
  await meter.credit(BOB, { id: id(1), money: { asset, amount: 1n } })
  expect(() => open({ journal, per: 8n })).toThrow(/per/)
  expect(() => open({ journal, price: { asset: 'eip155:1/slip44:60', amount: 1n } })).toThrow(/asset/)
})
