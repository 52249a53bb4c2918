import {
  Event_ChannelClosed,
  Event_ChannelPending,
  Event_ChannelReady,
  Event_FundingGenerationReady,
  Event_OpenChannelRequest,
  Event_PaymentClaimable,
  Event_PaymentClaimed,
  Event_PaymentFailed,
  Event_PaymentSent,
  Event_PendingHTLCsForwardable,
  Event_SpendableOutputs,
  EventHandler,
  Option_PaymentFailureReasonZ_Some,
  Option_ThirtyTwoBytesZ_Some,
  Option_u32Z,
  Option_u64Z_Some,
  PaymentFailureReason,
  PaymentPurpose_Bolt11InvoicePayment,
  Result_NoneReplayEventZ,
  type Event
} from 'lightningdevkit'
import type { PaymentErrorCode } from '../../errors.js'
import type { ChannelOffer, OutgoingPayment } from '../../ldk/node.js'
import { toHex } from '../hex.js'
import type { Ledger } from './ledger.js'
import type { LdkParts } from './parts.js'

/** What a node is told of while it settles; called when it is durable. */
export interface Told {
  received(paymentHash: Uint8Array, amountMsat: bigint): void
  settled(payment: OutgoingPayment): void
  offered(offer: ChannelOffer, event: Event_OpenChannelRequest): void
  fundable(event: Event_FundingGenerationReady): void
  agreed(channelNumber: bigint, id: string): void
  ready(id: string, peer: Uint8Array): void
  closed(channelNumber: bigint, id: string, reason: string): void
}

/**
 * Lets LDK do all that it can do now. What others are to hear of it is not told here: it is returned, in order, for
 * when the state is written.
 */
export function settle(parts: LdkParts, ledger: Ledger, told: Told): (() => void)[] {
  const later: (() => void)[] = []
  for (;;) {
    const events: Event[] = []
    const collector = EventHandler.new_impl({
      handle_event(event) {
        events.push(event)
        return Result_NoneReplayEventZ.constructor_ok()
      }
    })
    for (const source of parts.sources) source.process_pending_events(collector)
    for (const event of events) handle(event, parts, ledger, told, later)
    parts.peers.process_events()
    if (events.length === 0) return later
  }
}

function handle(event: Event, parts: LdkParts, ledger: Ledger, told: Told, later: (() => void)[]): void {
  const { manager, sweeper } = parts
  if (event instanceof Event_PendingHTLCsForwardable) {
    manager.process_pending_htlc_forwards()
  } else if (event instanceof Event_PaymentClaimable) {
    claim(event, parts, ledger)
  } else if (event instanceof Event_PaymentClaimed) {
    const { payment_hash: hash, amount_msat: amountMsat } = event
    ledger.receive(hash, amountMsat)
    later.push(() => told.received(hash, amountMsat))
  } else if (event instanceof Event_PaymentSent) {
    const fee = event.fee_paid_msat
    settled(event.payment_hash, { status: 'paid', preimage: event.payment_preimage, feeMsat: fee instanceof Option_u64Z_Some ? fee.some : 0n })
  } else if (event instanceof Event_PaymentFailed) {
    // The id is the hash: see the node.
    settled(event.payment_id, { status: 'failed', code: codeOf(event) })
  } else if (event instanceof Event_OpenChannelRequest) {
    later.push(() => told.offered({ peer: event.counterparty_node_id, amountSat: event.funding_satoshis }, event))
  } else if (event instanceof Event_FundingGenerationReady) {
    later.push(() => told.fundable(event))
  } else if (event instanceof Event_ChannelPending) {
    later.push(() => told.agreed(event.user_channel_id, toHex(event.channel_id.get_a())))
  } else if (event instanceof Event_ChannelReady) {
    later.push(() => told.ready(toHex(event.channel_id.get_a()), event.counterparty_node_id))
  } else if (event instanceof Event_ChannelClosed) {
    later.push(() => told.closed(event.user_channel_id, toHex(event.channel_id.get_a()), event.reason.constructor.name.replace('ClosureReason_', '')))
  } else if (event instanceof Event_SpendableOutputs) {
    sweeper.track_spendable_outputs(event.outputs, event.channel_id, false, Option_u32Z.constructor_none())
  }

  function settled(hash: Uint8Array, change: Partial<OutgoingPayment>): void {
    const before = ledger.newest(hash)
    // LDK may tell twice of what is settled.
    if (before === undefined || before.status === 'paid') return
    const payment = { ...before, ...change }
    ledger.put(payment)
    later.push(() => told.settled(payment))
  }
}

/** An invoice is paid once: LDK would take the money any number of times. */
function claim({ payment_hash: hash, purpose }: Event_PaymentClaimable, { manager }: LdkParts, ledger: Ledger): void {
  const preimage = purpose instanceof PaymentPurpose_Bolt11InvoicePayment ? purpose.payment_preimage : undefined
  if (preimage instanceof Option_ThirtyTwoBytesZ_Some && !ledger.hasReceived(hash)) manager.claim_funds(preimage.some)
  else manager.fail_htlc_backwards(hash)
}

function codeOf({ reason }: Event_PaymentFailed): PaymentErrorCode {
  if (!(reason instanceof Option_PaymentFailureReasonZ_Some)) return 'PAYMENT_FAILED'
  switch (reason.some) {
    case PaymentFailureReason.LDKPaymentFailureReason_PaymentExpired:
      return 'EXPIRED'
    case PaymentFailureReason.LDKPaymentFailureReason_RouteNotFound:
    case PaymentFailureReason.LDKPaymentFailureReason_RetriesExhausted:
      return 'NO_ROUTE'
    default:
      return 'PAYMENT_FAILED'
  }
}
