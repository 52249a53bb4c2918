import { expect, test } from 'vitest'
import { paymentReceiptContent, paymentRequestContent } from '@covey/payments'
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
  await alice.payments.in(atAlice).request({ money: { asset: TEST_ASSET, amount: 100n }, purpose: 'Tea for two', payer })
  const asked = await receive(atBob, paymentRequestContent.name)
  const request = bob.payments.in(atBob).read(asked)!
  expect(request).toMatchObject({ purpose: 'Tea for two', payee: decodeKey(alice.identity.id), money: { amount: 100n } })
  await Promise.all([1, 2].map(() => bob.payments.in(atBob).pay(request, { maxFee })))
  expect(rail.moved()).toBe(100n)

  await receive(atCarol, paymentReceiptContent.name)
  const seen = carol.payments.in(atCarol).read(await receive(atCarol, paymentRequestContent.name))!
  // What came ahead of the log is shown live, and has no place in the order yet.
  await expect.poll(() => carol.payments.in(atCarol).receipts(seen), { timeout: 30_000 }).not.toHaveLength(0)
  const [first] = await carol.payments.in(atCarol).receipts(seen)
  expect(first).toMatchObject({ message: { author: bob.identity.id }, verification: { status: 'valid', level: 'preimage' } })

  // What somebody else has asked for, or paid, is nobody's to send on as their own.
  const again = await atCarol.send(asked.content!)
  expect(carol.payments.in(atCarol).read(again)).toBeUndefined()
  await atCarol.send(first!.message.content!)
  const receipts = await carol.payments.in(atCarol).receipts(seen)
  expect(receipts.every(({ message }) => message.author === bob.identity.id)).toBe(true)
  expect(receipts.filter(({ verification }) => verification.status === 'valid')).toHaveLength(1)
  // And in another room it is nothing.
  const elsewhere = await carol.rooms.create({ name: 'Coffee' })
  expect(carol.payments.in(elsewhere).read(asked)).toBeUndefined()
  expect(await codeOf(() => bob.payments.in(elsewhere).pay(request, { maxFee }))).toBe('MESSAGE_WRONG_ROOM')
})

test('what was paid is known after a restart', async () => {
  const rail = createTestRail()
  const storage = await temporaryFolder()
  const init: PeerInit = { storage, network: local.network, payments: { providers: [rail.createProvider({ balance: 1_000n })], assets: TEST_ASSETS } }
  const alice = await start({ network: local.network, payments: { providers: [rail.createProvider({ balance: 0n })], assets: TEST_ASSETS } })
  const bob = await start(init)
  const room = await bob.rooms.create({ name: 'Tea' })
  const joined = await alice.rooms.join(await room.createInvite({ uses: 1 }), { signal: AbortSignal.timeout(60_000) })
  const { request } = await alice.payments.in(joined).request({ money: { asset: TEST_ASSET, amount: 100n }, purpose: 'Tea' })
  await bob.payments.in(room).pay(request, { maxFee })
  await bob.close()
  const again = await start(init)
  expect(again.payments.list()).toMatchObject([{ state: 'paid', attempts: 1 }])
  await again.payments.pay(request, { maxFee })
  expect(rail.moved()).toBe(100n)
})

test('a peer without a wallet asks nobody for money', async () => {
  const peer = await start({ network: local.network })
  const room = await peer.rooms.create({ name: 'Tea' })
  expect(await codeOf(() => peer.payments.in(room).request({ money: { asset: 'eip155:1/slip44:60', amount: 1n }, purpose: '' }))).toBe('NO_METHOD')
  expect(await peer.payments.recover()).toEqual([])
})
