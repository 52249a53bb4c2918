/**
 * Payment requests and receipts that every member of a room can verify, without a wallet of their own. No provider
 * inside: those are entry points of their own, so that an app installs only what it uses.
 *
 * @example
 * ```ts
 * import { createMemorySecretStore, openIdentity } from '@covey/identity'
 * import { draftRequest, formatAmount, knownAssets, signRequest } from '@covey/payments'
 *
 * const alice = await openIdentity({ storage: createMemorySecretStore() })
 * const usdt = knownAssets.get('eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7')
 * const core = draftRequest({
 *   room: new Uint8Array(32),
 *   payee: alice.identity.publicKey,
 *   money: { asset: usdt.id, amount: 2_500_000n },
 *   purpose: 'Tea for two'
 * })
 * const request = signRequest(alice, core, [{ type: 'evm', data: new Uint8Array(20) }])
 * console.log(formatAmount(request.money.amount, usdt), usdt.symbol) // 2.5 USDt
 * ```
 *
 * @packageDocumentation
 */
export { assertAssetId, createAssetRegistry, knownAssets, type Asset, type AssetId, type AssetRegistry } from './assets.js'
export {
  DEFAULT_REQUEST_EXPIRY_MS,
  MAX_AMOUNT,
  MAX_METHOD_BYTES,
  MAX_METHODS,
  MAX_PROOF_BYTES,
  MAX_PURPOSE_BYTES,
  MAX_REFERENCE_BYTES,
  MAX_SIGNED_MESSAGE_BYTES
} from './constants.js'
export {
  paymentAckContent,
  paymentCancelContent,
  paymentReceiptContent,
  paymentRefundContent,
  paymentRequestContent
} from './content.js'
export { isPaymentUnsettled, PaymentError, type PaymentErrorCode } from './errors.js'
export { openFileJournal } from './file-journal.js'
export {
  createGate,
  DEFAULT_GATE_EXPIRY_MS,
  type Gate,
  type GateGrant,
  type GateInit,
  type OpenedGate,
  type OpenGateOptions
} from './gate.js'
export {
  createMemoryGateJournal,
  MAX_GRANT_BYTES,
  openGateJournal,
  type GateEntry,
  type GateJournal,
  type GateState
} from './gate-journal.js'
export type { DurableMap } from './internal/durable-folder.js'
export type { ExpectedMessage, SignedMessage, Signer } from './internal/signed-message.js'
export {
  createMemoryJournal,
  MAX_DESTINATION_BYTES,
  MAX_HANDLE_BYTES,
  type JournalEntry,
  type PaymentJournal,
  type PaymentState
} from './journal.js'
export { createMeter, GB_DAY, type Meter, type MeterBalance, type MeterHold, type MeterInit } from './meter.js'
export { createMemoryMeterJournal, MAX_HOLDS, openMeterJournal, type MeterCredit, type MeterJournal } from './meter-journal.js'
export type { MeterAccount } from './internal/account.js'
export { assertMoney, formatAmount, parseAmount, type AmountStyle, type FormatAmountOptions, type Money } from './money.js'
export {
  createPayments,
  type PayOptions,
  type Payments,
  type PaymentsInit,
  type PaymentsRequestInit,
  type ReceiptClaim,
  type RecoveredPayment,
  type SettlementOptions
} from './payments.js'
export type { Settlement } from './internal/settle.js'
export type { Spending, SpendingLimit, SpendingPolicy } from './policy.js'
export type {
  Fee,
  LookupOptions,
  PaymentClaim,
  PaymentOrder,
  PaymentOutcome,
  PaymentProvider,
  PayOrderOptions,
  ProviderOptions,
  Quote,
  Verification
} from './provider.js'
export { readReceipt, signReceipt, type ExpectedReceipt, type PaymentReceipt, type ReceiptInit } from './receipt.js'
export { refundReferenceOf, type RefundClaim, type RefundInit } from './refund.js'
export {
  draftRequest,
  readRequest,
  signRequest,
  type ExpectedRequest,
  type PaymentMethod,
  type PaymentRequest,
  type RequestCore,
  type RequestInit
} from './request.js'
export { paymentTipContent, readTipReference, tipReference, type TipOffer } from './tip.js'
export { readNotice, signNotice, type ExpectedNotice, type NoticeInit, type PaymentNotice } from './settlement.js'
