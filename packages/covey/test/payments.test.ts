import { expect, test } from 'vitest'
import {
  paymentAckContent,
  paymentCancelContent,
  paymentReceiptContent,
  paymentRefundContent,
  paymentRequestContent,
  refundReferenceOf,
  type PaymentRequest,
  type SpendingPolicy
} from '@covey/payments'
import { createTestRail, TEST_ASSET, TEST_ASSETS } from '@covey/payments/testing'
import { decodeKey } from '@covey/core'
import type { Message, PeerInit, Room } from 'covey'
import { codeOf, start, temporaryFolder, useLocalNetwork } from './support.js'

const local = useLocalNetwork()
const maxFee = { asset: TEST_ASSET, amount: 1n }

/** The first message that carries content of this type. */
async function receive(room: Room, type: string): Promise<Message> {
  for await (const message of room.messages({ live: true })) if (message.content?.type === type) return message
  throw new Error('the room ended')
}

test('one asks in a room, another pays there, and a third sees that it was paid', { timeout: 120_000 }, async () => {
  const rail = createTestRail()
  const peer = (name: string, balance: bigint): PeerInit => ({ network: local.network, name, payments: { providers: [rail.createProvider({ balance })], assets: TEST_ASSETS } })
  const [alice, bob, carol] = [await start(peer('Alice', 0n)), await start(peer('Bob', 1_000n)), await start(peer('Carol', 0n))]
  const atAlice = await alice.rooms.create({ name: 'Tea' })
  const signal = AbortSignal.timeout(60_000)
  const atBob = await bob.rooms.join(await atAlice.createInvite({ uses: 1 }), { signal })
  const atCarol = await carol.rooms.join(await atAlice.createInvite({ uses: 1 }), { signal })

  const payer = decodeKey(bob.identity.id)
  await atAlice.payments.request({ money: { asset: TEST_ASSET, amount: 100n }, purpose: 'Tea for two', payer })
  const asked = await receive(atBob, paymentRequestContent.name)
  const request = atBob.payments.read(asked)!
  expect(request).toMatchObject({ purpose: 'Tea for two', payee: decodeKey(alice.identity.id), money: { amount: 100n } })
  await Promise.all([1, 2].map(() => atBob.payments.pay(request, { maxFee })))
  expect(rail.moved()).toBe(100n)

  await receive(atCarol, paymentReceiptContent.name)
  const seen = atCarol.payments.read(await receive(atCarol, paymentRequestContent.name))!
  // What came ahead of the log is shown live, and has no place in the order yet.
  await expect.poll(() => atCarol.payments.receipts(seen), { timeout: 30_000 }).not.toHaveLength(0)
  const [first] = await atCarol.payments.receipts(seen)
  expect(first).toMatchObject({ message: { author: bob.identity.id }, verification: { status: 'valid', level: 'preimage' } })

  // What somebody else has asked for, or paid, is nobody's to send on as their own.
  const again = await atCarol.send(asked.content!)
  expect(atCarol.payments.read(again)).toBeUndefined()
  await atCarol.send(first!.message.content!)
  const receipts = await atCarol.payments.receipts(seen)
  expect(receipts.every(({ message }) => message.author === bob.identity.id)).toBe(true)
  expect(receipts.filter(({ verification }) => verification.status === 'valid')).toHaveLength(1)
  // And in another room it is nothing.
  const elsewhere = await carol.rooms.create({ name: 'Coffee' })
  expect(elsewhere.payments.read(asked)).toBeUndefined()
  expect(await codeOf(() => elsewhere.payments.pay(request, { maxFee }))).toBe('MESSAGE_WRONG_ROOM')
})

/** Alice, bob and carol in a room of alice's; each has play money. */
async function three(policy: SpendingPolicy = {}) {
  const rail = createTestRail()
  const init = (name: string): PeerInit => ({
    network: local.network,
    name,
    payments: { providers: [rail.createProvider({ balance: 1_000n })], assets: TEST_ASSETS, ...(name === 'Bob' && { policy }) }
  })
  const [alice, bob, carol] = [await start(init('Alice')), await start(init('Bob')), await start(init('Carol'))]
  const atAlice = await alice.rooms.create({ name: 'Tea' })
  const join = async (peer: typeof alice): Promise<Room> => peer.rooms.join(await atAlice.createInvite({ uses: 1 }), { signal: AbortSignal.timeout(60_000) })
  const [atBob, atCarol] = [await join(bob), await join(carol)]
  const [alices, bobs, carols] = [atAlice.payments, atBob.payments, atCarol.payments]
  const ask = async (): Promise<PaymentRequest> => {
    const { request, message } = await alices.request({ money: { asset: TEST_ASSET, amount: 100n }, purpose: 'Tea', payer: decodeKey(bob.identity.id) })
    await arrived(atBob, message)
    return request
  }
  return { rail, bob, atAlice, atBob, atCarol, alices, bobs, carols, ask }
}

/** Resolves when a message is in the order of the room. */
async function arrived(room: Room, { id }: Message): Promise<void> {
  for await (const message of room.messages({ live: true, pending: false })) if (message.id === id) return
  throw new Error('the room ended')
}

test('a request that was taken back is not paid, also where that comes while it is confirmed', { timeout: 120_000 }, async () => {
  let confirm = async (): Promise<boolean> => true
  const { rail, bob, atBob, atCarol, alices, bobs, carols, ask } = await three({ confirm: () => confirm() })
  const [first, second, third] = [await ask(), await ask(), await ask()]
  expect(await bobs.cancelled(first)).toBeUndefined()
  const cancel = await alices.cancel(first)
  await arrived(atBob, cancel.message)
  expect(await codeOf(() => bobs.pay(first, { maxFee }))).toBe('CANCELLED')
  // From then on by no other way either.
  expect(await codeOf(() => bob.payments.pay(first, { maxFee }))).toBe('CANCELLED')
  expect((await bobs.cancelled(first))?.notice).toEqual(cancel.notice)

  confirm = async () => {
    await alices.cancel(second)
    await expect.poll(() => bob.payments.list().filter(({ isCancelled }) => isCancelled).length, { timeout: 60_000 }).toBe(2)
    return true
  }
  expect(await codeOf(() => bobs.pay(second, { maxFee }))).toBe('CANCELLED')
  expect(rail.moved()).toBe(0n)

  // Nobody else takes anything back, nor says again that the payee does.
  confirm = async () => true
  expect(await codeOf(() => carols.cancel(third))).toBe('TypeError')
  await arrived(atBob, await atCarol.send(paymentCancelContent.create(cancel.notice.bytes)))
  expect((await bobs.cancelled(first))?.message.id).toBe(cancel.message.id)
  await bobs.pay(third, { maxFee })
  expect(rail.moved()).toBe(100n)
  // It is too late then, and what was paid is paid.
  await arrived(atBob, (await alices.cancel(third)).message)
  await bobs.pay(third, { maxFee })
  expect(rail.moved()).toBe(100n)
})

test('a payment is acknowledged and given back, and everybody sees that it was', { timeout: 120_000 }, async () => {
  const { rail, atAlice, atBob, atCarol, alices, bobs, carols, ask } = await three()
  const request = await ask()
  const { message, receipt } = await bobs.pay(request, { maxFee })
  await arrived(atAlice, message)
  const acked = await alices.ack(request, receipt)
  expect((await alices.ack(request, receipt)).message.id).toBe(acked.message.id)
  expect(await codeOf(() => alices.ack(request, { ...receipt, hash: new Uint8Array(32) }))).toBe('NOT_PAID')

  const back = { money: request.money, payer: request.payee, purpose: 'It was cold' }
  const asked = await bobs.request({ ...back, reference: refundReferenceOf(receipt) })
  const twice = await bobs.request({ ...back, reference: refundReferenceOf(receipt) })
  await arrived(atAlice, twice.message)
  const init = { request, receipt, refundRequest: asked.request }
  const refund = await alices.refund(init, { maxFee })
  expect(await codeOf(() => alices.refund({ ...init, refundRequest: twice.request }, { maxFee }))).toBe('DUPLICATE')
  expect(await codeOf(() => bobs.refund(init, { maxFee }))).toBe('TypeError')
  expect(rail.moved()).toBe(200n)

  // What carol says of it in their names is nothing.
  for (const content of [paymentAckContent.create(acked.notice.bytes), paymentRefundContent.create(refund.notice.bytes)]) await arrived(atBob, await atCarol.send(content))
  await expect
    .poll(async () => (await carols.receipts(request))[0]?.refund?.verification.status, { timeout: 60_000 })
    .toBe('valid')
  const [seen, ...others] = await carols.receipts(request)
  expect(seen).toMatchObject({
    receipt: { hash: receipt.hash },
    verification: { status: 'valid' },
    ack: { message: { author: acked.message.author }, notice: acked.notice },
    refund: { message: { author: acked.message.author }, notice: refund.notice, request: { coreHash: asked.request.coreHash } }
  })
  expect(others).toEqual([])
})

test('nothing is given back by a request that was taken back', { timeout: 120_000 }, async () => {
  const { rail, atAlice, alices, bobs, ask } = await three()
  const request = await ask()
  const { message, receipt } = await bobs.pay(request, { maxFee })
  await arrived(atAlice, message)
  const back = { money: request.money, payer: request.payee, purpose: 'It was cold', reference: refundReferenceOf(receipt) }
  const { request: refundRequest } = await bobs.request(back)
  await arrived(atAlice, (await bobs.cancel(refundRequest)).message)
  expect(await codeOf(() => alices.refund({ request, receipt, refundRequest }, { maxFee }))).toBe('CANCELLED')
  expect(rail.moved()).toBe(100n)
  // Another one for the same is another one.
  const again = await bobs.request(back)
  await arrived(atAlice, again.message)
  await alices.refund({ request, receipt, refundRequest: again.request }, { maxFee })
  expect(rail.moved()).toBe(200n)
})

test('what was paid is known after a restart', async () => {
  const rail = createTestRail()
  const storage = await temporaryFolder()
  const init: PeerInit = { storage, network: local.network, payments: { providers: [rail.createProvider({ balance: 1_000n })], assets: TEST_ASSETS } }
  const alice = await start({ network: local.network, payments: { providers: [rail.createProvider({ balance: 0n })], assets: TEST_ASSETS } })
  const bob = await start(init)
  const room = await bob.rooms.create({ name: 'Tea' })
  const joined = await alice.rooms.join(await room.createInvite({ uses: 1 }), { signal: AbortSignal.timeout(60_000) })
  const { request } = await joined.payments.request({ money: { asset: TEST_ASSET, amount: 100n }, purpose: 'Tea' })
  await room.payments.pay(request, { maxFee })
  await bob.close()
  const again = await start(init)
  expect(again.payments.list()).toMatchObject([{ state: 'paid', attempts: 1 }])
  await again.payments.pay(request, { maxFee })
  expect(rail.moved()).toBe(100n)
})

test('a peer without a wallet asks nobody for money', async () => {
  const peer = await start({ network: local.network })
  const room = await peer.rooms.create({ name: 'Tea' })
  expect(await codeOf(() => room.payments.request({ money: { asset: 'eip155:1/slip44:60', amount: 1n }, purpose: '' }))).toBe('NO_METHOD')
  expect(await peer.payments.recover()).toEqual([])
})
