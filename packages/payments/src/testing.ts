/**
 * What providers, and apps that use them, are tested with: a rail in memory, and the tests that every provider should
 * pass.
 *
 * @example
 * ```ts
 * import { createMemorySecretStore, openIdentity } from '@covey/identity'
 * import { createMemoryJournal, createPayments } from '@covey/payments'
 * import { createTestRail, TEST_ASSETS } from '@covey/payments/testing'
 *
 * const rail = createTestRail()
 * const alice = createPayments({
 *   signer: await openIdentity({ storage: createMemorySecretStore() }),
 *   journal: createMemoryJournal(),
 *   providers: [rail.createProvider({ balance: 0n })],
 *   assets: TEST_ASSETS
 * })
 * console.log(alice.list().length)
 * ```
 *
 * @packageDocumentation
 */
export { providerContract, type ContractCase, type ContractWorld } from './testing/contract.js'
export { createTestRail, TEST_ASSET, TEST_ASSETS, type TestProviderInit, type TestRail } from './testing/rail.js'
