import { createMemoryJournal, createPayments, type PaymentOutcome, type PaymentProvider, type PaymentRequest } from '@covey/payments'
import { createNwcProvider, type NwcInit } from '@covey/payments/nwc'
import { providerContract } from '@covey/payments/testing'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import WebSocket from 'ws'
import type { LightningNode } from '@covey/payments/ldk'
import { MSAT, person, ROOM } from '../support/people.js'
import { codeOf, forAllTests, later, openPair } from '../ldk/support.js'
import { startRelay, startWallet, type Handler } from './wallet.js'

const MAX_FEE = 10_000n

let pair: Awaited<ReturnType<typeof openPair>>
let before: bigint

beforeAll(async () => {
  pair = await forAllTests(openPair)
})

async function world(handle?: { payer?: Handler; payee?: Handler }, init: Partial<NwcInit> = {}) {
  const { payer, payee } = pair
  before = outbound(payer)
  const relay = await startRelay()
  later(relay.close)
  const [paying, asking] = await Promise.all([startWallet(relay.url, payer, handle?.payer), startWallet(relay.url, payee, handle?.payee)])
  const provider = (url: string): PaymentProvider => createNwcProvider({ url, network: 'bcrt', WebSocket, timeoutMs: 5_000, ...init })
  later(paying.close)
  later(asking.close)
  return { relay, nodes: { payer, payee }, wallets: { paying, asking }, payer: provider(paying.url), payee: provider(asking.url) }
}

async function askFor(provider: PaymentProvider, amount = 5_000n): Promise<PaymentRequest> {
  const payments = createPayments({ signer: await person(), journal: createMemoryJournal(), providers: [provider] })
  return payments.request({ room: ROOM, money: { asset: MSAT, amount }, purpose: 'Tea' })
}

/** What a provider has saved for each. */
const handles = new WeakMap<PaymentRequest, Uint8Array>()

function pay(provider: PaymentProvider, request: PaymentRequest, signal?: AbortSignal): Promise<PaymentOutcome> {
  return provider.pay({ request, method: request.methods[0]! }, { maxFee: MAX_FEE, payer: new Uint8Array(32), save: async (handle) => void handles.set(request, Uint8Array.from(handle)), signal })
}

function look(provider: PaymentProvider, request: PaymentRequest): Promise<PaymentOutcome> {
  return provider.lookup({ request, method: request.methods[0]! }, handles.get(request) ?? new Uint8Array(32), { payer: new Uint8Array(32), resend: true })
}

const outbound = (node: LightningNode): bigint => node.channels()[0]!.outboundMsat

test('passes the contract', async () => {
  const { payer, payee, nodes } = await world()
  for (const { name, run } of providerContract(async () => {
    const held = outbound(nodes.payer)
    const received = async (): Promise<bigint> => held - outbound(nodes.payer)
    return { payer, payee, asset: MSAT, amount: 5_000n, maxFee: 20_000_000n, tooMuch: 2_000_000_000n, received, close: async () => undefined }
  })) {
    await run().catch((cause: unknown) => {
      throw new Error(name, { cause })
    })
  }
})

test('a payee asks its own wallet what has come, and takes nothing for that which is not it', async () => {
  let answer: Record<string, unknown> | undefined
  const fails: { code?: string } = {}
  const { payer, payee, nodes } = await world({
    payee: async (method, _params, honest) => {
      if (method !== 'lookup_invoice') return honest()
      if (fails.code !== undefined) return { error: { code: fails.code, message: 'no' } }
      const { result, ...rest } = await honest()
      return answer === undefined || result === undefined ? { ...rest, result } : { result: { ...(result as object), ...answer } }
    }
  })
  const request = await askFor(payee)
  const order = { request, method: request.methods[0]! }
  expect(await payee.received!(order)).toBe(false)
  const received = nodes.payee.once('received')
  await pay(payer, request)
  await received
  expect(await payee.received!(order)).toBe(true)
  for (const lie of [{ type: 'outgoing' }, { payment_hash: '00'.repeat(32) }, { state: 'pending' }, { state: 'accepted', settled_at: 1 }, { amount: 4_999 }, { amount: '5000' }, { amount: Number.NaN }]) {
    answer = lie
    expect(await payee.received!(order), JSON.stringify(lie)).toBe(false)
  }
  // As wallets say it that know no states.
  answer = { state: undefined, settled_at: 1 }
  expect(await payee.received!(order)).toBe(true)
  fails.code = 'INTERNAL'
  expect(await codeOf(payee.received!(order))).toBe('PROVIDER_INVALID')
  expect(await codeOf(payee.received!({ ...order, method: { type: 'bolt11', data: new Uint8Array(5) } }))).toBe('METHOD_MISMATCH')
})

test('a wallet that is silent leaves it open, and a look-up settles it without paying anew', async () => {
  let isSilent = false
  const stop = new AbortController()
  let stopAt = ''
  const silent: Handler = async (method, _params, honest) => {
    if (method === stopAt) stop.abort(new Error('enough'))
    const answer = await honest()
    return isSilent ? undefined : answer
  }
  const { payer, payee, nodes, wallets } = await world({ payer: silent }, { timeoutMs: 800 })
  const request = await askFor(payee)
  expect(await look(payer, request)).toEqual({ status: 'unknown' })
  const settled = nodes.payer.once('payment')
  isSilent = true
  expect(await pay(payer, request)).toEqual({ status: 'unknown' })
  await settled
  isSilent = false
  expect((await look(payer, request)).status).toBe('paid')
  expect(wallets.paying.calls.filter((call) => call === 'pay_invoice')).toHaveLength(1)
  expect(outbound(nodes.payer)).toBe(before - 5_000n)
  stopAt = 'pay_invoice'
  await expect(pay(payer, await askFor(payee), stop.signal)).rejects.toThrow('enough')
})

test('another wallet cannot say that a payment of this one has failed', async () => {
  const silent: Handler = async (method, _params, honest) => (method === 'pay_invoice' ? undefined : honest())
  const { payer, payee } = await world({ payer: silent }, { timeoutMs: 800 })
  const request = await askFor(payee)
  expect(await pay(payer, request)).toEqual({ status: 'unknown' })
  vi.useFakeTimers({ toFake: ['Date'], now: request.expiresMs + 3_600_000 })
  onTestFinished(() => void vi.useRealTimers())
  // The payee's wallet was not asked to pay it.
  expect(await look(payee, request)).toEqual({ status: 'unknown' })
  expect(await look(payer, request)).toMatchObject({ status: 'failed' })
})

test('a wallet that lies about a payment is not believed', async () => {
  const zeros = '00'.repeat(32)
  const lies: Record<string, Parameters<Handler>[2]> = {
    'another preimage': async () => ({ result: { preimage: zeros, fees_paid: 0 } }),
    'no preimage': async () => ({ result: {} }),
    'a preimage of another kind': async () => ({ result: { preimage: 7 } }),
    'settled without a preimage': async () => ({ result: { state: 'settled', payment_hash: zeros } }),
    'a failure that may be none': async () => ({ error: { code: 'PAYMENT_FAILED', message: 'time-out' } }),
    'an error of no kind': async () => ({ error: { code: 5, message: '' } as never })
  }
  let lie = lies['no preimage']!
  const { payer, payee, nodes } = await world({ payer: () => lie() })
  const request = await askFor(payee)
  for (const [name, told] of Object.entries(lies)) {
    lie = told
    expect([name, await pay(payer, request), await look(payer, request)]).toEqual([name, { status: 'unknown' }, { status: 'unknown' }])
  }
  expect(outbound(nodes.payer)).toBe(before)
})

test('answers that are garbage, or of somebody else, are passed over', async () => {
  const garbage = ['', 'no', '?iv=', 'A'.repeat(60_000)]
  const forge: Handler = async (_method, _params, honest) => {
    const bad = garbage.shift()
    return bad ?? honest()
  }
  const { payer, payee, relay } = await world({ payer: forge }, { timeoutMs: 300 })
  const request = await askFor(payee)
  for (let left = garbage.length; left > 0; left--) expect((await pay(payer, request)).status).toBe('unknown')
  const flood = setInterval(() => ['no', '{}', '[]', 'null', '["EVENT","covey",null]', '["EVENT","covey",{"kind":23195}]', '["OK",1]'].forEach(relay.flood), 1)
  later(() => clearInterval(flood))
  expect((await createNwcWith(payer, request)).status).toBe('paid')
})

/** With the same wallet, which is honest by now. */
async function createNwcWith(provider: PaymentProvider, request: PaymentRequest): Promise<PaymentOutcome> {
  for (;;) {
    const outcome = await pay(provider, request)
    if (outcome.status !== 'unknown') return outcome
  }
}

test('what a wallet refuses for good has failed, and says why', async () => {
  let code = ''
  const { payer, payee } = await world({ payer: () => ({ error: { code, message: '' } }) })
  const request = await askFor(payee)
  for (const [given, expected] of [
    ['QUOTA_EXCEEDED', 'BUDGET_EXCEEDED'],
    ['INSUFFICIENT_BALANCE', 'INSUFFICIENT_FUNDS'],
    ['RESTRICTED', 'DECLINED'],
    ['UNAUTHORIZED', 'WALLET_LOCKED'],
    ['RATE_LIMITED', 'PROVIDER_UNAVAILABLE']
  ] as const) {
    code = given
    expect(await pay(payer, request)).toMatchObject({ status: 'failed', code: expected })
  }
})

test('an invoice that is not what was asked for is refused', async () => {
  const more: Handler = async (method, params, honest) => {
    if (method === 'make_invoice') Object.assign(params, { amount: 6_000 })
    return honest()
  }
  const { payee } = await world({ payee: more })
  expect(await codeOf(askFor(payee))).toBe('METHOD_MISMATCH')
  const nothing = await world({ payee: () => ({ result: { invoice: 5 } }) })
  expect(await codeOf(askFor(nothing.payee))).toBe('PROVIDER_INVALID')
})

test('a relay that is not there means that nothing was sent', async () => {
  const { payer, payee, relay, nodes } = await world()
  const request = await askFor(payee)
  await relay.close()
  expect(await pay(payer, request)).toMatchObject({ status: 'failed', code: 'PROVIDER_UNAVAILABLE' })
  expect(await codeOf(look(payer, request))).toBe('PROVIDER_UNAVAILABLE')
  expect(outbound(nodes.payer)).toBe(before)
})

test('a connection string is checked, and never told', () => {
  const secret = 'ab'.repeat(32)
  const url = `nostr+walletconnect://${'cd'.repeat(32)}?relay=wss%3A%2F%2Frelay.example&secret=${secret}`
  expect(createNwcProvider({ url, WebSocket }).supports('lightning:bc/slip44:0')).toBe(true)
  for (const bad of ['', url.replace('cd', 'xx'), url.replace('secret=', 'secret=0'), url.replace('wss', 'http'), url.replace('%3A', '%'), `${url}#x`, 'x'.repeat(10_000)]) {
    let message = ''
    try {
      createNwcProvider({ url: bad, WebSocket })
    } catch (error) {
      message = (error as TypeError).message
    }
    expect(message).toMatch(/^url must be/)
    expect(message).not.toContain(secret.slice(0, 8))
  }
})
