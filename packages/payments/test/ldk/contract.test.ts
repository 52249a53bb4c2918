import { BOLT11, createBolt11Verifier } from '@covey/payments/bolt11'
import { createGate, createMemoryGateJournal, createMemoryJournal, createPayments, readReceipt, readRequest } from '@covey/payments'
import { createLdkProvider } from '@covey/payments/ldk'
import { providerContract } from '@covey/payments/testing'
import { describe, expect, test } from 'vitest'
import { MSAT, person, ROOM } from '../support/people.js'
import { codeOf, openPair } from './support.js'

describe('the provider of an embedded node', () => {
  let pair: ReturnType<typeof openPair> | undefined

  const world = async () => {
    const { payer, payee } = await (pair ??= openPair())
    const held = payer.channels()[0]!.outboundMsat
    return {
      payee: createLdkProvider(payee),
      payer: createLdkProvider(payer),
      asset: MSAT,
      amount: 5_000n,
      maxFee: 0n,
      tooMuch: 2_000_000_000n,
      received: async () => held - payer.channels()[0]!.outboundMsat,
      close: async () => undefined
    }
  }

  // One pair for all of them: see below.
  test('passes the contract', async () => {
    for (const { name, run } of providerContract(world)) {
      await run().catch((cause: unknown) => {
        throw new Error(name, { cause })
      })
    }
  })
})

test('an invoice is asked for by one, paid by another, and verified by a third who has no wallet', async () => {
  const { payer, payee } = await openPair()
  const [alice, bob, carol] = await Promise.all([person(), person(), person()])
  const wallet = (signer: typeof alice, node: typeof payer) =>
    createPayments({ signer, journal: createMemoryJournal(), providers: [createLdkProvider(node)] })
  const request = await wallet(alice, payee).request({ room: ROOM, money: { asset: MSAT, amount: 21_000n }, purpose: 'Tea' })
  expect(request.methods.map(({ type }) => type)).toEqual([BOLT11])

  const received = readRequest(request.bytes, { room: ROOM, atMs: Date.now() })
  if (!received.ok) throw received.error
  const bobs = wallet(bob, payer)
  const receipt = await bobs.pay(received.value, { maxFee: { asset: MSAT, amount: 0n } })
  expect((await bobs.pay(received.value, { maxFee: { asset: MSAT, amount: 0n } })).proof).toEqual(receipt.proof)
  expect(payer.channels()[0]!.outboundMsat).toBe(989_979_000n)

  const watcher = createPayments({ signer: carol, journal: createMemoryJournal(), providers: [createBolt11Verifier()] })
  const seen = readReceipt(receipt.bytes, { request, atMs: Date.now() })
  if (!seen.ok) throw seen.error
  expect(await watcher.verify(request, seen.value)).toMatchObject({ status: 'valid', level: 'preimage' })
  expect(await codeOf(watcher.pay(request, { maxFee: { asset: MSAT, amount: 0n } }))).toBe('NO_METHOD')

  // A payee that takes longer than is waited for.
  const second = await wallet(alice, payee).request({ room: ROOM, money: { asset: MSAT, amount: 2_000n }, purpose: 'Tea' })
  const hasty = createPayments({ signer: bob, journal: createMemoryJournal(), providers: [createLdkProvider(payer, { pendingAfterMs: 1 })] })
  const settled = payer.once('payment')
  expect(await codeOf(hasty.pay(second, { maxFee: { asset: MSAT, amount: 0n } }))).toBe('UNKNOWN_OUTCOME')
  await settled
  expect(await hasty.recover()).toMatchObject([{ state: 'paid' }])
  expect(payer.channels()[0]!.outboundMsat).toBe(989_977_000n)
})

test('a look-up says for good what was never sent, and nothing of what another node did', async () => {
  const { payer, payee } = await openPair()
  const bob = await person()
  const [paying, asking] = [createLdkProvider(payer), createLdkProvider(payee)]
  const payments = createPayments({ signer: bob, journal: createMemoryJournal(), providers: [asking] })
  const request = await payments.request({ room: ROOM, money: { asset: MSAT, amount: 1_000n }, purpose: 'Tea' })
  const order = { request, method: request.methods[0]! }
  const { destination } = await paying.quote(order)
  const options = { payer: bob.identity.publicKey, resend: true }
  const handle = (node: Uint8Array): Uint8Array => Uint8Array.from([...node, ...destination])
  expect((await paying.lookup(order, handle(payer.id), options)).status).toBe('failed')
  expect((await paying.lookup(order, handle(payee.id), options)).status).toBe('unknown')
  expect((await paying.lookup(order, new Uint8Array(), options)).status).toBe('unknown')
})

test('a gate opens when the node has the money, whoever shows what', async () => {
  const { payer, payee } = await openPair()
  const [alice, bob] = await Promise.all([person(), person()])
  const wallet = (signer: typeof alice, node: typeof payer) =>
    createPayments({ signer, journal: createMemoryJournal(), providers: [createLdkProvider(node)] })
  const gate = createGate({
    payments: wallet(alice, payee),
    journal: createMemoryGateJournal(),
    room: ROOM,
    name: 'tea',
    purpose: 'A cup of tea',
    price: { asset: MSAT, amount: 21_000n },
    grant: async () => Uint8Array.of(1)
  })
  const request = await gate.ask(bob.identity.publicKey)
  expect(await codeOf(gate.open(request.coreHash))).toBe('NOT_PAID')
  const received = payee.once('received')
  await wallet(bob, payer).pay(request, { maxFee: { asset: MSAT, amount: 0n } })
  await received
  expect(await gate.open(request.coreHash)).toMatchObject({ payer: bob.identity.publicKey, grant: Uint8Array.of(1) })
})
