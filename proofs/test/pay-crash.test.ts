import { expect, test } from 'vitest'
import { configure, failedRuns, proof } from '../harness.js'
import { KILLS_PER_NODE, KILLS_PER_WALLET, PARALLEL_WALLETS, proveWallet } from '../pay-crash/prove.js'

const RAILS = [['pipe', KILLS_PER_WALLET], ['evm', KILLS_PER_WALLET], ['ldk', KILLS_PER_NODE]] as const

test.each(RAILS)('a hundred kills while paying, by %s: nothing is paid twice, and nothing is lost', { timeout: 1_200_000 }, async (kind, perRun) => {
  configure({})
  await proof('pay-crash', { count: 100, perRun, parallel: PARALLEL_WALLETS, run: (seed, _, kills) => proveWallet(kind, seed, kills) })
  expect(failedRuns()).toBe(0)
})
