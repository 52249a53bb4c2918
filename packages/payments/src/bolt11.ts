/**
 * BOLT11 invoices, decoded and verified, as methods of requests; for members without a wallet, and for providers of
 * Lightning.
 *
 * @packageDocumentation
 */
export { decodeBolt11, MAX_BOLT11_LENGTH, type Bolt11Invoice } from './bolt11/decode.js'
export { BOLT11, createBolt11Method, createBolt11Verifier, readBolt11Method, verifyPreimage } from './bolt11/method.js'
