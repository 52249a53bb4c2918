import { createHash, randomBytes } from 'node:crypto'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeBolt11 } from '@covey/payments/bolt11'
import { createEsploraChain } from '@covey/payments/ldk'
import { expect, test } from 'vitest'
import { serveEsplora } from './esplora-server.js'
import { FakeChain, fundingTx } from './fake-chain.js'
import { codeOf, folder, invoiceOf, later, link, openChannel, openPair, PAYOUT, startNode } from './support.js'

const FREE = { maxFeeMsat: 0n }

function decodeHash(invoice: string): Uint8Array {
  const decoded = decodeBolt11(invoice)
  if (!decoded.ok) throw decoded.error
  return decoded.value.paymentHash
}

test('an invoice is paid over a channel, and the preimage is the proof', async () => {
  const { payer, payee } = await openPair()
  const invoice = await invoiceOf(payee, 21_000n)
  const received = payee.once('received')
  expect(await payer.quoteInvoice(invoice)).toBe(0n)
  const payment = await payer.payInvoice(invoice, FREE)
  expect(payment).toMatchObject({ status: 'paid', amountMsat: 21_000n, feeMsat: 0n, code: null })
  expect(createHash('sha256').update(payment.preimage!).digest()).toEqual(Buffer.from(payment.paymentHash))
  expect(await received).toEqual({ paymentHash: payment.paymentHash, amountMsat: 21_000n })
  expect(payee.received(payment.paymentHash)).toBe(21_000n)
  expect(payer.payment(payment.paymentHash)).toEqual(payment)
})

test('an invoice is paid once, however often and by whomever it is tried', async () => {
  const { chain, payer, payee } = await openPair()
  const invoice = await invoiceOf(payee, 50_000n)
  const [first, second] = await Promise.all([payer.payInvoice(invoice, FREE), payer.payInvoice(invoice, FREE)])
  expect(second).toEqual(first)
  expect(await payer.payInvoice(invoice, FREE)).toEqual(first)
  expect(payee.channels()[0]!.outboundMsat).toBe(0n)
  // Another node pays what was paid: the payee takes no money twice.
  const other = await startNode(chain)
  await link(other, payee)
  await openChannel(chain, other, payee)
  const again = await other.payInvoice(invoice, FREE)
  expect([again.status, other.payment(first.paymentHash)?.status, payee.received(first.paymentHash)]).toEqual(['failed', 'failed', 50_000n])
  expect(other.channels()[0]!.outboundMsat).toBe(990_000_000n)
})

test('what cannot or must not be paid is refused, and nothing is sent', async () => {
  let now = Date.now()
  const { chain, payer, payee } = await openPair({ payer: { now: () => now } })
  expect(await codeOf(payer.payInvoice('lnbcrt1nonsense', FREE))).toBe('INVOICE_MALFORMED')
  expect(await codeOf(payer.payInvoice('x'.repeat(100_000), FREE))).toBe('INVOICE_MALFORMED')
  expect(await codeOf(payer.payInvoice(await invoiceOf(payee, 2_000_000_000n), FREE))).toBe('INSUFFICIENT_FUNDS')
  const elsewhere = await startNode(chain, { network: 'signet' })
  expect(await codeOf(payer.payInvoice(await invoiceOf(elsewhere, 1_000n), FREE))).toBe('INVOICE_MALFORMED')
  const stranger = await startNode(chain)
  expect(await codeOf(payer.payInvoice(await invoiceOf(stranger, 1_000n), FREE))).toBe('NO_ROUTE')
  const invoice = await invoiceOf(payee, 1_000n, 60_000)
  // LDK itself would pay it: it counts by the blocks that it has seen.
  now += 61_000
  expect(await codeOf(payer.payInvoice(invoice, FREE))).toBe('EXPIRED')
  for (const options of [{}, { maxFeeMsat: 1 }, { maxFeeMsat: -1n }]) {
    await expect(payer.payInvoice(invoice, options as never)).rejects.toThrow(/^options.maxFeeMsat must be/)
  }
  await expect(payer.connect(new Uint8Array(33), {} as never)).rejects.toThrow(/^peer must be the id of a node/)
  await expect(payee.createInvoice({ amountMsat: 0n, descriptionHash: new Uint8Array(32), expiresInMs: 1 })).rejects.toThrow(/^init.amountMsat must/)
  expect(payer.channels()[0]!.outboundMsat).toBe(990_000_000n)
  // And it is well.
  now -= 61_000
  expect((await payer.payInvoice(invoice, FREE)).status).toBe('paid')
})

test('an aborted call ends, and the payment does not', async () => {
  const { payer, payee } = await openPair()
  const invoice = await invoiceOf(payee, 1_000n)
  const settled = payer.once('payment')
  const abort = new AbortController()
  const paying = payer.payInvoice(invoice, { ...FREE, signal: abort.signal })
  abort.abort(new Error('enough'))
  await expect(paying).rejects.toThrow('enough')
  // It is not written down yet that it was sent; that it was not would be no answer.
  expect(payer.payment(decodeHash(invoice))?.status).toBe('pending')
  expect((await settled).status).toBe('paid')
  expect((await payer.payInvoice(invoice, FREE)).preimage).toEqual((await settled).preimage)
  expect(payer.channels()[0]!.outboundMsat).toBe(989_999_000n)
})

test('after a restart the channel is there, and what was paid is known', async () => {
  const seed = randomBytes(32)
  const storage = await folder()
  const { chain, payer, payee } = await openPair({ payer: { seed, storage } })
  const invoice = await invoiceOf(payee, 70_000n)
  const before = await payer.payInvoice(invoice, FREE)
  expect(await codeOf(startNode(chain, { seed, storage }))).toBe('WALLET_STATE_LOCKED')
  await payer.close()
  expect(await codeOf(payer.payInvoice(invoice, FREE))).toBe('PAYMENTS_CLOSED')

  expect(await codeOf(startNode(chain, { storage }))).toBe('WALLET_STATE_DAMAGED')
  const copy = join(await folder(), 'copy')
  await cp(storage, copy, { recursive: true })
  expect(await codeOf(startNode(chain, { seed, storage: copy }))).toBe('WALLET_STATE_MOVED')

  const again = await startNode(chain, { seed, storage })
  expect(again.id).toEqual(payer.id)
  expect(await again.payInvoice(invoice, FREE)).toEqual(before)
  await link(again, payee)
  expect((await again.payInvoice(await invoiceOf(payee, 5_000n), FREE)).status).toBe('paid')
  expect(again.channels()).toMatchObject([{ isUsable: true, outboundMsat: 989_925_000n }])
})

test('a node that cannot write stops, and nothing of it leaves', async () => {
  const storage = await folder()
  const { payer, payee } = await openPair({ payer: { storage } })
  const invoice = await invoiceOf(payee, 1_000n)
  await mkdir(join(storage, 'state.tmp'))
  const stopped = payer.once('error')
  expect(await codeOf(payer.payInvoice(invoice, FREE))).toBe('UNKNOWN_OUTCOME')
  expect((await stopped).code).toBe('WALLET_FAILED')
  expect(payer.payment(decodeHash(invoice))?.status).toBe('pending')
  expect(await codeOf(payer.createInvoice({ amountMsat: 1n, descriptionHash: new Uint8Array(32), expiresInMs: 1_000 }))).toBe('WALLET_FAILED')
  await payee.sync()
  expect(payee.channels()[0]!.inboundMsat).toBe(990_000_000n)
})

test('what was written before the disk failed goes on after a restart, and was never called failed', async () => {
  let isBroken = false
  let generation = 0
  const witness = {
    load: async () => generation,
    // After the state is in force.
    store: async (next: number) => {
      if (isBroken) throw new Error('the other disk is gone')
      generation = next
    }
  }
  const [seed, storage] = [randomBytes(32), await folder()]
  const { chain, payer, payee } = await openPair({ payer: { seed, storage, witness } })
  const invoice = await invoiceOf(payee, 1_000n)
  isBroken = true
  const stopped = payer.once('error')
  expect(await codeOf(payer.payInvoice(invoice, FREE))).toBe('UNKNOWN_OUTCOME')
  expect((await stopped).code).toBe('WALLET_FAILED')
  expect(payer.payment(decodeHash(invoice))?.status).toBe('pending')
  await payer.close()
  isBroken = false
  const again = await startNode(chain, { seed, storage, witness })
  const paid = again.once('payment')
  await link(again, payee)
  expect(await paid).toMatchObject({ status: 'paid', amountMsat: 1_000n })
  expect(payee.received(decodeHash(invoice))).toBe(1_000n)
})

test('a channel that is closed pays out, and the money goes where it was told to', async () => {
  const { chain, payer, payee } = await openPair()
  await payer.payInvoice(await invoiceOf(payee, 400_000_000n), FREE)
  const broadcast = chain.nextBroadcast()
  const closed = payer.once('channelClosed')
  await payer.closeChannel(payer.channels()[0]!.id)
  await broadcast
  expect((await closed).reason).toMatch(/CooperativeClosure$/)
  expect(await codeOf(payer.closeChannel('00'.repeat(32)))).toBe('CHANNEL_FAILED')
  const swept: string[] = []
  for (let blocks = 0; blocks < 8 && swept.length < 2; blocks++) {
    chain.mine(6)
    await Promise.all([payer.sync(), payee.sync()])
    swept.splice(0, 2, ...chain.paidTo(PAYOUT).map(String))
  }
  // Both were given the same script: what is left of 600,000 and 400,000 satoshis after fees.
  expect(swept.map(Number).sort((a, b) => a - b)).toEqual([expect.closeTo(400_000, -4), expect.closeTo(600_000, -4)])
})

test('nothing is opened with who does not want it, and nothing is funded by who does not pay', async () => {
  const chain = new FakeChain()
  const [alice, bob] = [await startNode(chain), await startNode(chain)]
  await link(alice, bob)
  const unused = { peer: bob.id, amountSat: 100_000n, fund: () => Promise.reject(new Error('no wallet here')) }
  expect(await codeOf(alice.openChannel(unused))).toBe('CHANNEL_FAILED')
  const carol = await startNode(chain, { acceptChannel: ({ amountSat }) => amountSat === 100_000n })
  await link(alice, carol)
  expect(await codeOf(alice.openChannel({ ...unused, peer: carol.id }))).toBe('Error: no wallet here')
  expect([alice.channels(), bob.channels(), chain.broadcasts]).toEqual([[], [], []])
})

test('a chain that goes back, is silent, or is told by an Esplora server', async () => {
  const chain = new FakeChain()
  const server = await serveEsplora(chain)
  later(server.close)
  const esplora = createEsploraChain(server.url)
  const payer = await startNode(chain, { chain: esplora })
  const payee = await startNode(chain, { chain: esplora, acceptChannel: () => true })
  await link(payer, payee)
  await openChannel(chain, payer, payee)
  chain.reorganise(3)
  chain.mine(4)
  await Promise.all([payer.sync(), payee.sync()])
  chain.isDown = true
  expect(await codeOf(payer.sync())).toBe('PROVIDER_UNAVAILABLE')
  // Payments need no chain.
  expect((await payer.payInvoice(await invoiceOf(payee, 1_000n), FREE)).status).toBe('paid')
})

test('a server that lies is not believed where that can be seen', async () => {
  const chain = new FakeChain()
  const lies = new Map<string, string>()
  const server = await serveEsplora(chain, (path) => [...lies].find(([part]) => path.includes(part))?.[1])
  later(server.close)
  const payer = await startNode(chain, { chain: createEsploraChain(server.url) })
  const payee = await startNode(chain, { acceptChannel: () => true })
  await link(payer, payee)
  await openChannel(chain, payer, payee)
  const told: [string, string, string][] = [
    ['/header', '00'.repeat(80), 'PROVIDER_INVALID'],
    ['/header', 'no header', 'PROVIDER_INVALID'],
    ['/tip/hash', 'f'.repeat(63), 'PROVIDER_INVALID'],
    ['/status', '{"height":-1}', 'PROVIDER_INVALID'],
    ['/status', '{"height":1e300}', 'PROVIDER_INVALID'],
    ['/status', '[]]', 'PROVIDER_INVALID'],
    ['/outspend/', '{"spent":true,"txid":"../../block"}', 'PROVIDER_INVALID'],
    ['/fee-estimates', 'null', 'PROVIDER_INVALID']
  ]
  for (const [part, lie, code] of told) {
    chain.mine()
    lies.clear()
    lies.set(part, lie)
    expect(await codeOf(payer.sync()), lie).toBe(code)
  }
  // The channel is said to be spent, by a transaction that is none of it: its inputs are other ones.
  lies.clear()
  const other = fundingTx(PAYOUT, 1_000n)
  await chain.broadcast(other)
  chain.mine()
  lies.set('/outspend/', JSON.stringify({ spent: true, txid: chain.broadcasts.at(-1) }))
  await payer.sync()
  lies.clear()
  await payer.sync()
  expect(payer.channels()).toMatchObject([{ isUsable: true, outboundMsat: 990_000_000n }])
  expect((await payer.payInvoice(await invoiceOf(payee, 1_000n), FREE)).status).toBe('paid')
})

test('bytes that are no Lightning end their link, and nothing else', async () => {
  const { payer, payee } = await openPair()
  for (const length of [1, 50, 66, 100_000]) {
    let isClosed = false
    await payee.accept({
      incoming: (async function* () {
        yield randomBytes(length)
      })(),
      send: async () => undefined,
      close: () => {
        isClosed = true
      }
    })
    await Promise.resolve()
    expect(isClosed).toBe(true)
  }
  expect(await codeOf(payer.connect(payee.id, { incoming: (async function* () {})(), send: async () => undefined, close: () => undefined }))).toBe('none')
  expect((await payer.payInvoice(await invoiceOf(payee, 1_000n), FREE)).status).toBe('paid')
})
