import { assertInteger, assertOptions, concatBytes, equalBytes, throwIfAborted, withTimeout, isCoveyError } from '@covey/core'
import { BOLT11, createBolt11Method, readBolt11Method, verifyPreimage } from '../bolt11/method.js'
import { PaymentError, type PaymentErrorCode } from '../errors.js'
import { MAX_MSAT } from '../internal/ldk/arguments.js'
import { PREFIXES } from '../internal/ldk/networks.js'
import type { PaymentOrder, PaymentOutcome, PaymentProvider } from '../provider.js'
import type { LightningNode, OutgoingPayment } from './node.js'

/** Options of {@link createLdkProvider}. */
export interface LdkProviderOptions {
  /** How long `pay` waits for the payee before it answers `pending`. Default {@link DEFAULT_PENDING_AFTER_MS}. */
  pendingAfterMs?: number | undefined
}

/** How long a payment is waited for, unless told otherwise: most take seconds, and some are held for days. */
export const DEFAULT_PENDING_AFTER_MS = 60_000

const NODE_BYTES = 33
/** By these a node says that it has sent nothing. By others, such as that it could not write, it says nothing of the payment. */
const UNSENT: readonly PaymentErrorCode[] = [
  'INVOICE_MALFORMED',
  'EXPIRED',
  'INSUFFICIENT_FUNDS',
  'NO_ROUTE',
  'FEE_TOO_HIGH',
  'PROVIDER_UNAVAILABLE',
  'PAYMENT_FAILED'
]

/**
 * Pays and is paid by an embedded node. The node outlives it, and is closed by whoever has opened it.
 *
 * What the node has not written down it has not sent: so the answer of `lookup` is final, whatever moment a process was
 * killed at.
 *
 * @throws {TypeError} when an option is malformed.
 * @example
 * ```ts
 * import type { LocalIdentity } from '@covey/identity'
 * import { createPayments, openFileJournal } from '@covey/payments'
 * import { createLdkProvider, type LightningNode } from '@covey/payments/ldk'
 *
 * async function wallet(bob: LocalIdentity, node: LightningNode) {
 *   return createPayments({ signer: bob, journal: await openFileJournal('./journal'), providers: [createLdkProvider(node)] })
 * }
 * console.log(wallet.name)
 * ```
 */
export function createLdkProvider(node: LightningNode, options: LdkProviderOptions = {}): PaymentProvider {
  assertOptions(options, 'options', ['pendingAfterMs'])
  const { pendingAfterMs = DEFAULT_PENDING_AFTER_MS } = options
  assertInteger(pendingAfterMs, 'options.pendingAfterMs', { min: 1 })
  const asset = `lightning:${PREFIXES[node.network]}/slip44:0`
  return {
    name: 'ldk',
    methods: [BOLT11],
    capabilities: { receive: true, pay: true, verify: true },
    supports: (id) => id === asset,

    async createMethod(core, { signal } = {}) {
      throwIfAborted(signal)
      const expiresInMs = core.expiresMs - Date.now()
      if (expiresInMs <= 0) throw new PaymentError('EXPIRED', 'The request has expired.')
      const { amount: amountMsat } = core.money
      if (amountMsat > MAX_MSAT) throw new PaymentError('AMOUNT_MALFORMED', 'The amount is more than a wallet can be asked for.')
      return createBolt11Method(core, await node.createInvoice({ amountMsat, descriptionHash: core.coreHash, expiresInMs }))
    },

    async quote(order, { signal } = {}) {
      throwIfAborted(signal)
      const { text, paymentHash } = invoiceOf(order)
      return { fee: { asset, amount: await node.quoteInvoice(text) }, destination: paymentHash }
    },

    async pay(order, { maxFee, save, signal }) {
      throwIfAborted(signal)
      const { text, paymentHash } = invoiceOf(order)
      if ((await node.quoteInvoice(text)) > maxFee) throw new PaymentError('FEE_TOO_HIGH', 'The payment would cost more than it may.')
      await save(concatBytes(node.id, paymentHash))
      throwIfAborted(signal)
      try {
        const paid = await withTimeout(node.payInvoice(text, { maxFeeMsat: maxFee, signal }), { timeoutMs: pendingAfterMs, signal })
        return outcomeOf(paid)
      } catch (error) {
        throwIfAborted(signal)
        if (isCoveyError(error, 'TIMEOUT')) return { status: 'pending' }
        if (!isCoveyError<PaymentErrorCode>(error)) throw error
        return UNSENT.includes(error.code) ? { status: 'failed', code: error.code, message: error.message } : { status: 'unknown' }
      }
    },

    async lookup(_order, handle, { signal }) {
      throwIfAborted(signal)
      // Another node knows nothing of it.
      if (handle.length !== NODE_BYTES + 32 || !equalBytes(handle.subarray(0, NODE_BYTES), node.id)) return { status: 'unknown' }
      return outcomeOf(node.payment(handle.subarray(NODE_BYTES)))
    },

    async verify(claim, { signal } = {}) {
      throwIfAborted(signal)
      return verifyPreimage(claim)
    },

    async received(order, { signal } = {}) {
      throwIfAborted(signal)
      return (node.received(invoiceOf(order).paymentHash) ?? 0n) >= order.request.money.amount
    }
  }

  function outcomeOf(payment: OutgoingPayment | undefined): PaymentOutcome {
    if (payment === undefined) return { status: 'failed', code: 'PAYMENT_FAILED', message: 'It was never sent.' }
    const { status, preimage, feeMsat, code } = payment
    if (status === 'paid') return { status, proof: preimage!, fee: { asset, amount: feeMsat } }
    return status === 'failed' ? { status, code: code ?? 'PAYMENT_FAILED', message: 'The payment failed.' } : { status }
  }
}

function invoiceOf(order: PaymentOrder) {
  const invoice = readBolt11Method(order)
  if (!invoice.ok) throw invoice.error
  return invoice.value
}
