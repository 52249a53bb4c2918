import { expect, test } from 'vitest'
import { configure, failedRuns, proof } from '../harness.js'
import { KILLS_PER_WALLET, PARALLEL_WALLETS, proveWallet } from '../pay-crash/prove.js'

test('100 kills while paying: nothing is paid twice, and nothing is lost', { timeout: 300_000 }, async () => {
  configure({})
  await proof('pay-crash', { count: 100, perRun: KILLS_PER_WALLET, parallel: PARALLEL_WALLETS, run: (seed, _, kills) => proveWallet(seed, kills) })
  expect(failedRuns()).toBe(0)
})
