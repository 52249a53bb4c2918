import { expect, onTestFinished, test } from 'vitest'
import { paymentRequestContent, paymentTipContent, tipReference } from '@covey/payments'
import { createTestRail, TEST_ASSET, TEST_ASSETS, type TestRail } from '@covey/payments/testing'
import { decodeKey } from '@covey/core'
import type { AcceptTipsOptions, Message, Peer, PeerInit, Room, TipAnswer } from 'covey'
import { codeOf, receive, start, temporaryFolder, useLocalNetwork } from './support.js'

const local = useLocalNetwork()
const maxFee = { asset: TEST_ASSET, amount: 1n }
const money = { asset: TEST_ASSET, amount: 50n }

function peerOf(rail: TestRail, name: string, balance: bigint, init: PeerInit = {}): Promise<Peer> {
  return start({ network: local.network, name, payments: { providers: [rail.createProvider({ balance })], assets: TEST_ASSETS }, ...init })
}

/** Answers until the test ends; the answers so far, and the next one. */
function accept(room: Room, options: AcceptTipsOptions = {}) {
  const abort = new AbortController()
  const answers: TipAnswer[] = []
  const running = (async () => {
    for await (const answer of room.payments.acceptTips({ ...options, signal: abort.signal })) answers.push(answer)
  })()
  const ended = running.catch((error: unknown) => {
    if (error !== abort.signal.reason) throw error
  })
  const stop = (): Promise<void> => {
    abort.abort(new Error('the test has ended'))
    return ended
  }
  onTestFinished(stop)
  return { answers, stop }
}

async function scene() {
  const rail = createTestRail()
  const alices = rail.createProvider({ balance: 0n })
  // As a wallet that breaks by what it cannot count.
  const createMethod: typeof alices.createMethod = (core, options) =>
    core.money.amount > 2n ** 53n ? Promise.reject(new TypeError('too large')) : alices.createMethod(core, options)
  const payments: PeerInit['payments'] = { providers: [{ ...alices, createMethod }], assets: TEST_ASSETS }
  const [alice, bob, carol] = await Promise.all([peerOf(rail, 'Alice', 0n, { payments }), peerOf(rail, 'Bob', 1_000n), peerOf(rail, 'Carol', 1_000n)])
  const atAlice = await alice.rooms.create({ name: 'Tea' })
  const signal = AbortSignal.timeout(60_000)
  const atBob = await bob.rooms.join(await atAlice.createInvite({ uses: 1 }), { signal })
  const atCarol = await carol.rooms.join(await atAlice.createInvite({ uses: 1 }), { signal })
  await atAlice.send('A poem')
  const [poem, seen] = await Promise.all([receive(atBob, 'A poem'), receive(atCarol, 'A poem')])
  return { rail, alice, bob, carol, atAlice, atBob, atCarol, poem, seen }
}

test('an author is tipped, and every member can check it', { timeout: 120_000 }, async () => {
  const { rail, alice, bob, atAlice, atBob, atCarol, poem, seen } = await scene()
  const { answers } = accept(atAlice)
  const signal = AbortSignal.timeout(90_000)
  const tip = await atBob.payments.tip(poem, money, { maxFee, signal })
  expect(tip).toMatchObject({ money, verification: { status: 'valid', level: 'preimage' }, request: { payer: decodeKey(bob.identity.id), payee: decodeKey(alice.identity.id) } })
  expect(rail.moved()).toBe(50n)
  await expect.poll(() => answers.length, { timeout: 30_000 }).toBe(1)
  for (const room of [atAlice, atBob, atCarol]) {
    await expect.poll(() => room.payments.tips(seen), { timeout: 30_000 }).toHaveLength(1)
    expect(await room.payments.tips(seen)).toMatchObject([{ money, message: { author: bob.identity.id }, verification: { status: 'valid' } }])
  }
  // The wallet of the author knows it without anybody's word.
  expect(await alice.payments.settlement(tip.request)).toMatchObject({ status: 'settled', level: 'wallet' })
  // Two at once are two, one after the other.
  await Promise.all([1, 2].map(() => atBob.payments.tip(poem, money, { maxFee, signal })))
  expect(rail.moved()).toBe(150n)
  // Somebody else's receipt is nobody's tip, and what is tipped is one message.
  const { message } = (await atCarol.payments.tips(seen))[0]!
  await atCarol.send(message.content!)
  await atCarol.settled()
  expect((await atCarol.payments.tips(seen)).every(({ message: { author } }) => author === bob.identity.id)).toBe(true)
  expect(await atCarol.payments.tips({ ...seen, id: message.id })).toEqual([])
  const own = await atBob.send('Mine')
  expect(await codeOf(() => atBob.payments.tip(own, money, { maxFee }))).toBe('TypeError')
})

test('a tip that was not finished is finished, and not begun anew', { timeout: 120_000 }, async () => {
  const rail = createTestRail()
  const storage = await temporaryFolder()
  const alice = await peerOf(rail, 'Alice', 0n)
  const init: PeerInit = { storage, network: local.network, payments: { providers: [rail.createProvider({ balance: 1_000n })], assets: TEST_ASSETS } }
  const bob = await start(init)
  const atAlice = await alice.rooms.create({ name: 'Tea' })
  const atBob = await bob.rooms.join(await atAlice.createInvite({ uses: 1 }), { signal: AbortSignal.timeout(60_000) })
  await atAlice.send('A poem')
  const poem = await receive(atBob, 'A poem')
  // Nobody answers, and then bob's process ends.
  const gone = new AbortController()
  const waiting = codeOf(() => atBob.payments.tip(poem, money, { maxFee, signal: gone.signal }))
  await offered(atAlice)
  gone.abort(Object.assign(new Error('enough'), { code: 'ENOUGH' }))
  expect(await waiting).toBe('ENOUGH')
  await bob.close()
  accept(atAlice)
  const again = await start(init)
  const room = again.rooms.list()[0]!
  const signal = AbortSignal.timeout(90_000)
  await room.payments.tip(poem, money, { maxFee, signal })
  expect(rail.moved()).toBe(50n)
  expect(await offers(room)).toHaveLength(1)
  await room.payments.tip(poem, money, { maxFee, signal })
  expect(await offers(room)).toHaveLength(2)
  expect(rail.moved()).toBe(100n)
})

test('nobody but the author answers, for what was offered, and asks for no more', { timeout: 120_000 }, async () => {
  const { rail, bob, carol, atAlice, atBob, atCarol, poem } = await scene()
  const signal = AbortSignal.timeout(90_000)
  const tipping = atBob.payments.tip(poem, money, { maxFee, signal })
  const offer = await offered(atAlice)
  await offered(atCarol)
  const [reference, payer] = [tipReference({ message: poem.id, offer: offer.id }), decodeKey(bob.identity.id)]
  const asks = atAlice.payments
  const forged = [
    await atCarol.payments.request({ money, purpose: 'Tip', reference, payer }),
    await asks.request({ money: { ...money, amount: 51n }, purpose: 'Tip', reference, payer }),
    await asks.request({ money, purpose: 'Tip', reference }),
    await asks.request({ money, purpose: 'Tip', reference, payer: decodeKey(carol.identity.id) }),
    await asks.request({ money, purpose: 'Tip', reference: tipReference({ message: offer.id, offer: offer.id }), payer }),
    await asks.request({ money, purpose: 'Tip', payer })
  ]
  const right = await asks.request({ money, purpose: 'Tip', reference, payer })
  expect((await tipping).request.coreHash).toEqual(right.request.coreHash)
  expect(rail.moved()).toBe(50n)
  for (const { request } of forged) expect(rail.paid(request.methods[0]!.data.subarray(0, 32))).toBe(0)
  // A request that was paid without an offer is no tip.
  const plain = atBob.payments
  await plain.pay(forged[5]!.request, { maxFee })
  await expect.poll(() => asks.tips(poem), { timeout: 30_000 }).toHaveLength(1)
})

test('an author answers for their own messages, and within bounds', { timeout: 120_000 }, async () => {
  const { rail, bob, atAlice, atBob, poem } = await scene()
  const bobs = await atBob.send('Not hers')
  for (const content of [
    paymentTipContent.create({ message: bobs.id, money }),
    paymentTipContent.create({ message: poem.id, money: { ...money, amount: 9n } }),
    paymentTipContent.create({ message: poem.id, money: { asset: 'eip155:1/slip44:60', amount: 50n } }),
    paymentTipContent.create({ message: poem.id, money: { ...money, amount: 2n ** 256n - 1n } }),
    { type: paymentTipContent.name, version: 1, data: new Uint8Array(40).fill(255) },
    ...Array.from({ length: 17 }, () => paymentTipContent.create({ message: poem.id, money }))
  ]) {
    await atBob.send(content)
  }
  const { answers, stop } = accept(atAlice, { minimum: [{ ...money, amount: 10n }] })
  await expect.poll(() => answers.length, { timeout: 60_000 }).toBe(20)
  expect(answers.map(({ error }) => error?.code ?? null)).toEqual(['DECLINED', 'UNKNOWN_ASSET', 'PROVIDER_UNAVAILABLE', ...Array.from({ length: 16 }, () => null), 'DECLINED'])
  await stop()
  // Begun anew, it answers nothing twice.
  const again = accept(atAlice)
  await atBob.send('still there?')
  await expect.poll(() => again.answers.length, { timeout: 60_000 }).toBe(4)
  expect(await requests(atAlice)).toBe(16)
  expect(rail.moved()).toBe(0n)
  expect(await codeOf(async () => atAlice.payments.acceptTips({ minimum: [{ ...money, amount: 0n }] }))).toBe('TypeError')
  expect(bob.payments.list()).toEqual([])
})

async function offered(room: Room): Promise<Message> {
  for await (const message of room.messages({ live: true, pending: false })) if (paymentTipContent.read(message.content) !== undefined) return message
  throw new Error('the room ended')
}

async function offers(room: Room): Promise<Message[]> {
  const found: Message[] = []
  for await (const message of room.messages()) if (paymentTipContent.read(message.content) !== undefined) found.push(message)
  return found
}

async function requests(room: Room): Promise<number> {
  let count = 0
  for await (const message of room.messages()) if (message.content?.type === paymentRequestContent.name) count++
  return count
}
