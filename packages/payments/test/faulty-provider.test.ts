import { describe, expect, test } from 'vitest'
import {
  createMemoryJournal,
  createPayments,
  isPaymentUnsettled,
  PaymentError,
  signReceipt,
  type PaymentProvider,
  type PaymentRequest
} from '@covey/payments'
import { createTestRail, TEST_ASSETS } from '@covey/payments/testing'
import { codeOf, NOW, ROOM } from './support/people.js'
import { bob, carol, maxFee, tea, world } from './support/world.js'

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
    for (let i = 0; i < 3; i++) expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('UNKNOWN_OUTCOME')
    expect(await payer.recover()).toMatchObject([{ state: 'sent' }])
    expect([rail.moved(), journal.get(request.coreHash)!.attempts]).toEqual([100n, 1])
  })

  test.each<[string, string, () => Promise<unknown>]>([
    ['verified', 'UNKNOWN_OUTCOME', () => Promise.reject(new Error('broken'))],
    ['proven', 'PROVIDER_INVALID', async () => ({ status: 'invalid', level: null, confirmations: null, spends: null, reason: '' })]
  ])('what a provider has paid, did not save, and cannot be %s is not paid again', async (_, code, verify) => {
    let isBroken = true
    const { rail, journal, payee, payer } = world((provider) => ({
      pay: (order, options) => provider.pay(order, { ...options, save: async () => undefined }),
      verify: (claim) => (isBroken ? (verify() as ReturnType<typeof provider.verify>) : provider.verify(claim)),
      lookup: (order, _handle, options) => provider.lookup(order, order.method.data.slice(0, 32), options)
    }))
    const request = await payee.request(tea)
    expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe(code)
    isBroken = false
    await payer.pay(request, { maxFee })
    expect([rail.moved(), journal.get(request.coreHash)!.attempts]).toEqual([100n, 1])
  })

  test('what a provider has paid, did not save, and cannot be written down is not paid again', async () => {
    const { rail, journal, payee, payer } = world(({ pay, lookup }) => ({
      pay: (order, options) => pay(order, { ...options, save: async () => undefined }),
      lookup: (order, _handle, options) => lookup(order, order.method.data.slice(0, 32), options)
    }))
    const request = await payee.request(tea)
    const { put } = journal
    journal.put = (entry) => (entry.state === 'paid' ? Promise.reject(new PaymentError('JOURNAL_FAILED', 'The disk is full.')) : put(entry))
    expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('UNKNOWN_OUTCOME')
    journal.put = put
    await payer.pay(request, { maxFee })
    expect([rail.moved(), journal.get(request.coreHash)!.attempts]).toEqual([100n, 1])
  })

  test('what a provider pays without saving, while it is taken back, is known as paid', async () => {
    const asked: PaymentRequest[] = []
    const made = world(({ pay }) => ({
      async pay(order, options) {
        await made.payer.heedCancel(asked[0]!, made.payee.cancel(asked[0]!).bytes)
        return pay(order, { ...options, save: async () => undefined })
      }
    }))
    const request = await made.payee.request(tea)
    asked.push(request)
    await made.payer.pay(request, { maxFee })
    expect(made.journal.list()).toMatchObject([{ state: 'paid', isCancelled: true }])
    expect(made.rail.moved()).toBe(100n)
  })

  test('a verification that cannot be is no TypeError once money has moved, and holds up no other', async () => {
    const { rail, payee, payer, again } = world(({ pay }) => ({
      verify: async () => undefined as never,
      async pay(order, options) {
        await pay(order, options)
        return { status: 'pending' }
      }
    }))
    const requests = [await payee.request(tea), await payee.request(tea)]
    for (const request of requests) expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('UNKNOWN_OUTCOME')
    expect(await payer.recover()).toMatchObject([{ state: 'paid' }, { state: 'paid' }])
    expect(await again().recover()).toEqual([])
    expect(rail.moved()).toBe(200n)
  })

  test('nothing is sent by what is empty', async () => {
    const { rail, journal, payee, payer } = world(({ pay }) => ({ pay: (order, options) => pay(order, { ...options, save: () => options.save(new Uint8Array()) }) }))
    const request = await payee.request(tea)
    expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('PROVIDER_INVALID')
    expect([rail.moved(), journal.list()[0]!.state]).toEqual([0n, 'failed'])
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
