import { describe, expect, test } from 'vitest'
import { createPayments, PaymentError, refundReferenceOf, signNotice, signReceipt, type PaymentProvider, type PaymentReceipt, type PaymentRequest } from '@covey/payments'
import { TEST_ASSET, TEST_ASSETS } from '@covey/payments/testing'
import { ask, codeOf, ROOM } from './support/people.js'
import { alice, bob, carol, mallory, maxFee, money, tea, world, type Change } from './support/world.js'

describe('a refund', () => {
  async function paid(change: Partial<typeof tea> = {}, changeOfPayee?: Change) {
    const made = world(undefined, changeOfPayee)
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

  test.each<[string, string | null]>([['paid', null], ['sent, and may be paid', 'UNKNOWN_OUTCOME']])('counts where its request was %s by `pay`', async (_, code) => {
    const { rail, payee, request, receipt, askBack } = await paid({}, ({ pay }) => ({
      async pay(order, options) {
        const outcome = await pay(order, options)
        return code === null ? outcome : { status: 'pending' }
      }
    }))
    const [first, second] = [await askBack(), await askBack()]
    expect(await codeOf(() => payee.pay(first, { maxFee }))).toBe(code)
    await payee.refund({ request, receipt, refundRequest: first }, { maxFee })
    expect(await codeOf(() => payee.refund({ request, receipt, refundRequest: second }, { maxFee }))).toBe('DUPLICATE')
    expect(rail.moved()).toBe(200n)
  })

  test('is made by one request, also where another one was paid by `pay`', async () => {
    const { payee, request, receipt, askBack } = await paid()
    const [first, second] = [await askBack(), await askBack()]
    await payee.refund({ request, receipt, refundRequest: first }, { maxFee })
    await payee.pay(second, { maxFee })
    expect(await codeOf(() => payee.refund({ request, receipt, refundRequest: second }, { maxFee }))).toBe('DUPLICATE')
  })

  test('that has failed is a refund still, where its request is paid by `pay`', async () => {
    let isDown = true
    const { rail, payee, request, receipt, askBack } = await paid({}, ({ pay }) => ({
      pay: (order, options) => (isDown ? Promise.reject(new Error('ECONNREFUSED')) : pay(order, options))
    }))
    const [first, second] = [await askBack(), await askBack()]
    expect(await codeOf(() => payee.refund({ request, receipt, refundRequest: first }, { maxFee }))).toBe('PROVIDER_UNAVAILABLE')
    isDown = false
    await payee.pay(first, { maxFee })
    expect(await codeOf(() => payee.refund({ request, receipt, refundRequest: second }, { maxFee }))).toBe('DUPLICATE')
    expect(rail.moved()).toBe(200n)
  })

  test('that a crash left begun stands in the way of no other', async () => {
    let provider: PaymentProvider | undefined
    let begin = (): void => undefined
    const hasBegun = new Promise<void>((resolve) => (begin = resolve))
    const { rail, payeesJournal, request, receipt, askBack } = await paid({}, (alices) => {
      provider = alices
      return {}
    })
    const wallet = (change: Partial<PaymentProvider> = {}) =>
      createPayments({ signer: alice, journal: payeesJournal, providers: [{ ...provider!, ...change }], assets: TEST_ASSETS })
    const killed = wallet({ pay: () => (begin(), new Promise<never>(() => undefined)) })
    killed.refund({ request, receipt, refundRequest: await askBack() }, { maxFee }).catch(() => undefined)
    await hasBegun
    expect(payeesJournal.list().map(({ state }) => state)).toEqual(['begun'])
    // After the start of another process.
    const again = wallet()
    expect(await again.recover()).toEqual([])
    await again.refund({ request, receipt, refundRequest: await askBack() }, { maxFee })
    expect(rail.moved()).toBe(200n)
  })

  test('that cannot be written down is not settled, though its request was paid', async () => {
    const { payee, payeesJournal, request, receipt, askBack } = await paid()
    const refundRequest = await askBack()
    await payee.pay(refundRequest, { maxFee })
    const { put } = payeesJournal
    payeesJournal.put = () => Promise.reject(new PaymentError('JOURNAL_FAILED', 'The disk is full.'))
    expect(await codeOf(() => payee.refund({ request, receipt, refundRequest }, { maxFee }))).toBe('UNKNOWN_OUTCOME')
    payeesJournal.put = put
    await payee.refund({ request, receipt, refundRequest }, { maxFee })
    expect(payee.list()).toMatchObject([{ refundOf: request.methods[0]!.data.slice(0, 32) }])
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
