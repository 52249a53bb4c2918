/** A chain of its own with a token, for the tests of examples. */
export { CHAIN_ID, deployToken, startAnvil, viemWallet, type Anvil } from '../../packages/payments/test/support/evm.js'
