import { proof } from './harness.js'
import { KILLS_PER_NODE, KILLS_PER_WALLET, PARALLEL_WALLETS, proveWallet } from './pay-crash/prove.js'

const wallets = { count: 100, perRun: KILLS_PER_WALLET, parallel: PARALLEL_WALLETS }
await proof('pay-crash', { ...wallets, run: (seed, _, kills) => proveWallet('pipe', seed, kills) })
// The same with the embedded node, whose process holds the channel too.
await proof('pay-crash', { ...wallets, perRun: KILLS_PER_NODE, run: (seed, _, kills) => proveWallet('ldk', seed, kills) })
// The same with a real chain.
await proof('pay-crash', { ...wallets, run: (seed, _, kills) => proveWallet('evm', seed, kills) })
