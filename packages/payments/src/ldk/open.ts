import { assertBytes, assertFunction, assertInteger, assertOptions, assertString } from '@covey/core'
import { openNode } from '../internal/ldk/open-node.js'
import { NETWORK_NAMES } from '../internal/ldk/networks.js'
import type { LightningNode, LightningNodeInit } from './node.js'

const FIELDS = [
  'storage',
  'seed',
  'network',
  'chain',
  'payoutScript',
  'acceptChannel',
  'witness',
  'acceptMoved',
  'pollIntervalMs',
  'wasm',
  'now'
] as const

/**
 * Opens an embedded Lightning node: LDK, in this process. **Experimental**: keep no more in it than you can lose.
 *
 * What is in a channel belongs to whoever has its newest state. So the state is written, whole, before anything leaves
 * the node; a folder runs once at a time; a copied or restored folder is refused; and with a `witness` so is any older
 * state. The node has to be online at least once a day to see what becomes of its channels.
 *
 * It pays its peers, and whom their invoices lead to through them. It does not forward, and does not announce itself.
 *
 * @throws {PaymentError} WALLET_STATE_LOCKED, WALLET_STATE_STALE, WALLET_STATE_MOVED, WALLET_STATE_DAMAGED
 * @throws {TypeError} that names the field.
 * @throws what the chain rejects with.
 * @example
 * ```ts
 * import { createEsploraChain, openLightningNode } from '@covey/payments/ldk'
 *
 * async function open(seed: Uint8Array, payoutScript: Uint8Array) {
 *   const chain = createEsploraChain('https://esplora.example/signet/api')
 *   return openLightningNode({ storage: './lightning', seed, network: 'signet', chain, payoutScript })
 * }
 * console.log(open.name)
 * ```
 */
export async function openLightningNode(init: LightningNodeInit): Promise<LightningNode> {
  assertOptions(init, 'init', FIELDS)
  const { storage, seed, network, chain, payoutScript, acceptChannel, acceptMoved, pollIntervalMs, wasm, now, witness } = init
  assertString(storage, 'init.storage', { minLength: 1 })
  assertBytes(seed, 'init.seed', 32)
  if (!NETWORK_NAMES.includes(network)) throw new TypeError(`init.network must be one of ${NETWORK_NAMES.join(', ')}`)
  for (const call of ['tip', 'isBest', 'confirmation', 'spender', 'broadcast', 'feeRates'] as const) assertFunction(chain?.[call], `init.chain.${call}`)
  assertBytes(payoutScript, 'init.payoutScript')
  // The shortest and the longest that a standard output has.
  if (payoutScript.length < 22 || payoutScript.length > 42) throw new TypeError('init.payoutScript must be the script of an address')
  if (acceptChannel !== undefined) assertFunction(acceptChannel, 'init.acceptChannel')
  if (acceptMoved !== undefined && typeof acceptMoved !== 'boolean') throw new TypeError('init.acceptMoved must be a boolean')
  if (pollIntervalMs !== undefined) assertInteger(pollIntervalMs, 'init.pollIntervalMs', { min: 0 })
  if (wasm !== undefined) assertBytes(wasm, 'init.wasm')
  if (now !== undefined) assertFunction(now, 'init.now')
  if (witness !== undefined) for (const call of ['load', 'store'] as const) assertFunction(witness[call], `init.witness.${call}`)
  return openNode(init)
}
