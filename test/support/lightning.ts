/** Two embedded Lightning nodes with a channel, on a fake chain, for the tests of examples. */
export { openPair } from '../../packages/payments/test/ldk/support.js'
