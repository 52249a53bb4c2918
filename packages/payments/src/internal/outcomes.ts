import { assertOptions, throwIfAborted } from '@covey/core'
import { assertAssetId } from '../assets.js'
import { MAX_AMOUNT, MAX_PROOF_BYTES } from '../constants.js'
import { PaymentError } from '../errors.js'
import { MAX_DESTINATION_BYTES } from '../journal.js'
import type { Fee, PaymentOutcome, Quote, Verification } from '../provider.js'

/** For what fails before anything is sent. */
export function refuse(signal: AbortSignal | undefined): (cause: unknown) => never {
  return (cause) => {
    throwIfAborted(signal)
    throw asPaymentError(cause)
  }
}

/** What a provider has failed with before anything was sent. */
export function asPaymentError(cause: unknown): PaymentError {
  if (cause instanceof PaymentError) return cause
  return new PaymentError('PROVIDER_UNAVAILABLE', 'The provider failed before anything was paid.', { cause, retryable: true })
}

/** For what fails after something may have been sent. */
export function notKnown(signal: AbortSignal | undefined): (cause: unknown) => never {
  return (cause) => {
    throwIfAborted(signal)
    throw unknownOutcome(cause)
  }
}

export function unknownOutcome(cause?: unknown): PaymentError {
  return new PaymentError('UNKNOWN_OUTCOME', 'Nobody can say yet whether it was paid.', {
    cause,
    retryable: true,
    hint: 'Call pay or recover again: the payment is looked up, and not made anew.'
  })
}

export function checkQuote(quote: Quote): Quote {
  const amount = quote?.fee?.amount
  if (typeof amount === 'bigint' && amount >= 0n && isOnce(quote.destination)) return quote
  throw new PaymentError('PROVIDER_INVALID', 'The provider has quoted what cannot be.')
}

export function assertFee(fee: Fee): void {
  assertOptions(fee, 'options.maxFee', ['asset', 'amount'])
  assertAssetId(fee.asset, 'options.maxFee.asset')
  if (typeof fee.amount !== 'bigint') throw new TypeError(`options.maxFee.amount must be a bigint, got ${typeof fee.amount}`)
  if (fee.amount < 0n || fee.amount > MAX_AMOUNT) throw new TypeError('options.maxFee.amount must be from 0 to 2^256 - 1')
}

/** What a provider answers comes from the network, or from code of others. What cannot be is nothing that is known. */
export function checkOutcome(outcome: PaymentOutcome): PaymentOutcome {
  switch (outcome?.status) {
    case 'paid':
      if (outcome.proof instanceof Uint8Array && outcome.proof.length <= MAX_PROOF_BYTES) return outcome
      break
    case 'failed':
      if (typeof outcome.code === 'string' && typeof outcome.message === 'string') return outcome
      break
    case 'pending':
    case 'unknown':
      return outcome
  }
  return { status: 'unknown' }
}

/** A proof that uses up nothing would count as often as it is shown. */
export function checkVerification(verification: Verification): Verification {
  const { status, level, confirmations, spends, reason } = verification ?? {}
  const isDepth = confirmations === null || (Number.isSafeInteger(confirmations) && confirmations >= 0)
  const isShown = isOnce(spends) && (level === 'chain' || level === 'preimage')
  if (typeof reason === 'string' && isDepth) {
    if (status === 'invalid' || (status === 'unknown' && (spends === null || isOnce(spends)))) return verification
    if ((status === 'valid' || status === 'pending') && isShown) return verification
  }
  return { status: 'unknown', level: null, confirmations: null, spends: null, reason: 'The provider answers what cannot be.' }
}

function isOnce(bytes: unknown): bytes is Uint8Array {
  return bytes instanceof Uint8Array && bytes.length > 0 && bytes.length <= MAX_DESTINATION_BYTES
}
