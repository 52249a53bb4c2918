import type { EventSource } from '@covey/core'
import type { PaymentError, PaymentErrorCode } from '../errors.js'
import type { StateWitness } from '../internal/ldk/state-folder.js'
import type { LightningChain } from './chain.js'
import type { PeerLink } from './link.js'

/** Which bitcoin. */
export type LightningNetwork = 'bitcoin' | 'testnet' | 'signet' | 'regtest'

/** A channel that somebody wants to open with this node. */
export interface ChannelOffer {
  /** The id of their node, 33 bytes. */
  readonly peer: Uint8Array
  /** What they put in, in satoshis. */
  readonly amountSat: bigint
}

/** What {@link openLightningNode} takes. */
export interface LightningNodeInit {
  /** The folder of this node alone. **Never copy it, never restore it, never put it where a backup does.** */
  storage: string
  /**
   * 32 secret bytes, the same each time. The node's keys are derived from them under a name of their own, so that they
   * tell nothing of what else is derived from the same bytes, and the other way round.
   */
  seed: Uint8Array
  network: LightningNetwork
  chain: LightningChain
  /** The output script that money goes to when a channel is closed: an address of a wallet of yours, as a script. */
  payoutScript: Uint8Array
  /** Whether to take a channel. Default: none is taken. */
  acceptChannel?: ((offer: ChannelOffer) => boolean | Promise<boolean>) | undefined
  /** Where the number of the newest state is kept besides. Default: nowhere, and only copies and restored backups are found. */
  witness?: StateWitness | undefined
  /** Takes a copied or restored folder: only where no other copy will ever run again, and this is the newest. Default `false`. */
  acceptMoved?: boolean | undefined
  /** How often the chain is asked for news. Default {@link DEFAULT_POLL_INTERVAL_MS}; 0 is never, for tests that call `sync`. */
  pollIntervalMs?: number | undefined
  /** The bytes of `liblightningjs.wasm`, for bundles that cannot find it. Default: of the installed package. */
  wasm?: Uint8Array | undefined
  /** The time in milliseconds since 1970, for expiries. Default: `Date.now`. */
  now?: (() => number) | undefined
}

/** A channel with another node. Amounts in millisatoshis. */
export interface LightningChannel {
  /** 64 hexadecimal digits. */
  readonly id: string
  /** The id of the other node, 33 bytes. */
  readonly peer: Uint8Array
  /** The other node is connected, and payments can go. */
  readonly isUsable: boolean
  /** What can be paid through it now. */
  readonly outboundMsat: bigint
  /** What can be received through it now. */
  readonly inboundMsat: bigint
}

/** What {@link LightningNode.openChannel} takes. */
export interface OpenChannelInit {
  /** The id of the other node, 33 bytes, which is connected. */
  peer: Uint8Array
  /** What this node puts in, in satoshis. */
  amountSat: bigint
  /** What of it is given to the other node at once, in millisatoshis. Default 0. */
  pushMsat?: bigint | undefined
  /**
   * Resolves to a signed transaction with segwit inputs that pays `amountSat` to `script`, **and does not broadcast it**:
   * the node does, once the other one has signed what takes the money back.
   */
  fund(output: { readonly script: Uint8Array; readonly amountSat: bigint }): Promise<Uint8Array>
}

/** What {@link LightningNode.createInvoice} takes. */
export interface InvoiceInit {
  /** From 1 on. */
  amountMsat: bigint
  /** SHA-256 of what is paid for, 32 bytes. */
  descriptionHash: Uint8Array
  expiresInMs: number
}

/** Options of {@link LightningNode.payInvoice}. */
export interface PayInvoiceOptions {
  /** The most that it may cost on top of the amount, in millisatoshis. */
  maxFeeMsat: bigint
  signal?: AbortSignal | undefined
}

/** A payment that this node makes or has made. */
export interface OutgoingPayment {
  /** 32 bytes. */
  readonly paymentHash: Uint8Array
  /** `failed` is for good: nothing was paid by it, and nothing will be. */
  readonly status: 'pending' | 'paid' | 'failed'
  readonly amountMsat: bigint
  /** 0 unless `paid`. */
  readonly feeMsat: bigint
  /** 32 bytes; `null` unless `paid`. */
  readonly preimage: Uint8Array | null
  /** `null` unless `failed`. */
  readonly code: PaymentErrorCode | null
}

/** What happens to a node. Hints: what counts is asked for. */
export interface LightningNodeEvents {
  /** An invoice of this node was paid; it is durable. */
  received: { readonly paymentHash: Uint8Array; readonly amountMsat: bigint }
  /** A payment of this node was settled; it is durable. */
  payment: OutgoingPayment
  channelReady: { readonly id: string; readonly peer: Uint8Array }
  channelClosed: { readonly id: string; readonly reason: string }
  /** The chain could not be asked, or something else that is tried again; `WALLET_FAILED` when the node has stopped. */
  error: PaymentError
}

/** An embedded Lightning node. Experimental: see {@link openLightningNode}. */
export interface LightningNode extends EventSource<LightningNodeEvents>, AsyncDisposable {
  /** 33 bytes. */
  readonly id: Uint8Array
  readonly network: LightningNetwork
  /**
   * Talks to another node over a link. Resolves when both have greeted each other; the link is closed by either.
   *
   * @throws {PaymentError} PROVIDER_UNAVAILABLE when the link ends first.
   * @throws {TypeError} when an argument is malformed.
   */
  connect(peer: Uint8Array, link: PeerLink, options?: { signal?: AbortSignal | undefined }): Promise<void>
  /** Lets another node talk to this one, whoever it is. Resolves when the link has ended. */
  accept(link: PeerLink): Promise<void>
  /** The ids of the nodes that are connected. */
  peers(): readonly Uint8Array[]
  /**
   * Opens a channel, and resolves to its id when the other node has agreed. It can be used when `channelReady` tells so.
   *
   * @throws {PaymentError} CHANNEL_FAILED, and what `fund` throws.
   */
  openChannel(init: OpenChannelInit): Promise<string>
  channels(): readonly LightningChannel[]
  /**
   * Asks the other node to close a channel together; it resolves at once. What is this node's goes to `payoutScript`.
   *
   * @throws {PaymentError} CHANNEL_FAILED when there is no such channel.
   */
  closeChannel(id: string, options?: { isForced?: boolean }): Promise<void>
  /** A BOLT11 invoice of this node. */
  createInvoice(init: InvoiceInit): Promise<string>
  /** What was received for an invoice of this node, in millisatoshis, durably; `undefined` when nothing was. */
  received(paymentHash: Uint8Array): bigint | undefined
  /**
   * What paying an invoice would cost at most, in millisatoshis.
   *
   * @throws {PaymentError} as {@link payInvoice}, but for FEE_TOO_HIGH and DUPLICATE.
   */
  quoteInvoice(invoice: string): Promise<bigint>
  /**
   * Pays an invoice: never twice, whatever happens. Resolves when it has failed for good or is paid, and at once where
   * it was before. After an abort the payment goes on, and {@link payment} tells of it.
   *
   * @throws {PaymentError} INVOICE_MALFORMED, EXPIRED, INSUFFICIENT_FUNDS, NO_ROUTE, FEE_TOO_HIGH, PROVIDER_UNAVAILABLE
   * when 50 are under way; nothing was sent then. UNKNOWN_OUTCOME when the node stops first.
   */
  payInvoice(invoice: string, options: PayInvoiceOptions): Promise<OutgoingPayment>
  /** What became of a payment of this node; `undefined` when none was ever sent. */
  payment(paymentHash: Uint8Array): OutgoingPayment | undefined
  /** Asks the chain for news. */
  sync(): Promise<void>
  /** Ends all links, writes what is to be written, and lets the folder go. May be called twice. */
  close(): Promise<void>
}

/** How often the chain is asked for news, unless told otherwise. */
export const DEFAULT_POLL_INTERVAL_MS = 30_000
