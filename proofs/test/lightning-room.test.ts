import { paymentReceiptContent, paymentRequestContent } from '@covey/payments'
import { createBolt11Verifier } from '@covey/payments/bolt11'
import { createLdkProvider } from '@covey/payments/ldk'
import { decodeKey } from '@covey/core'
import type { Message, Room } from 'covey'
import { expect, test } from 'vitest'
import { openPair } from '../../packages/payments/test/ldk/support.js'
import { start, useLocalNetwork } from '../../packages/covey/test/support.js'

const local = useLocalNetwork()
const asset = 'lightning:bcrt/slip44:0'

/** The first message of this type that has a place in the room. */
async function receive(room: Room, type: string): Promise<Message> {
  for await (const message of room.messages({ live: true, pending: false })) if (message.content?.type === type) return message
  throw new Error('the room ended')
}

test('an invoice is asked for in a room, paid over a channel, and verified by a member who has no wallet', { timeout: 120_000 }, async () => {
  const { payer, payee } = await openPair()
  const { network } = local
  const alice = await start({ network, name: 'Alice', payments: { providers: [createLdkProvider(payee)] } })
  const bob = await start({ network, name: 'Bob', payments: { providers: [createLdkProvider(payer)] } })
  const carol = await start({ network, name: 'Carol', payments: { providers: [createBolt11Verifier()] } })
  const atAlice = await alice.rooms.create({ name: 'Tea' })
  const signal = AbortSignal.timeout(60_000)
  const atBob = await bob.rooms.join(await atAlice.createInvite({ uses: 1 }), { signal })
  const atCarol = await carol.rooms.join(await atAlice.createInvite({ uses: 1 }), { signal })

  const init = { money: { asset, amount: 21_000n }, purpose: 'Tea for two', payer: decodeKey(bob.identity.id) }
  const asked = await atAlice.payments.request(init)
  const request = atBob.payments.read(await receive(atBob, paymentRequestContent.name))!
  const { receipt } = await atBob.payments.pay(request, { maxFee: { asset, amount: 0n } })
  // What was paid has moved from one node to the other, and no more.
  expect(payer.channels()[0]!.outboundMsat).toBe(989_979_000n)

  await receive(atAlice, paymentReceiptContent.name)
  const { notice } = await atAlice.payments.ack(asked.request, receipt)
  await receive(atCarol, paymentReceiptContent.name)
  const seen = atCarol.payments.read(await receive(atCarol, paymentRequestContent.name))!
  await expect.poll(async () => (await atCarol.payments.receipts(seen))[0]?.ack?.notice, { timeout: 60_000 }).toEqual(notice)
  const receipts = await atCarol.payments.receipts(seen)
  expect(receipts).toMatchObject([
    { message: { author: bob.identity.id }, receipt: { hash: receipt.hash }, verification: { status: 'valid', level: 'preimage' }, ack: { message: { author: alice.identity.id } } }
  ])
})
