import { describe, expect, test } from 'vitest'
import {
  createMemoryJournal,
  createPayments,
  PaymentError,
  readNotice,
  refundReferenceOf,
  signNotice,
  signReceipt,
  type PaymentRequest
} from '@covey/payments'
import { ask, codeOf } from './support/people.js'
import { alice, bob, mallory, maxFee, tea, world, type Change } from './support/world.js'

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

test('a valid receipt alone is neither acknowledged nor given back: the wallet has to have the money', async () => {
  let wallet: 'empty' | 'down' | 'whole' = 'empty'
  const { payee, payer, rail } = world(
    () => ({}),
    ({ received }) => ({
      received: (order, options) =>
        wallet === 'whole' ? received!(order, options) : wallet === 'empty' ? Promise.resolve(false) : Promise.reject(new Error('down'))
    })
  )
  const request = await payee.request(tea)
  const receipt = await payer.pay(request, { maxFee })
  expect((await payee.verify(request, receipt)).status).toBe('valid')
  const refundRequest = await payer.request({ ...tea, payer: alice.identity.publicKey, reference: refundReferenceOf(receipt) })
  const unpaid = { code: 'NOT_PAID', retryable: true }
  for (wallet of ['empty', 'down'] as const) {
    await expect(payee.ack(request, receipt)).rejects.toMatchObject(unpaid)
    await expect(payee.refund({ request, receipt, refundRequest }, { maxFee })).rejects.toMatchObject(unpaid)
  }
  expect(rail.moved()).toBe(100n)
  wallet = 'whole'
  expect((await payee.ack(request, receipt)).kind).toBe('ack')
})
