import { proof } from './harness.js'
import { KILLS_PER_WALLET, PARALLEL_WALLETS, proveWallet } from './pay-crash/prove.js'

await proof('pay-crash', { count: 100, perRun: KILLS_PER_WALLET, parallel: PARALLEL_WALLETS, run: (seed, _, kills) => proveWallet(seed, kills) })
