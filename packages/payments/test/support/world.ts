import { createMemoryJournal, createPayments, type PaymentProvider, type Payments } from '@covey/payments'
import { createTestRail, TEST_ASSET, TEST_ASSETS } from '@covey/payments/testing'
import type { LocalIdentity } from '@covey/identity'
import { person, ROOM } from './people.js'

export const [alice, bob, carol, mallory] = await Promise.all([person(), person(), person(), person()])
export const maxFee = { asset: TEST_ASSET, amount: 1n }
export const money = { asset: TEST_ASSET, amount: 100n }
export const tea = { room: ROOM, money, purpose: 'Tea', payer: bob.identity.publicKey }

export type Change = (provider: PaymentProvider) => Partial<PaymentProvider>

/** Alice asks and bob pays; both can do both. `again` is bob's wallet after a restart, with a provider that does as it should. */
export function world(change: Change = () => ({}), changeOfPayee: Change = () => ({})) {
  const rail = createTestRail()
  const [alices, bobs] = [rail.createProvider({ balance: 1_000n }), rail.createProvider({ balance: 1_000n })]
  const wallet = (signer: LocalIdentity, provider: PaymentProvider, journal = createMemoryJournal()): Payments =>
    createPayments({ signer, journal, providers: [provider], assets: TEST_ASSETS })
  const [journal, payeesJournal] = [createMemoryJournal(), createMemoryJournal()]
  return {
    rail,
    journal,
    payeesJournal,
    payee: wallet(alice, { ...alices, ...changeOfPayee(alices) }, payeesJournal),
    payer: wallet(bob, { ...bobs, ...change(bobs) }, journal),
    again: () => wallet(bob, bobs, journal),
    watcher: wallet(carol, rail.createProvider({ balance: 0n }))
  }
}
