import {
  Bolt11Invoice,
  Bolt11InvoiceDescription,
  Currency,
  Option_ThirtyTwoBytesZ,
  Option_u16Z,
  Option_u32Z,
  Option_u64Z,
  Option_u64Z_Some,
  Result_Bolt11InvoiceParseOrSemanticErrorZ_OK,
  Result_Bolt11InvoiceSignOrCreationErrorZ_OK,
  Result_C3Tuple_ThirtyTwoBytesRecipientOnionFieldsRouteParametersZNoneZ_OK,
  Result_RouteLightningErrorZ_OK,
  Sha256,
  UtilMethods,
  type RecipientOnionFields,
  type RouteParameters
} from 'lightningdevkit'
import { PaymentError } from '../../errors.js'
import type { InvoiceInit, LightningNetwork } from '../../ldk/node.js'
import { MAX_MSAT } from './arguments.js'
import type { LdkParts } from './parts.js'

const CURRENCIES: Readonly<Record<LightningNetwork, Currency>> = {
  bitcoin: Currency.LDKCurrency_Bitcoin,
  testnet: Currency.LDKCurrency_BitcoinTestnet,
  signet: Currency.LDKCurrency_Signet,
  regtest: Currency.LDKCurrency_Regtest
}

const MAX_INVOICE_CHARACTERS = 4_096
/** What LDK takes. */
const MAX_EXPIRY_SECONDS = 0xffff_ffff

/** An invoice that may be paid now. */
export interface PayableInvoice {
  readonly paymentHash: Uint8Array
  readonly amountMsat: bigint
  readonly expiresMs: number
  readonly recipient: RecipientOnionFields
  readonly route: RouteParameters
}

/** @throws {PaymentError} INVOICE_MALFORMED */
export function readInvoice(text: string, network: LightningNetwork): PayableInvoice {
  const read = text.length > MAX_INVOICE_CHARACTERS ? undefined : Bolt11Invoice.constructor_from_str(text)
  if (!(read instanceof Result_Bolt11InvoiceParseOrSemanticErrorZ_OK)) throw malformed('The invoice is malformed.')
  const invoice = read.res
  if (invoice.currency() !== CURRENCIES[network]) throw malformed('The invoice is for another network.')
  const amount = invoice.amount_milli_satoshis()
  if (!(amount instanceof Option_u64Z_Some) || amount.some < 1n || amount.some > MAX_MSAT) throw malformed('The invoice names no amount.')
  const parameters = UtilMethods.constructor_payment_parameters_from_invoice(invoice)
  if (!(parameters instanceof Result_C3Tuple_ThirtyTwoBytesRecipientOnionFieldsRouteParametersZNoneZ_OK)) throw malformed('The invoice cannot be paid.')
  const expiresSeconds = invoice.duration_since_epoch() + invoice.expiry_time()
  return {
    paymentHash: invoice.payment_hash(),
    amountMsat: amount.some,
    expiresMs: Number(expiresSeconds) * 1000,
    recipient: parameters.res.get_b(),
    route: parameters.res.get_c()
  }
}

/**
 * LDK has no clock here: it dates invoices by the newest block, which may be an hour old, or ahead. So the first one
 * tells the date, and the second lasts for as long as is meant by the clock.
 *
 * @throws {PaymentError} PROVIDER_UNAVAILABLE
 */
export function writeInvoice({ manager }: LdkParts, { amountMsat, descriptionHash, expiresInMs }: InvoiceInit, nowMs: number): string {
  const dated = create(1)
  const lastsSeconds = Math.floor((nowMs + expiresInMs) / 1000) - Number(dated.duration_since_epoch())
  if (lastsSeconds < 1) throw new PaymentError('PROVIDER_UNAVAILABLE', 'The clock is behind the chain: the invoice would have expired.')
  return create(lastsSeconds).to_str()

  function create(seconds: number): Bolt11Invoice {
    const created = manager.create_bolt11_invoice(
      Option_u64Z.constructor_some(amountMsat),
      Bolt11InvoiceDescription.constructor_hash(Sha256.constructor_from_bytes(descriptionHash)),
      Option_u32Z.constructor_some(Math.min(seconds, MAX_EXPIRY_SECONDS)),
      Option_u16Z.constructor_none(),
      Option_ThirtyTwoBytesZ.constructor_none()
    )
    if (created instanceof Result_Bolt11InvoiceSignOrCreationErrorZ_OK) return created.res
    throw new PaymentError('PROVIDER_UNAVAILABLE', 'The node could not make an invoice.')
  }
}

/**
 * What paying would cost at most.
 *
 * @throws {PaymentError} INSUFFICIENT_FUNDS, NO_ROUTE
 */
export function findFee({ manager, router }: LdkParts, { route, amountMsat }: PayableInvoice): bigint {
  const usable = manager.list_usable_channels()
  const parameters = route.clone()
  parameters.set_max_total_routing_fee_msat(Option_u64Z.constructor_none())
  const found = router.find_route(manager.get_our_node_id(), parameters, usable, manager.compute_inflight_htlcs())
  if (found instanceof Result_RouteLightningErrorZ_OK) return found.res.get_total_fees()
  const available = manager.list_channels().reduce((sum, channel) => sum + channel.get_outbound_capacity_msat(), 0n)
  if (available < amountMsat) throw new PaymentError('INSUFFICIENT_FUNDS', 'The channels of the node do not hold enough.')
  throw new PaymentError('NO_ROUTE', 'There is no way to the payee with enough capacity now.', { retryable: true })
}

function malformed(message: string): PaymentError {
  return new PaymentError('INVOICE_MALFORMED', message)
}
