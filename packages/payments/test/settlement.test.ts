import { describe, expect, test } from 'vitest'
import {
  createMemoryJournal,
  createPayments,
  isPaymentUnsettled,
  PaymentError,
  readNotice,
  refundReferenceOf,
  signNotice,
  signReceipt,
  type PaymentProvider,
  type PaymentReceipt,
  type PaymentRequest,
  type Payments
} from '@covey/payments'
import { createTestRail, TEST_ASSET, TEST_ASSETS } from '@covey/payments/testing'
import type { LocalIdentity } from '@covey/identity'
import { ask, codeOf, NOW, person, ROOM } from './support/people.js'

const [alice, bob, carol, mallory] = await Promise.all([person(), person(), person(), person()])
const maxFee = { asset: TEST_ASSET, amount: 1n }
const money = { asset: TEST_ASSET, amount: 100n }
const tea = { room: ROOM, money, purpose: 'Tea', payer: bob.identity.publicKey }

type Change = (provider: PaymentProvider) => Partial<PaymentProvider>

/** Alice asks and bob pays; both can do both. `again` is bob's wallet after a restart, with a provider that does as it should. */
function world(change: Change = () => ({})) {
  const rail = createTestRail()
  const [alices, bobs] = [rail.createProvider({ balance: 1_000n }), rail.createProvider({ balance: 1_000n })]
  const wallet = (signer: LocalIdentity, provider: PaymentProvider, journal = createMemoryJournal()): Payments =>
    createPayments({ signer, journal, providers: [provider], assets: TEST_ASSETS })
  const journal = createMemoryJournal()
  return {
    rail,
    journal,
    payee: wallet(alice, alices),
    payer: wallet(bob, { ...bobs, ...change(bobs) }, journal),
    again: () => wallet(bob, bobs, journal),
    watcher: wallet(carol, rail.createProvider({ balance: 0n }))
  }
}

describe('a request that was taken back', () => {
  test('is not paid from then on, also after a restart', async () => {
    const { rail, payee, payer, again, journal } = world()
    const request = await payee.request(tea)
    const { bytes } = payee.cancel(request)
    expect(await payer.heedCancel(request, bytes)).toBe(true)
    expect(await payer.heedCancel(request, bytes)).toBe(true)
    for (const wallet of [payer, again()]) expect(await codeOf(() => wallet.pay(request, { maxFee }))).toBe('CANCELLED')
    expect(await again().recover()).toEqual([])
    expect(journal.list()).toMatchObject([{ state: 'failed', attempts: 0, isCancelled: true }])
    // Another request of the same payee is another request.
    await payer.pay(await payee.request(tea), { maxFee })
    expect(rail.moved()).toBe(100n)
  })

  test('was taken back by its payee, or not at all', async () => {
    const { rail, payee, payer } = world()
    const [request, other] = [await payee.request(tea), await payee.request(tea)]
    expect(() => payer.cancel(request)).toThrow('signer must be the payee')
    const forged = signNotice(mallory, { ...request, payee: mallory.identity.publicKey }, { kind: 'cancel' })
    const acked = signNotice(alice, request, { kind: 'ack', receipt: new Uint8Array(32) })
    for (const { bytes } of [forged, acked, payee.cancel(other)]) expect(await codeOf(() => payer.heedCancel(request, bytes))).toMatch(/^MESSAGE_/)
    expect(await codeOf(() => payer.heedCancel(request, new Uint8Array()))).toBe('MESSAGE_MALFORMED')
    await payer.pay(request, { maxFee })
    expect(rail.moved()).toBe(100n)
  })

  test.each<[string, (stop: () => Promise<void>) => Change]>([
    ['it is confirmed', (stop) => ({ quote }) => ({ quote: async (order) => (await stop(), quote(order)) })],
    ['it is about to be sent', (stop) => ({ pay }) => ({ pay: async (order, options) => (await stop(), pay(order, options)) })],
    ['it is being saved', (stop) => ({ pay }) => ({
      pay: (order, options) => pay(order, { ...options, save: (handle) => (void stop(), options.save(handle)) })
    })]
  ])('while %s: nothing is sent', async (_, change) => {
    let inTime: boolean | undefined
    const asked: PaymentRequest[] = []
    const made = world(change(async () => void (inTime = await made.payer.heedCancel(asked[0]!, made.payee.cancel(asked[0]!).bytes))))
    const { rail, payee, payer, journal } = made
    const request = await payee.request(tea)
    asked.push(request)
    expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('CANCELLED')
    expect([inTime, rail.moved()]).toEqual([true, 0n])
    expect(journal.list()).toMatchObject([{ state: 'failed', isCancelled: true }])
  })

  test('is paid where that was sent before, and the payer is told so', async () => {
    let inTime: boolean | undefined
    const asked: PaymentRequest[] = []
    const made = world(({ pay }) => ({
      pay: (order, options) =>
        pay(order, {
          ...options,
          async save(handle) {
            await options.save(handle)
            inTime = await made.payer.heedCancel(asked[0]!, made.payee.cancel(asked[0]!).bytes)
          }
        })
    }))
    const request = await made.payee.request(tea)
    asked.push(request)
    const receipt = await made.payer.pay(request, { maxFee })
    expect([inTime, made.rail.moved()]).toEqual([false, 100n])
    expect((await made.payee.verify(request, receipt)).status).toBe('valid')
    // What was paid gives its receipt, whatever came later.
    expect((await made.again().pay(request, { maxFee })).proof).toEqual(receipt.proof)
  })

  test('and was sent without arriving, is neither sent again nor begun anew', async () => {
    const resends: boolean[] = []
    const { rail, payee, payer } = world(({ lookup }) => ({
      async pay(order, options) {
        await options.save(order.method.data.slice(0, 32))
        throw new Error('the connection broke')
      },
      lookup: (order, handle, options) => (resends.push(options.resend), lookup(order, handle, options))
    }))
    const request = await payee.request(tea)
    expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('UNKNOWN_OUTCOME')
    expect(await payer.heedCancel(request, payee.cancel(request).bytes)).toBe(false)
    expect(await payer.recover()).toMatchObject([{ state: 'failed', receipt: null }])
    expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('CANCELLED')
    expect([rail.moved(), resends]).toEqual([0n, [false]])
  })

  test('is told of where that cannot be written down', async () => {
    const { rail, journal, payee, payer } = world()
    const request = await payee.request(tea)
    const put = journal.put
    journal.put = () => Promise.reject(new PaymentError('JOURNAL_FAILED', 'The disk is full.'))
    expect(await codeOf(() => payer.heedCancel(request, payee.cancel(request).bytes))).toBe('JOURNAL_FAILED')
    journal.put = put
    await payer.close()
    expect(await codeOf(() => payer.heedCancel(request, payee.cancel(request).bytes))).toBe('PAYMENTS_CLOSED')
    expect(rail.moved()).toBe(0n)
  })
})

describe('an ack', () => {
  test('is given for what was paid', async () => {
    const { payee, payer } = world()
    const request = await payee.request(tea)
    const receipt = await payer.pay(request, { maxFee })
    const { bytes } = await payee.ack(request, receipt)
    expect(readNotice(bytes, { kind: 'ack', request, atMs: Date.now() })).toMatchObject({ ok: true, value: { receipt: receipt.hash } })
    expect(await codeOf(() => payer.ack(request, receipt))).toBe('TypeError')
  })

  test('is not given for what was not, or is not known to be', async () => {
    const { payee } = world()
    const request = await payee.request(tea)
    const forged = signReceipt(bob, request, { method: 'test', proof: new Uint8Array(32) })
    await expect(payee.ack(request, forged)).rejects.toMatchObject({ code: 'NOT_PAID', retryable: false })
    const none = createPayments({ signer: alice, journal: createMemoryJournal(), providers: [] })
    await expect(none.ack(request, forged)).rejects.toMatchObject({ code: 'NOT_PAID', retryable: true })
    expect(await codeOf(() => payee.ack(ask(alice), forged))).toBe('MESSAGE_MISMATCH')
  })
})

describe('a refund', () => {
  async function paid(change: Partial<typeof tea> = {}) {
    const made = world()
    const request = await made.payee.request({ ...tea, ...change })
    const receipt = await made.payer.pay(request, { maxFee })
    const askBack = (of: PaymentReceipt = receipt, init: object = {}): Promise<PaymentRequest> =>
      made.payer.request({ room: ROOM, money, payer: alice.identity.publicKey, purpose: 'It was cold', reference: refundReferenceOf(of), ...init })
    return { ...made, request, receipt, askBack }
  }

  test('gives back what was paid, once, and anybody can verify it', async () => {
    const { rail, payee, watcher, request, receipt, askBack } = await paid()
    const refundRequest = await askBack()
    const [first, second] = await Promise.all([1, 2].map(() => payee.refund({ request, receipt, refundRequest }, { maxFee })))
    expect(second!.receipt.proof).toEqual(first!.receipt.proof)
    expect([rail.moved(), payee.list().length]).toEqual([200n, 1])
    const claim = { request, receipt, refundRequest, notice: first!.notice, refundReceipt: first!.receipt }
    expect(await watcher.verifyRefund(claim)).toMatchObject({ status: 'valid', level: 'preimage' })
    // Nothing else is one: the payment shown as its own refund, the word of somebody else, a proof that is none.
    const others = [
      { refundReceipt: receipt },
      { notice: signNotice(alice, request, { kind: 'ack', receipt: receipt.hash }) },
      { notice: signNotice(alice, request, { kind: 'refund', receipt: new Uint8Array(32), refundRequest: refundRequest.coreHash }) },
      { notice: signNotice(alice, request, { kind: 'refund', receipt: receipt.hash, refundRequest: request.coreHash }) },
      { refundReceipt: signReceipt(alice, refundRequest, { method: 'test', proof: new Uint8Array(32) }) },
      { refundRequest: ask(mallory, { payer: alice.identity.publicKey, reference: refundReferenceOf(receipt) }) }
    ]
    for (const change of others) expect((await watcher.verifyRefund({ ...claim, ...change })).status).toBe('invalid')
  })

  test('is made once for each payment, whatever its receipt and the request for it', async () => {
    const { rail, payee, request, receipt, askBack } = await paid()
    const again = signReceipt(bob, request, { method: 'test', proof: receipt.proof, createdMs: receipt.createdMs + 1 })
    const claims = [receipt, receipt, again].map(async (of) => ({ request, receipt: of, refundRequest: await askBack(of) }))
    const codes = await Promise.all(claims.map(async (claim) => codeOf(async () => payee.refund(await claim, { maxFee }))))
    expect(new Set(codes)).toEqual(new Set(['DUPLICATE', null]))
    expect(codes.filter((code) => code === null)).toHaveLength(1)
    expect(rail.moved()).toBe(200n)
  })

  test.each<[string, object]>([
    ['more than was paid', { money: { asset: TEST_ASSET, amount: 101n } }],
    ['from somebody else', { payer: carol.identity.publicKey }],
    ['from anybody', { payer: undefined }],
    ['for another receipt', { reference: refundReferenceOf({ hash: new Uint8Array(32) }) }],
    ['in another room', { room: new Uint8Array(32) }]
  ])('is not made where the payer asks %s', async (_, init) => {
    const { rail, payee, request, receipt, askBack } = await paid()
    const refundRequest = await askBack(receipt, init)
    expect(await codeOf(() => payee.refund({ request, receipt, refundRequest }, { maxFee }))).toMatch(/^MESSAGE_(?:MISMATCH|WRONG_ROOM)$/)
    expect(rail.moved()).toBe(100n)
  })

  test('goes to who has paid, and only where somebody has', async () => {
    const { rail, payee, request, receipt, askBack } = await paid()
    const others = ask(mallory, { payer: alice.identity.publicKey, money, reference: refundReferenceOf(receipt), createdMs: Date.now() })
    expect(await codeOf(() => payee.refund({ request, receipt, refundRequest: others }, { maxFee }))).toBe('MESSAGE_MISMATCH')
    const forged = signReceipt(bob, request, { method: 'test', proof: new Uint8Array(32) })
    expect(await codeOf(async () => payee.refund({ request, receipt: forged, refundRequest: await askBack(forged) }, { maxFee }))).toBe('NOT_PAID')
    expect(rail.moved()).toBe(100n)
    // Of a request for anybody the proof does not say whose it was.
    const open = await paid({ payer: undefined as never })
    expect(await codeOf(async () => open.payee.refund({ ...open, refundRequest: await open.askBack() } as never, { maxFee }))).toBe('TypeError')
    const { request: asked, receipt: shown } = open
    expect(await codeOf(async () => open.payee.refund({ request: asked, receipt: shown, refundRequest: await open.askBack() }, { maxFee }))).toBe('NOT_PAID')
    expect(open.rail.moved()).toBe(100n)
  })
})

describe('what a provider or a disk does wrong', () => {
  test('a payment that was made and could not be written down is not settled, and not made again', async () => {
    const { rail, journal, payee, payer } = world()
    const request = await payee.request(tea)
    const put = journal.put
    journal.put = (entry) => (entry.state === 'paid' ? Promise.reject(new PaymentError('JOURNAL_FAILED', 'The disk is full.')) : put(entry))
    const failure: unknown = await payer.pay(request, { maxFee }).catch((error: unknown) => error)
    expect(isPaymentUnsettled(failure)).toBe(true)
    journal.put = put
    await payer.pay(request, { maxFee })
    expect(rail.moved()).toBe(100n)
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a status that there is not', { status: 'done' }],
    ['no proof', { status: 'paid' }],
    ['a proof that is too long', { status: 'paid', proof: new Uint8Array(2_000), fee: null }],
    ['a failure without a code', { status: 'failed' }]
  ])('an outcome that cannot be, %s, is not known', async (_, outcome) => {
    const { rail, payee, payer, again } = world(({ pay }) => ({
      async pay(order, options) {
        await pay(order, options)
        return outcome as never
      }
    }))
    const request = await payee.request(tea)
    expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('UNKNOWN_OUTCOME')
    await again().pay(request, { maxFee })
    expect(rail.moved()).toBe(100n)
  })

  test('a provider that pays and does not save is not asked to pay again', async () => {
    const { rail, journal, payee, payer } = world(({ pay }) => ({
      async pay(order, options) {
        await pay(order, { ...options, save: async () => undefined })
        return { status: 'pending' }
      }
    }))
    const request = await payee.request(tea)
    for (let i = 0; i < 2; i++) expect(await codeOf(() => payer.pay(request, { maxFee }))).not.toBeNull()
    expect([rail.moved(), journal.get(request.coreHash)!.attempts]).toEqual([100n, 1])
  })

  test.each<[string, object | undefined]>([
    ['of what it uses up', { status: 'valid', level: 'preimage', confirmations: null, spends: null, reason: '' }],
    ['of its level', { status: 'valid', level: 'trust me', confirmations: null, spends: ROOM, reason: '' }],
    ['of its depth', { status: 'valid', level: 'chain', confirmations: 0.5, spends: ROOM, reason: '' }],
    ['at all', undefined]
  ])('a verification that says nothing %s is unknown', async (_, verification) => {
    const { payee } = world()
    const request = await payee.request(tea)
    const provider = { ...createTestRail().createProvider({ balance: 0n }), verify: async () => verification as never }
    const watcher = createPayments({ signer: carol, journal: createMemoryJournal(), providers: [provider], assets: TEST_ASSETS })
    const receipt = signReceipt(bob, request, { method: 'test', proof: ROOM, createdMs: NOW })
    expect((await watcher.verify(request, receipt)).status).toBe('unknown')
  })

  test('a receipt on which a provider breaks holds up no other', async () => {
    const { payee, payer, rail } = world()
    const [request, other] = [await payee.request(tea), await payee.request(tea)]
    const receipt = await payer.pay(request, { maxFee })
    const sound = rail.createProvider({ balance: 0n })
    const verify: PaymentProvider['verify'] = (claim) => (claim.proof.length === 1 ? Promise.reject(new Error('broken')) : sound.verify(claim))
    const watcher = createPayments({ signer: carol, journal: createMemoryJournal(), providers: [{ ...sound, verify }], assets: TEST_ASSETS })
    const odd = signReceipt(bob, other, { method: 'test', proof: Uint8Array.of(1) })
    const verified = await watcher.verifyAll([{ request: other, receipt: odd }, { request, receipt }])
    expect(verified.map(({ status }) => status)).toEqual(['unknown', 'valid'])
  })
})
