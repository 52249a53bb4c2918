import { assertBytes, assertInteger, assertOptions, assertString, createEvents, equalBytes, raceSignal, throwIfAborted, type EventEmitter } from '@covey/core'
import { Option_u64Z, Retry, RetryableSendFailure, Result_NoneRetryableSendFailureZ_Err } from 'lightningdevkit'
import { PaymentError, type PaymentErrorCode } from '../../errors.js'
import type { PeerLink } from '../../ldk/link.js'
import type { InvoiceInit, LightningChannel, LightningNode, LightningNodeEvents, OpenChannelInit, OutgoingPayment, PayInvoiceOptions } from '../../ldk/node.js'
import type { Channels } from './channels.js'
import { assertAmount, assertNodeId } from './arguments.js'
import { toHex } from '../hex.js'
import { findFee, readInvoice, writeInvoice, type PayableInvoice } from './invoices.js'
import type { Ledger } from './ledger.js'
import type { LdkParts } from './parts.js'
import type { Peers } from './peers.js'
import type { Turns } from './turns.js'

/** What a channel carries at once, by LDK's own choice. */
const MAX_PAYMENTS_IN_FLIGHT = 50
/** How often LDK looks for another way; each time a part of the payment has failed. */
const PAYMENT_RETRIES = 5
/** What fits into the 32 bits of seconds that LDK takes: more than a hundred years. */
const MAX_INVOICE_EXPIRY_MS = 0xffff_ffff * 1000

interface Waiting<Value> {
  resolve(value: Value): void
  reject(error: PaymentError): void
}

export interface LightningNodeParts {
  network: LightningNode['network']
  parts: LdkParts
  peers: Peers
  turns: Turns
  ledger: Ledger
  channels: Channels
  now: () => number
  sync(): Promise<void>
  close(): Promise<void>
}

/** The calls of a node; what happens by itself is in {@link openNode}. */
export class OpenLightningNode implements LightningNode {
  readonly id: Uint8Array
  readonly network: LightningNode['network']
  readonly events: EventEmitter<LightningNodeEvents> = createEvents<LightningNodeEvents>()
  readonly on = this.events.on.bind(this.events)
  readonly once = this.events.once.bind(this.events)
  readonly #node: LightningNodeParts
  readonly #payers = new Map<string, Waiting<OutgoingPayment>[]>()
  #greetings: (Waiting<void> & { peer: Uint8Array })[] = []

  constructor(node: LightningNodeParts) {
    this.#node = node
    this.network = node.network
    this.id = node.turns.look(() => node.parts.manager.get_our_node_id())
  }

  async connect(peer: Uint8Array, link: PeerLink, options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    assertNodeId(peer, 'peer')
    throwIfAborted(options.signal)
    const greeted = new Promise<void>((resolve, reject) => {
      const greeting = { peer, resolve, reject }
      this.#greetings.push(greeting)
      void this.#node.peers.open(link, peer).then(() => {
        this.#greetings = this.#greetings.filter((each) => each !== greeting)
        reject(new PaymentError('PROVIDER_UNAVAILABLE', 'The other node ended the connection.', { retryable: true }))
      })
    })
    try {
      await raceSignal(greeted, options.signal)
    } catch (error) {
      link.close()
      throw error
    }
  }

  accept(link: PeerLink): Promise<void> {
    return this.#node.peers.open(link, null)
  }

  peers(): readonly Uint8Array[] {
    return this.#node.turns.look(() => this.#node.parts.peers.list_peers().map((peer) => peer.get_counterparty_node_id()))
  }

  openChannel(init: OpenChannelInit): Promise<string> {
    return this.#node.channels.open(init)
  }

  channels(): LightningChannel[] {
    return this.#node.channels.list()
  }

  closeChannel(id: string, options: { isForced?: boolean } = {}): Promise<void> {
    return this.#node.channels.close(id, options.isForced ?? false)
  }

  async createInvoice(init: InvoiceInit): Promise<string> {
    assertOptions(init, 'init', ['amountMsat', 'descriptionHash', 'expiresInMs'])
    assertAmount(init.amountMsat, 'init.amountMsat')
    assertBytes(init.descriptionHash, 'init.descriptionHash', 32)
    assertInteger(init.expiresInMs, 'init.expiresInMs', { min: 1, max: MAX_INVOICE_EXPIRY_MS })
    return this.#node.turns.look(() => writeInvoice(this.#node.parts, init, this.#node.now()))
  }

  received(paymentHash: Uint8Array): bigint | undefined {
    return this.#node.ledger.received(paymentHash)
  }

  payment(paymentHash: Uint8Array): OutgoingPayment | undefined {
    return this.#node.ledger.payment(paymentHash)
  }

  async quoteInvoice(text: string): Promise<bigint> {
    assertString(text, 'invoice')
    return this.#node.turns.look(() => findFee(this.#node.parts, this.#payable(readInvoice(text, this.network))))
  }

  async payInvoice(text: string, { maxFeeMsat, signal }: PayInvoiceOptions): Promise<OutgoingPayment> {
    assertString(text, 'invoice')
    throwIfAborted(signal)
    if (typeof maxFeeMsat !== 'bigint' || maxFeeMsat < 0n) throw new TypeError('options.maxFeeMsat must be a bigint from 0')
    const { turns, ledger } = this.#node
    const payment = turns.enter(() => {
      const invoice = readInvoice(text, this.network)
      const before = ledger.newest(invoice.paymentHash)
      if (before === undefined || before.status === 'failed') this.#send(this.#payable(invoice), maxFeeMsat)
      return ledger.newest(invoice.paymentHash)!
    })
    if (payment.status === 'pending') return raceSignal(this.#settlementOf(payment.paymentHash), signal)
    await raceSignal(turns.durable(), signal)
    return payment
  }

  sync(): Promise<void> {
    return this.#node.sync()
  }

  close(): Promise<void> {
    return this.#node.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** A payment is settled, durably. */
  settled(payment: OutgoingPayment): void {
    const key = toHex(payment.paymentHash)
    for (const { resolve } of this.#payers.get(key) ?? []) resolve(payment)
    this.#payers.delete(key)
  }

  /** Who waits for a greeting is told. */
  turned(): void {
    if (this.#greetings.length === 0) return
    const peers = this.peers()
    const isHere = ({ peer }: { peer: Uint8Array }): boolean => peers.some((each) => equalBytes(each, peer))
    for (const { resolve } of this.#greetings.filter(isHere)) resolve()
    this.#greetings = this.#greetings.filter((each) => !isHere(each))
  }

  stopped(error: PaymentError): void {
    const unknown = new PaymentError('UNKNOWN_OUTCOME', 'The wallet stopped before it knew.', { cause: error, retryable: true })
    for (const waiting of this.#payers.values()) for (const { reject } of waiting) reject(unknown)
    for (const { reject } of this.#greetings.splice(0)) reject(error)
    this.#payers.clear()
  }

  #settlementOf(hash: Uint8Array): Promise<OutgoingPayment> {
    return new Promise((resolve, reject) => {
      const key = toHex(hash)
      this.#payers.set(key, [...(this.#payers.get(key) ?? []), { resolve, reject }])
    })
  }

  #payable(invoice: PayableInvoice): PayableInvoice {
    if (invoice.expiresMs <= this.#node.now()) throw new PaymentError('EXPIRED', 'The invoice has expired.')
    return invoice
  }

  /** In one piece with what is written of it: a payment that is in no ledger was never sent. */
  #send(invoice: PayableInvoice, maxFeeMsat: bigint): void {
    const { parts, ledger } = this.#node
    const { paymentHash, amountMsat, recipient, route } = invoice
    if (ledger.pendingCount() >= MAX_PAYMENTS_IN_FLIGHT) {
      throw new PaymentError('PROVIDER_UNAVAILABLE', 'Too many payments are under way.', { retryable: true, hint: 'Wait until one is settled.' })
    }
    if (findFee(parts, invoice) > maxFeeMsat) throw new PaymentError('FEE_TOO_HIGH', 'The payment would cost more than it may.')
    route.set_max_total_routing_fee_msat(Option_u64Z.constructor_some(maxFeeMsat))
    // The hash as the id: LDK itself then refuses a second payment while it knows the first.
    const sent = parts.manager.send_payment(paymentHash, recipient, paymentHash, route, Retry.constructor_attempts(PAYMENT_RETRIES))
    if (sent instanceof Result_NoneRetryableSendFailureZ_Err) throw new PaymentError(codeOf(sent.err), 'The payment could not be sent.')
    ledger.put({ paymentHash, status: 'pending', amountMsat, feeMsat: 0n, preimage: null, code: null })
  }
}

function codeOf(failure: RetryableSendFailure): PaymentErrorCode {
  switch (failure) {
    case RetryableSendFailure.LDKRetryableSendFailure_PaymentExpired:
      return 'EXPIRED'
    case RetryableSendFailure.LDKRetryableSendFailure_RouteNotFound:
      return 'NO_ROUTE'
    case RetryableSendFailure.LDKRetryableSendFailure_DuplicatePayment:
      return 'DUPLICATE'
    default:
      return 'PAYMENT_FAILED'
  }
}
