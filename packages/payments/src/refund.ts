import { assertOptions, encodeZ32, equalBytes, type Result } from '@covey/core'
import type { PaymentError } from './errors.js'
import { refuse } from './internal/signed-message.js'
import { readReceipt, type PaymentReceipt } from './receipt.js'
import { readRequest, type PaymentRequest } from './request.js'
import { readNotice, type PaymentNotice } from './settlement.js'

/** A payment that is to be given back. */
export interface RefundInit {
  /** The request that was paid: one of the person who gives back. */
  readonly request: PaymentRequest
  /** Who has paid it, and by what. */
  readonly receipt: PaymentReceipt
  /**
   * The request of that payer for their money: see {@link refundReferenceOf}. It names as its payer who gives back, and asks for
   * no more than was paid, in the same asset.
   */
  readonly refundRequest: PaymentRequest
}

/** What shows that a payment was given back. */
export interface RefundClaim extends RefundInit {
  /** By which the payee says so. */
  readonly notice: PaymentNotice
  /** By which the money went back: of the payee, for `refundRequest`. */
  readonly refundReceipt: PaymentReceipt
}

/**
 * The `reference` of a request that asks for the money of a receipt: the hash of the receipt, in z-base-32.
 *
 * @example
 * ```ts
 * import { refundReferenceOf, type PaymentReceipt, type PaymentRequest, type Payments } from '@covey/payments'
 *
 * function askBack(bob: Payments, { room, money, payee }: PaymentRequest, receipt: PaymentReceipt): Promise<PaymentRequest> {
 *   return bob.request({ room, money, payer: payee, purpose: 'The tea was cold', reference: refundReferenceOf(receipt) })
 * }
 * console.log(askBack.name)
 * ```
 */
export function refundReferenceOf({ hash }: Pick<PaymentReceipt, 'hash'>): string {
  return encodeZ32(hash)
}

/** The same as it was signed, whatever the objects say; an error where it does not belong together. */
export function readRefund(init: RefundInit, atMs: number): Result<RefundInit, PaymentError> {
  const request = readRequest(init.request.bytes, { room: init.request.room, atMs })
  if (!request.ok) return request
  const { room, payee, money } = request.value
  const receipt = readReceipt(init.receipt.bytes, { request: request.value, atMs })
  if (!receipt.ok) return receipt
  const refundRequest = readRequest(init.refundRequest.bytes, { room, payee: receipt.value.payer, atMs })
  if (!refundRequest.ok) return refundRequest
  const back = refundRequest.value
  if (back.payer === null || !equalBytes(back.payer, payee)) return refuse('MESSAGE_MISMATCH', 'The request for the money does not ask the payee.')
  if (back.reference !== refundReferenceOf(receipt.value)) return refuse('MESSAGE_MISMATCH', 'The request for the money is not for this receipt.')
  if (back.money.asset !== money.asset || back.money.amount > money.amount) return refuse('MESSAGE_MISMATCH', 'More is asked for than was paid, or another asset.')
  return { ok: true, value: { request: request.value, receipt: receipt.value, refundRequest: back } }
}

/** As {@link readRefund}, and whether the payee says that this is how it is given back. */
export function readRefundClaim(claim: RefundClaim, atMs: number): Result<RefundInit, PaymentError> {
  assertOptions(claim, 'claim', ['request', 'receipt', 'refundRequest', 'notice', 'refundReceipt'])
  const { notice: given, refundReceipt: _, ...init } = claim
  const read = readRefund(init, atMs)
  if (!read.ok) return read
  const notice = readNotice(given.bytes, { kind: 'refund', request: read.value.request, atMs })
  if (!notice.ok) return notice
  const { receipt, refundRequest } = notice.value
  const isThis = equalBytes(receipt!, read.value.receipt.hash) && equalBytes(refundRequest!, read.value.refundRequest.coreHash)
  return isThis ? read : refuse('MESSAGE_MISMATCH', 'The payee speaks of another receipt, or of another request.')
}
