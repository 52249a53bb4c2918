import { describe, expect, test } from 'vitest'
import {
  createMemoryJournal,
  createPayments,
  PaymentError,
  signReceipt,
  signRequest,
  type PaymentJournal,
  type PaymentProvider,
  type Payments,
  type PaymentsInit,
  type PaymentState
} from '@covey/payments'
import { createTestRail, TEST_ASSET, TEST_ASSETS } from '@covey/payments/testing'
import { codeOf, NOW, person, ROOM } from './support/people.js'

const [alice, bob, carol] = await Promise.all([person(), person(), person()])
const maxFee = { asset: TEST_ASSET, amount: 1n }
const money = { asset: TEST_ASSET, amount: 100n }
const tea = { room: ROOM, money, purpose: 'Tea' }

function world(init: Partial<PaymentsInit> = {}, change: (provider: PaymentProvider) => Partial<PaymentProvider> = () => ({})) {
  const rail = createTestRail()
  const bobs = rail.createProvider({ balance: 1_000n })
  const journal = createMemoryJournal()
  const wallet = (provider: PaymentProvider): Payments =>
    createPayments({ signer: bob, journal, providers: [provider], assets: TEST_ASSETS, ...init })
  const payee = createPayments({ signer: alice, journal: createMemoryJournal(), providers: [rail.createProvider({ balance: 0n })], assets: TEST_ASSETS })
  const states = (): PaymentState[] => journal.list().map(({ state }) => state)
  // `again` is the wallet after a restart, with a provider that does as it should.
  return { rail, journal, payee, states, payer: wallet({ ...bobs, ...change(bobs) }), again: () => wallet(bobs) }
}

/** A provider that fails once it has saved, before or after money has moved, as a connection does. */
function breaks(when: 'before' | 'after'): (provider: PaymentProvider) => Partial<PaymentProvider> {
  return ({ pay }) => ({
    async pay(order, options) {
      if (when === 'after') await pay(order, options)
      else await options.save(order.method.data.slice(0, 32))
      throw new Error('the connection broke')
    }
  })
}

describe('paying', () => {
  test('a request is paid once, and gives its receipt as often as it is asked for', async () => {
    const { rail, payee, payer, states } = world()
    const request = await payee.request(tea)
    const receipts = await Promise.all([1, 2, 3].map(() => payer.pay(request, { maxFee })))
    receipts.push(await payer.pay(request, { maxFee }))
    expect(rail.moved()).toBe(100n)
    expect(states()).toEqual(['paid'])
    expect(new Set(receipts.map(({ proof }) => proof.toString())).size).toBe(1)
    const read = await payee.verify(request, receipts[0]!)
    expect(read).toMatchObject({ status: 'valid', level: 'preimage', confirmations: null })
  })

  test.each(['before', 'after'] as const)('an outcome that is not known is looked up, and never paid anew: broken %s', async (when) => {
    const { rail, payee, payer, again, states } = world({}, breaks(when))
    const request = await payee.request(tea)
    expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('UNKNOWN_OUTCOME')
    expect(states()).toEqual(['sent'])
    const recovered = await again().recover()
    expect(recovered.map(({ state }) => state)).toEqual([when === 'after' ? 'paid' : 'failed'])
    // Where it has failed for good it is paid now; where it was paid, the receipt is all there is to do.
    await again().pay(request, { maxFee })
    expect(rail.moved()).toBe(100n)
    expect(states()).toEqual(['paid'])
  })

  test('while the provider cannot say, it stays unknown', async () => {
    const { rail, payee, payer, states } = world({}, (provider) => ({ ...breaks('after')(provider), lookup: async () => ({ status: 'unknown' }) }))
    const request = await payee.request(tea)
    for (let i = 0; i < 3; i++) expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('UNKNOWN_OUTCOME')
    expect(await payer.recover()).toMatchObject([{ state: 'sent', receipt: null }])
    expect([rail.moved(), states()]).toEqual([100n, ['sent']])
  })

  test('a provider that says it has paid, with a proof that is none, is not believed', async () => {
    const lie = { status: 'paid', proof: new Uint8Array(32), fee: null } as const
    const { payee, payer, states } = world({}, ({ pay }) => ({
      async pay(order, options) {
        await pay(order, options)
        return lie
      },
      lookup: async () => lie
    }))
    const request = await payee.request(tea)
    for (let i = 0; i < 2; i++) expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('PROVIDER_INVALID')
    expect(states()).toEqual(['sent'])
  })

  test('an abort ends the waiting, and what was sent is found', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const { rail, payee, payer, again, states } = world({}, ({ pay }) => ({
      async pay(order, options) {
        const outcome = await pay(order, options)
        controller.abort(reason)
        return outcome
      }
    }))
    const request = await payee.request(tea)
    await expect(payer.pay(request, { maxFee, signal: controller.signal })).rejects.toBe(reason)
    await payer.close()
    await again().pay(request, { maxFee })
    expect([rail.moved(), states()]).toEqual([100n, ['paid']])
  })

  test('an abort before anything was sent leaves nothing to look up', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const { rail, payee, payer, again, states } = world({}, ({ pay }) => ({
      pay(order, options) {
        controller.abort(reason)
        return pay(order, options)
      }
    }))
    const request = await payee.request(tea)
    await expect(payer.pay(request, { maxFee, signal: controller.signal })).rejects.toBe(reason)
    await payer.close()
    expect([rail.moved(), states()]).toEqual([0n, ['failed']])
    await again().pay(request, { maxFee })
    expect(rail.moved()).toBe(100n)
  })

  test('a provider that hangs holds its request, and nobody who has a signal', async () => {
    const controller = new AbortController()
    const { payee, payer } = world({}, () => ({ quote: () => new Promise(() => undefined) }))
    const request = await payee.request(tea)
    const [first, second] = [payer.pay(request, { maxFee, signal: controller.signal }), payer.pay(request, { maxFee, signal: controller.signal })]
    controller.abort('enough')
    await expect(first).rejects.toBe('enough')
    await expect(second).rejects.toBe('enough')
  })

  test('nothing is paid that cannot be written down', async () => {
    const { rail, journal, payee, payer } = world()
    const request = await payee.request(tea)
    const put = journal.put
    let puts = 0
    for (const failing of [1, 2]) {
      puts = 0
      journal.put = (entry) => (++puts === failing ? Promise.reject(new PaymentError('JOURNAL_FAILED', 'The disk is full.')) : put(entry))
      expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('JOURNAL_FAILED')
    }
    expect(rail.moved()).toBe(0n)
    journal.put = put
    await payer.pay(request, { maxFee })
    expect(rail.moved()).toBe(100n)
  })
})

describe('a payment is refused', () => {
  test.each<[string, Partial<PaymentsInit>, (provider: PaymentProvider) => Partial<PaymentProvider>]>([
    ['UNKNOWN_ASSET', { assets: undefined }, () => ({})],
    ['NO_METHOD', {}, () => ({ methods: ['other'] })],
    ['NO_METHOD', {}, () => ({ capabilities: { receive: true, pay: false, verify: true } })],
    ['NO_METHOD', {}, () => ({ supports: () => false })],
    ['FEE_TOO_HIGH', {}, () => ({ quote: async () => ({ fee: { asset: TEST_ASSET, amount: 2n }, destination: ROOM }) })],
    ['FEE_TOO_HIGH', {}, () => ({ quote: async () => ({ fee: { asset: 'eip155:1/slip44:60', amount: 0n }, destination: ROOM }) })],
    ['PROVIDER_INVALID', {}, () => ({ quote: async () => ({ fee: { asset: TEST_ASSET, amount: -1n }, destination: ROOM }) })],
    ['PROVIDER_INVALID', {}, () => ({ quote: async () => ({ fee: { asset: TEST_ASSET, amount: 0n }, destination: new Uint8Array() }) })],
    ['PROVIDER_UNAVAILABLE', {}, () => ({ quote: () => Promise.reject(new Error('ECONNREFUSED')) })],
    ['PROVIDER_UNAVAILABLE', {}, () => ({ pay: () => Promise.reject(new Error('ECONNREFUSED')) })],
    ['WALLET_LOCKED', {}, () => ({ pay: () => Promise.reject(new PaymentError('WALLET_LOCKED', 'Unlock it.')) })],
    ['NO_ROUTE', {}, () => ({ pay: async () => ({ status: 'failed', code: 'NO_ROUTE', message: 'There is no way.' }) })],
    ['DECLINED', { policy: { confirm: async () => false } }, () => ({})],
    ['DECLINED', { policy: { confirm: async () => 'yes' as never } }, () => ({})],
    ['BUDGET_EXCEEDED', { policy: { limits: [{ asset: TEST_ASSET, perPayment: 100n }] } }, () => ({})]
  ])('with %s, and nothing has moved', async (code, init, change) => {
    const { rail, payee, payer, states } = world(init, change)
    const request = await payee.request(tea)
    expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe(code)
    expect(rail.moved()).toBe(0n)
    expect(states().filter((state) => state !== 'failed')).toEqual([])
  })

  test('with INSUFFICIENT_FUNDS, whatever huge amount it is', async () => {
    const { rail, payee, payer } = world()
    const request = await payee.request({ ...tea, money: { asset: TEST_ASSET, amount: 2n ** 256n - 1n } })
    expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('INSUFFICIENT_FUNDS')
    expect(rail.moved()).toBe(0n)
  })

  test('with EXPIRED by the clock, also where confirming took too long', async () => {
    let nowMs = NOW
    const { rail, payee, payer } = world({ now: () => nowMs, policy: { confirm: async () => ((nowMs += 10), true) } })
    const request = await payee.request({ ...tea, expiresInMs: 5 })
    nowMs = request.expiresMs - 1
    expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('EXPIRED')
    expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('EXPIRED')
    expect(rail.moved()).toBe(0n)
  })

  test('with DUPLICATE, where another request has the same invoice, also at the same moment', async () => {
    const same = { quote: async () => ({ fee: maxFee, destination: ROOM }) }
    const { rail, payee, payer } = world({}, () => same)
    const requests = await Promise.all([payee.request(tea), payee.request(tea)])
    const codes = await Promise.all(requests.map((request) => codeOf(() => payer.pay(request, { maxFee }))))
    expect(new Set(codes)).toEqual(new Set(['DUPLICATE', null]))
    expect(rail.moved()).toBe(100n)
  })

  test('with BUDGET_EXCEEDED, by all that is paid and under way within the period', async () => {
    let nowMs = Date.now()
    const limits = [{ asset: TEST_ASSET, perPeriod: 250n, periodMs: 1_000 }]
    const { rail, payee, payer } = world({ now: () => nowMs, policy: { limits } })
    const requests = await Promise.all([1, 2, 3, 4].map(() => payee.request(tea)))
    const codes = await Promise.all(requests.slice(0, 3).map((request) => codeOf(() => payer.pay(request, { maxFee }))))
    expect(codes.filter((code) => code !== null)).toEqual(['BUDGET_EXCEEDED'])
    nowMs += 1_000
    await payer.pay(requests[3]!, { maxFee })
    expect(rail.moved()).toBe(300n)
  })

  test('where the request was altered on its way, or is for somebody else', async () => {
    const { rail, payee, payer } = world()
    const request = await payee.request(tea)
    const bytes = Uint8Array.from(request.bytes)
    bytes[100]! ^= 1
    expect(await codeOf(() => payer.pay({ ...request, bytes }, { maxFee }))).toMatch(/^MESSAGE_/)
    expect(await codeOf(() => payer.pay({ ...request, room: new Uint8Array(32) }, { maxFee }))).toBe('MESSAGE_WRONG_ROOM')
    const others = await payee.request({ ...tea, payer: carol.identity.publicKey })
    expect(await codeOf(() => payer.pay(others, { maxFee }))).toBe('TypeError')
    // What counts is what is signed, whatever the object says beside it.
    await payer.pay({ ...request, money: { asset: TEST_ASSET, amount: 900n } }, { maxFee })
    expect(rail.moved()).toBe(100n)
  })

  test.each<[string, object]>([
    ['options.maxFee', {}],
    ['options.maxFee.amount', { maxFee: { asset: TEST_ASSET, amount: 1 } }],
    ['options.maxFee.amount', { maxFee: { asset: TEST_ASSET, amount: -1n } }],
    ['did you mean "maxFee"', { maxfee: maxFee }]
  ])('where %s is wrong', async (field, options) => {
    const { payee, payer } = world()
    const request = await payee.request(tea)
    await expect((async () => payer.pay(request, options as never))()).rejects.toThrow(field)
  })

  test('where the wallet was closed', async () => {
    const { payee, payer } = world()
    const request = await payee.request(tea)
    await payer.close()
    await payer.close()
    expect(await codeOf(() => payer.pay(request, { maxFee }))).toBe('PAYMENTS_CLOSED')
  })
})

describe('a wallet', () => {
  test('asks by what it can be paid by', async () => {
    const { payee } = world()
    expect(await payee.request(tea)).toMatchObject({ payee: alice.identity.publicKey, money, methods: [{ type: 'test' }] })
    expect(await codeOf(() => payee.request({ ...tea, money: { asset: 'eip155:1/slip44:60', amount: 1n } }))).toBe('UNKNOWN_ASSET')
    expect(await codeOf(() => payee.request({ ...tea, money: { asset: TEST_ASSET, amount: 0n } }))).toBe('TypeError')
  })

  test('that breaks while it is asked for a way to be paid says so by an error of its own', async () => {
    const rail = createTestRail()
    const provider = { ...rail.createProvider({ balance: 0n }), createMethod: () => Promise.reject(new TypeError('broken')) }
    const payments = createPayments({ signer: alice, journal: createMemoryJournal(), providers: [provider], assets: TEST_ASSETS })
    await expect(payments.request(tea)).rejects.toMatchObject({ name: 'PaymentError', code: 'PROVIDER_UNAVAILABLE', retryable: true })
    const signal = AbortSignal.abort(new Error('stop'))
    await expect(payments.request(tea, { signal })).rejects.toBe(signal.reason)
  })

  test('verifies what others claim', async () => {
    const { payee, payer } = world()
    const request = await payee.request(tea)
    const { proof } = await payer.pay(request, { maxFee })
    const forged = signReceipt(carol, request, { method: 'test', proof: new Uint8Array(32) })
    expect((await payee.verify(request, forged)).status).toBe('invalid')
    // Who has seen a preimage can show it: that is why requests name their payer.
    expect((await payee.verify(request, signReceipt(carol, request, { method: 'test', proof }))).status).toBe('valid')
    const none = createPayments({ signer: carol, journal: createMemoryJournal(), providers: [] })
    expect((await none.verify(request, forged)).status).toBe('unknown')
  })
})

describe('what is open', () => {
  test('is looked up as it was sent, whatever its payee has signed since under the same core', async () => {
    const seen: string[] = []
    const { payee, payer } = world({}, ({ pay }) => ({
      pay: async (order, options) => (await pay(order, options), { status: 'unknown' }),
      async lookup({ method }) {
        seen.push(method.data.toString())
        return { status: 'unknown' }
      }
    }))
    const first = await payee.request(tea)
    const other = await createTestRail().createProvider({ balance: 0n }).createMethod(first)
    const again = signRequest(alice, first, [other])
    expect(again.coreHash).toEqual(first.coreHash)
    expect(await codeOf(() => payer.pay(first, { maxFee }))).toBe('UNKNOWN_OUTCOME')
    expect(await codeOf(() => payer.pay(again, { maxFee }))).toBe('UNKNOWN_OUTCOME')
    expect(seen).toEqual([first.methods[0]!.data.toString()])
  })

  test('is not taken as failed that was begun before a crash, and is paid while others are recovered', async () => {
    const { rail, journal, payee, payer, states } = world({}, () => ({ pay: () => new Promise(() => undefined) }))
    const requests = await Promise.all(Array.from({ length: 9 }, () => payee.request(tea)))
    for (const request of requests) payer.pay(request, { maxFee }).catch(() => undefined)
    await expect.poll(() => states().length).toBe(9)
    // After the start of another process, whose disk takes its time for each.
    const slow: PaymentJournal = {
      ...journal,
      async put(entry) {
        await new Promise(setImmediate)
        await journal.put(entry)
      }
    }
    const again = createPayments({ signer: bob, journal: slow, providers: [rail.createProvider({ balance: 1_000n })], assets: TEST_ASSETS })
    const last = journal.list().at(-1)!
    const paid = requests.find(({ coreHash }) => Buffer.from(coreHash).equals(last.requestHash))!
    const recovering = again.recover()
    await again.pay(paid, { maxFee })
    await recovering
    expect(states().filter((state) => state === 'paid')).toEqual(['paid'])
    await again.pay(paid, { maxFee })
    expect(rail.moved()).toBe(100n)
  })

  test.each(['confirm', 'quote', 'pay', 'lookup', 'verify'] as const)('ends with the wallet, and is looked up at the next start: %s', async (hanging) => {
    let hang = (): void => undefined
    const isHanging = new Promise<void>((resolve) => (hang = resolve))
    const never = (): Promise<never> => (hang(), new Promise(() => undefined))
    const { rail, payee, payer, again, states } = world(hanging === 'confirm' ? { policy: { confirm: never } } : {}, ({ pay }) => ({
      ...(hanging === 'lookup' && { pay: async (order, options) => (await pay(order, options), { status: 'unknown' }) }),
      ...(hanging === 'pay' && { pay: async (order, options) => (await pay(order, options), never()) }),
      ...((hanging === 'quote' || hanging === 'verify' || hanging === 'lookup') && { [hanging]: never })
    }))
    const request = await payee.request(tea)
    if (hanging === 'lookup') await codeOf(() => payer.pay(request, { maxFee }))
    const paying = codeOf(() => payer.pay(request, { maxFee }))
    await isHanging
    await payer.close()
    expect(await paying).toBe('PAYMENTS_CLOSED')
    const isSent = hanging !== 'confirm' && hanging !== 'quote'
    expect(states()).toEqual(isSent ? ['sent'] : [])
    expect((await again().recover()).map(({ state }) => state)).toEqual(isSent ? ['paid'] : [])
    expect(rail.moved()).toBe(isSent ? 100n : 0n)
  })
})
