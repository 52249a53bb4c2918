import { CoveyError, isCoveyError } from '@covey/core'

/** What `@covey/payments` can fail with, for reasons other than a wrong argument. */
export type PaymentErrorCode =
  /** A text is no amount, or one with more digits than the asset has. */
  | 'AMOUNT_MALFORMED'
  /** The asset is not in the registry: its decimals are not known, and are never guessed. */
  | 'UNKNOWN_ASSET'
  /** A signed message does not follow its format. */
  | 'MESSAGE_MALFORMED'
  /** A signed message has a version that this package does not know. */
  | 'MESSAGE_TOO_NEW'
  /** A signed message was made for another room. */
  | 'MESSAGE_WRONG_ROOM'
  /** A signed message is not signed by whom it speaks for. */
  | 'MESSAGE_BAD_SIGNATURE'
  /** A receipt, ack, cancel or refund belongs to another request, or comes from somebody else. */
  | 'MESSAGE_MISMATCH'
  /** An invoice or a payment URI does not follow its format, or its signature or checksum does not match. */
  | 'INVOICE_MALFORMED'
  /** An address or host is one that nothing is asked of: not allowed, or in a private network. */
  | 'HOST_REFUSED'
  /** No provider can pay, or be paid, by any method of the request. */
  | 'NO_METHOD'
  /** A method of the request does not say what the request says. Nothing was paid. */
  | 'METHOD_MISMATCH'
  /** The request has expired, by this device's clock. */
  | 'EXPIRED'
  /** The payee has taken the request back. */
  | 'CANCELLED'
  /** The request, or the same invoice by another request, was paid before; or the payment was given back before. */
  | 'DUPLICATE'
  /** The money is not here, or not yet, as far as one's own wallet or a chain tells: nothing is given for it, and it is neither acknowledged nor refunded. */
  | 'NOT_PAID'
  /** The fee would be more than `maxFee`. */
  | 'FEE_TOO_HIGH'
  /** The spending policy, or the person, said no. */
  | 'DECLINED'
  /** A limit of the spending policy, or of the wallet, would be passed. */
  | 'BUDGET_EXCEEDED'
  /** The wallet does not hold enough. */
  | 'INSUFFICIENT_FUNDS'
  /** There is no way to the payee with enough capacity. */
  | 'NO_ROUTE'
  /** The wallet has to be unlocked first. */
  | 'WALLET_LOCKED'
  /** The provider does not answer. Where a payment was under way, `UNKNOWN_OUTCOME` says so instead. */
  | 'PROVIDER_UNAVAILABLE'
  /** The provider answered with something that cannot be. */
  | 'PROVIDER_INVALID'
  /** The payment failed for good; nothing was paid. */
  | 'PAYMENT_FAILED'
  /** Nobody can say yet whether it was paid. It is looked up by the next `pay` or `recover`, and never paid anew. */
  | 'UNKNOWN_OUTCOME'
  /** A gate has not made the request. */
  | 'GATE_UNKNOWN_REQUEST'
  /** It was paid for, and could not be granted. Ask again. */
  | 'GATE_GRANT_FAILED'
  /** Neither credit nor the window of a meter has room for it. */
  | 'CREDIT_EXHAUSTED'
  /** Another process has the journal open. */
  | 'JOURNAL_LOCKED'
  /** The journal has an entry that cannot be read: what it names is not paid, for it may have been. */
  | 'JOURNAL_DAMAGED'
  /** The journal could not be read or written; nothing is paid without it. */
  | 'JOURNAL_FAILED'
  /** Another process, or another call in this one, has the folder of the wallet open. */
  | 'WALLET_STATE_LOCKED'
  /** The folder of the wallet holds an older state than the wallet has had: run with it, money can be lost. */
  | 'WALLET_STATE_STALE'
  /** The folder of the wallet is a copy, or was restored: two that run on one state lose money. */
  | 'WALLET_STATE_MOVED'
  /** The folder of the wallet cannot be read, or belongs to another seed or network. */
  | 'WALLET_STATE_DAMAGED'
  /** The wallet could not write its state, or has found itself broken. It has stopped; open it anew. */
  | 'WALLET_FAILED'
  /** The other node did not take the channel, or it was closed before it could be used. */
  | 'CHANNEL_FAILED'
  /** It was closed. */
  | 'PAYMENTS_CLOSED'

/**
 * The error class of `@covey/payments`. No message contains a key, a preimage that is not public, or a URL of a
 * wallet connection.
 *
 * @example
 * ```ts
 * import { isCoveyError } from '@covey/core'
 * import { knownAssets, parseAmount, type PaymentErrorCode } from '@covey/payments'
 *
 * try {
 *   parseAmount('1,5', knownAssets.get('lightning:bc/slip44:0'))
 * } catch (error) {
 *   if (!isCoveyError<PaymentErrorCode>(error, 'AMOUNT_MALFORMED')) throw error
 *   console.log(error.hint)
 * }
 * ```
 */
export class PaymentError extends CoveyError<PaymentErrorCode> {
  override readonly name = 'PaymentError'
}

/**
 * Whether a payment that failed with `error` may still arrive. Then `pay` is to be called again for the same request,
 * and nothing else is to be paid in its place.
 *
 * @example
 * ```ts
 * import { isPaymentUnsettled } from '@covey/payments'
 *
 * console.log(isPaymentUnsettled(new Error('something else')))
 * ```
 */
export function isPaymentUnsettled(error: unknown): boolean {
  // A provider whose proof is none may have paid all the same.
  return isCoveyError(error, 'UNKNOWN_OUTCOME') || isCoveyError(error, 'PROVIDER_INVALID')
}
