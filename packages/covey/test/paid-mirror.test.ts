import { randomBytes } from 'node:crypto'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { decodeKey } from '@covey/core'
import { createMirror, type Mirror, type MirrorMeter } from '@covey/mirror'
import { createMemoryMeterJournal, createMeter, GB_DAY, openMeterJournal, type Meter } from '@covey/payments'
import { codeOf, start, temporaryFolder, textsOf, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
const asset = 'lightning:bcrt/slip44:0'
/** By which 100 kB that are held for a second cost 1. */
const PRICE = GB_DAY / (100_000n * 1_000n)

const errors: unknown[] = []
afterEach(() => expect(errors).toEqual([]))

test('a mirror holds what is paid for, charges by the time, and lets go of it when nobody pays', { timeout: 60_000 }, async () => {
  const { mirror, meter } = await startPaid(await temporaryFolder(), await temporaryFolder())
  const alice = await startPeer('Alice', mirror)
  const refused: string[] = []
  alice.mirrors.on('refused', ({ code }) => void refused.push(code))
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.send('who pays?')
  await expect.poll(() => refused).toContain('QUOTA_EXCEEDED')
  expect(mirror.stats().bytes).toBe(0)

  await pay(meter, alice, 2n)
  mirror.retry(alice.device.id)
  expect(await room.durable({ mirrors: 1 })).toEqual({ mirrors: [mirror.id], devices: [] })
  expect(mirror.usage().get(alice.device.id)).toMatchObject({ bytes: mirror.stats().bytes })
  // Until the credit is used up, and not beyond it.
  await expect.poll(() => mirror.stats().bytes, { timeout: 40_000 }).toBe(0)
  const { paid, spent, held } = balance(meter, alice)
  expect([paid, held]).toEqual([2n, 0n])
  expect(spent).toBeGreaterThan(0n)
  expect(spent).toBeLessThanOrEqual(paid)
  expect((await room.durability()).mirrors).toEqual([])

  await pay(meter, alice, 100n)
  mirror.retry(alice.device.id)
  expect(await room.durable({ mirrors: 1 })).toMatchObject({ mirrors: [mirror.id] })
})

test('what one pays for no more is held for another who does', { timeout: 60_000 }, async () => {
  const { mirror, meter } = await startPaid(await temporaryFolder(), await temporaryFolder())
  const [alice, bob] = [await startPeer('Alice', mirror), await startPeer('Bob', mirror)]
  await pay(meter, alice, 2n)
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.send('from Alice')
  await room.durable({ mirrors: 1 })
  await pay(meter, bob, 1_000n)
  const his = await bob.rooms.join(await room.createInvite())
  await expect.poll(() => textsOf(his)).toEqual(['from Alice'])
  await his.durable({ mirrors: 1 })
  await expect.poll(() => mirror.usage().get(alice.device.id)?.bytes ?? 0, { timeout: 40_000 }).toBe(0)
  await his.durable({ mirrors: 1 })
  expect(mirror.usage().get(bob.device.id)).toMatchObject({ bytes: mirror.stats().bytes })
})

test('a mirror that starts anew charges for what it holds, and keeps nothing that is not paid for', { timeout: 60_000 }, async () => {
  const [storage, journal] = [await temporaryFolder(), await temporaryFolder()]
  const first = await startPaid(storage, journal)
  const alice = await startPeer('Alice', first.mirror)
  await pay(first.meter, alice, 1_000n)
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.send('for long')
  await room.durable({ mirrors: 1 })
  await first.mirror.close()
  const { spent, held } = balance(first.meter, alice)
  expect(spent).toBeGreaterThan(0n)
  expect(held).toBe(0n)
  await first.meter.close()

  const second = await startPaid(storage, journal)
  expect(second.mirror.stats().bytes).toBeGreaterThan(0)
  await expect.poll(() => balance(second.meter, alice).spent, { timeout: 20_000 }).toBeGreaterThan(spent)
  await second.mirror.close()
  await second.meter.close()
  await alice.close()

  // With a journal that knows of no credit.
  const third = await startPaid(storage, await temporaryFolder())
  expect(third.mirror.stats()).toMatchObject({ cores: 0, bytes: 0 })
})

test('devices of one person may pay from one purse', { timeout: 60_000 }, async () => {
  const person = randomBytes(32)
  const { mirror, meter } = await startPaid(await temporaryFolder(), await temporaryFolder(), 3_600_000, (own) => ({
    hold: (_, units) => own.hold(person, units),
    settle: (_, id, units) => own.settle(person, id, units),
    holds: () => own.holds(person)
  }))
  await meter.credit(person, { id: randomBytes(32), money: { asset, amount: 100_000n } })
  for (const name of ['phone', 'laptop']) {
    const room = await (await startPeer(name, mirror)).rooms.create({ name })
    await room.durable({ mirrors: 1 })
  }
  // Neither lets go of what is set aside for the other.
  expect(meter.holds(person)).toHaveLength(2)
})

test.each([
  [{}, 'init.charge.meter'],
  [{ periodMs: 999 }, 'init.charge.periodMs'],
  [{ rate: 1 }, 'rate']
])('a charge of %j is refused', async (charge, field) => {
  const meter = createMeter({ journal: createMemoryMeterJournal(), price: { asset, amount: PRICE }, per: GB_DAY, window: 0n })
  const init = { storage: await temporaryFolder(), network: net.network, charge: field === 'init.charge.meter' ? charge : { meter, ...charge } }
  await expect(createMirror(init as never)).rejects.toThrow(field)
})

test('who is no device is not looked for', async () => {
  const { mirror } = await startPaid(await temporaryFolder(), await temporaryFolder())
  expect(await codeOf(() => mirror.retry('nobody'))).toBe('TypeError')
})

async function startPaid(storage: string, journal: string, periodMs = 1_000, counts: (meter: Meter) => MirrorMeter = (meter) => meter): Promise<{ mirror: Mirror; meter: Meter }> {
  const meter = createMeter({ journal: await openMeterJournal(journal), price: { asset, amount: PRICE }, per: GB_DAY, window: 0n })
  onTestFinished(() => meter.close())
  const mirror = await createMirror({ storage, network: net.network, charge: { meter: counts(meter), periodMs } })
  onTestFinished(() => mirror.close())
  mirror.on('error', (error) => void errors.push(error))
  return { mirror, meter }
}

function startPeer(name: string, mirror: Mirror) {
  return start({ name, network: net.network, mirrors: [mirror.link] })
}

type Customer = { readonly device: { readonly id: string } }

async function pay(meter: Meter, { device }: Customer, amount: bigint): Promise<void> {
  await meter.credit(decodeKey(device.id), { id: randomBytes(32), money: { asset, amount } })
}

function balance(meter: Meter, { device }: Customer) {
  return meter.balance(decodeKey(device.id))
}
