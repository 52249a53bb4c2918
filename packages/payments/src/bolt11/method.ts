import { assertBytes, concatBytes, decodeUtf8, encodeUtf8, equalBytes, throwIfAborted, type Result } from '@covey/core'
import { sha256 } from '@noble/hashes/sha2.js'
import { PaymentError } from '../errors.js'
import type { PaymentClaim, PaymentOrder, PaymentProvider, Verification } from '../provider.js'
import type { PaymentMethod, RequestCore } from '../request.js'
import { decodeBolt11, type Bolt11Invoice } from './decode.js'

/** The type of the methods that are BOLT11 invoices. */
export const BOLT11 = 'bolt11'

const NODE_BYTES = 33

/**
 * The method that is this invoice: the key of its node, which the payee vouches for by signing the request, and its text.
 *
 * @throws {PaymentError} INVOICE_MALFORMED, METHOD_MISMATCH where the invoice does not say what the core says.
 * @example
 * ```ts
 * import type { RequestCore } from '@covey/payments'
 * import { createBolt11Method } from '@covey/payments/bolt11'
 *
 * // `makeInvoice` is the wallet's: for the amount, with the coreHash as description_hash.
 * async function method(core: RequestCore, makeInvoice: (amount: bigint, descriptionHash: Uint8Array) => Promise<string>) {
 *   return createBolt11Method(core, await makeInvoice(core.money.amount, core.coreHash))
 * }
 * ```
 */
export function createBolt11Method(core: RequestCore, invoice: string): PaymentMethod {
  const decoded = decodeBolt11(invoice)
  if (!decoded.ok) throw decoded.error
  const { node, text } = decoded.value
  const method = { type: BOLT11, data: concatBytes(node, encodeUtf8(text)) }
  const read = readBolt11Method({ request: core, method })
  if (!read.ok) throw read.error
  return method
}

/**
 * The invoice of a method, where it says what the request says: by the node that the payee has named, on the network of
 * the asset, for exactly the amount, with the `coreHash` as its `description_hash`. So an invoice belongs to one
 * request of one payee in one room. The error's code is `METHOD_MISMATCH`.
 *
 * @throws {TypeError} when an argument of the caller has the wrong type.
 */
export function readBolt11Method({ request, method }: { request: RequestCore; method: PaymentMethod }): Result<Bolt11Invoice, PaymentError> {
  assertBytes(method.data, 'method.data')
  const text = decodeUtf8(method.data.subarray(NODE_BYTES))
  if (method.type !== BOLT11 || method.data.length <= NODE_BYTES || !text.ok) return mismatch('The method is no invoice.')
  const decoded = decodeBolt11(text.value)
  if (!decoded.ok) return mismatch(decoded.error.message)
  const invoice = decoded.value
  // One text for an invoice, so that the method has one too.
  if (invoice.text !== text.value) return mismatch('The invoice is not in lower case.')
  if (!equalBytes(invoice.node, method.data.subarray(0, NODE_BYTES))) return mismatch('The invoice is of another node than the payee has named.')
  if (`lightning:${invoice.network}/slip44:0` !== request.money.asset) return mismatch('The invoice is for another network.')
  if (invoice.amount !== request.money.amount) return mismatch('The invoice is for another amount.')
  if (invoice.descriptionHash === null || !equalBytes(invoice.descriptionHash, request.coreHash)) {
    return mismatch('The invoice is for something else than the request.')
  }
  return { ok: true, value: invoice }
}

/**
 * Whether the proof of a claim is the preimage of its invoice: what a provider of Lightning answers to `verify`. At the
 * level `preimage`, which says what it is worth; `spends` is the payment hash.
 *
 * @throws {TypeError} when an argument of the caller has the wrong type.
 */
export function verifyPreimage(claim: PaymentClaim): Verification {
  const invoice = readBolt11Method(claim)
  if (!invoice.ok) return invalid(invoice.error.message)
  const { paymentHash } = invoice.value
  if (claim.proof.length !== 32 || !equalBytes(sha256(claim.proof), paymentHash)) return invalid('The proof is not the preimage of the invoice.')
  return { status: 'valid', level: 'preimage', confirmations: null, spends: paymentHash, reason: 'The proof is the preimage of the invoice.' }
}

/**
 * A provider that verifies Lightning payments, without a wallet and without a network, and does nothing else.
 *
 * @example
 * ```ts
 * import type { LocalIdentity } from '@covey/identity'
 * import { createMemoryJournal, createPayments } from '@covey/payments'
 * import { createBolt11Verifier } from '@covey/payments/bolt11'
 *
 * function watch(carol: LocalIdentity) {
 *   return createPayments({ signer: carol, journal: createMemoryJournal(), providers: [createBolt11Verifier()] })
 * }
 * ```
 */
export function createBolt11Verifier(): PaymentProvider {
  const refuse = async (): Promise<never> => {
    throw new PaymentError('NO_METHOD', 'This provider only verifies.')
  }
  return {
    name: 'bolt11-verifier',
    methods: [BOLT11],
    capabilities: { receive: false, pay: false, verify: true },
    supports: (asset) => /^lightning:(?:bcrt|bc|tbs|tb)\/slip44:0$/.test(asset),
    createMethod: refuse,
    async quote(order: PaymentOrder) {
      const invoice = readBolt11Method(order)
      if (!invoice.ok) throw invoice.error
      return refuse()
    },
    pay: refuse,
    lookup: async () => ({ status: 'unknown' }),
    async verify(claim, { signal } = {}) {
      throwIfAborted(signal)
      return verifyPreimage(claim)
    }
  }
}

function mismatch(message: string): { readonly ok: false; readonly error: PaymentError } {
  return { ok: false, error: new PaymentError('METHOD_MISMATCH', message) }
}

function invalid(reason: string): Verification {
  return { status: 'invalid', level: null, confirmations: null, spends: null, reason }
}
