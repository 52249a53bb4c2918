import { describe, expect, test } from 'vitest'
import type { PaymentProvider } from '@covey/payments'
import { createTestRail, providerContract, TEST_ASSET, type ContractWorld } from '@covey/payments/testing'

function world(change: (provider: PaymentProvider) => Partial<PaymentProvider> = () => ({})): () => Promise<ContractWorld> {
  return async () => {
    const rail = createTestRail()
    const changed = (provider: PaymentProvider): PaymentProvider => ({ ...provider, ...change(provider) })
    return {
      payee: changed(rail.createProvider({ balance: 0n })),
      payer: changed(rail.createProvider({ balance: 1_000n })),
      asset: TEST_ASSET,
      amount: 100n,
      maxFee: 1n,
      tooMuch: 5_000n,
      received: async () => rail.moved(),
      close: async () => undefined
    }
  }
}

describe('the test rail', () => {
  test.each(providerContract(world()))('$name', ({ run }) => run())
})

// The contract has teeth: each of these providers is caught.
describe('a provider is caught that', () => {
  test.each<[string, (provider: PaymentProvider) => Partial<PaymentProvider>]>([
    ['does not save', ({ pay }) => ({ pay: (order, options) => pay(order, { ...options, save: async () => undefined }) })],
    [
      'sends before it has saved',
      ({ pay }) => ({
        async pay(order, options) {
          const outcome = await pay(order, { ...options, save: async () => undefined })
          await options.save(Uint8Array.of(1))
          return outcome
        }
      })
    ],
    [
      'breaks by large amounts',
      ({ createMethod }) => ({
        createMethod: (core, options) => (core.money.amount > 2n ** 53n ? Promise.reject(new TypeError('too large')) : createMethod(core, options))
      })
    ],
    ['takes any fee', ({ pay }) => ({ pay: (order, options) => pay(order, { ...options, maxFee: 10n }) })],
    ['takes any proof', ({ verify }) => ({ verify: async (claim) => ({ ...(await verify(claim)), status: 'valid' }) })],
    ['finds everything', () => ({ lookup: async () => ({ status: 'paid', proof: new Uint8Array(32), fee: null }) })],
    ['does not hear', ({ pay }) => ({ pay: (order, options) => pay(order, { ...options, signal: undefined }) })]
  ])('%s', async (name, change) => {
    expect(name).not.toBe('')
    const outcomes = await Promise.allSettled(providerContract(world(change)).map(({ run }) => run()))
    expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true)
  })
})
