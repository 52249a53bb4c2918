import { expect, test } from 'vitest'
import { configure, failedRuns, proof } from '../harness.js'
import { PARALLEL_WALLETS, proveWallet } from '../pay-crash/prove.js'

// `pnpm proof pay-crash` makes a hundred on each.
test.each([['pipe', 12], ['evm', 6], ['ldk', 6]] as const)('kills while paying, by %s: nothing is paid twice, and nothing is lost', { timeout: 600_000 }, async (kind, count) => {
  configure({})
  await proof('pay-crash', { count, perRun: count / 2, parallel: PARALLEL_WALLETS, run: (seed, _, kills) => proveWallet(kind, seed, kills) })
  expect(failedRuns()).toBe(0)
})
