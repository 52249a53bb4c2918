import type { AssetId } from './assets.js'
import type { PaymentErrorCode } from './errors.js'
import type { PaymentMethod, PaymentRequest, RequestCore } from './request.js'

/** What moving money costs, on top of what is paid. Not always in the asset that is paid: EVM chains take their own coin. */
export interface Fee {
  readonly asset: AssetId
  /** In the smallest unit, from 0 on. */
  readonly amount: bigint
}

/** A request, and the method of it by which it is paid. */
export interface PaymentOrder {
  readonly request: PaymentRequest
  readonly method: PaymentMethod
}

/** What paying would cost, and where to. */
export interface Quote {
  /** The most that it can cost as things are. */
  readonly fee: Fee
  /**
   * What is paid to and can be paid only once, at most 128 bytes: the payment hash of an invoice, an address that was
   * made for the request. Two requests with the same one are not both paid.
   */
  readonly destination: Uint8Array
}

/** What has become of a payment. `failed` is for good: nothing was paid, and nothing will be. */
export type PaymentOutcome =
  | { readonly status: 'paid'; readonly proof: Uint8Array; readonly fee: Fee | null }
  | { readonly status: 'failed'; readonly code: PaymentErrorCode; readonly message: string }
  | { readonly status: 'pending' }
  | { readonly status: 'unknown' }

/** Whether a proof shows that the request was paid. */
export interface Verification {
  /**
   * - `valid`: it does, at the given level;
   * - `invalid`: it does not, and never will;
   * - `pending`: it may once there are more confirmations;
   * - `unknown`: nobody could be asked. Ask again later.
   */
  readonly status: 'valid' | 'invalid' | 'pending' | 'unknown'
  /**
   * What it rests on: `chain`, that a chain has it so many `confirmations` deep; `preimage`, that the payer knows what
   * the payee's node tells whoever has paid. **The payee knows it too, and so does every node between them**: it shows
   * the payee that this payment came, and shows others only that payee or payer say so. `null` unless `valid` or `pending`.
   */
  readonly level: 'chain' | 'preimage' | null
  /** How many blocks stand on the payment, its own counted; 0 where there is none, `null` at any other level. */
  readonly confirmations: number | null
  /**
   * What the proof uses up, at most 128 bytes: of all receipts with the same, the first in the room's order counts. `null`
   * where the proof is none.
   */
  readonly spends: Uint8Array | null
  /** When it was paid, by the chain's clock, in milliseconds since 1970; left out where nothing tells. */
  readonly paidMs?: number | undefined
  /** Why, for people who look into it. */
  readonly reason: string
}

/** A proof to be verified. */
export interface PaymentClaim extends PaymentOrder {
  /** The identity that says it has paid. */
  readonly payer: Uint8Array
  readonly proof: Uint8Array
}

/** Options of calls that reach the network. Each rejects with the reason of the signal once it is aborted. */
export interface ProviderOptions {
  signal?: AbortSignal | undefined
}

/** Options of {@link PaymentProvider.pay}. */
export interface PayOrderOptions extends ProviderOptions {
  /** The most that it may cost, in the asset of the quote's fee. Never more, whatever happens. */
  maxFee: bigint
  /** The identity that pays, 32 bytes, for proofs that say who. */
  payer: Uint8Array
  /**
   * Makes `handle` durable, 1 to 16,384 bytes: what `lookup` needs to find this very payment. To be awaited before
   * anything is done that may move money. When it rejects, nothing is to be done.
   */
  save(handle: Uint8Array): Promise<void>
}

/** Options of {@link PaymentProvider.lookup}. */
export interface LookupOptions extends ProviderOptions {
  /** The identity that pays, 32 bytes. */
  payer: Uint8Array
  /**
   * Whether this very payment may be sent once more, where that cannot pay twice: a signed transaction can be sent any
   * number of times. A provider whose payments have no such nature only looks.
   */
  resend: boolean
}

/**
 * Moves money by one kind of rail, and looks whether it has moved. Its answers come from the network: they are checked
 * before they are believed, and `@covey/payments/testing` has tests that any provider should pass.
 *
 * All calls reject with a `PaymentError`, or the reason of the signal.
 */
export interface PaymentProvider {
  /** Names it in the journal: letters `a`–`z`, digits and hyphens. What it has begun, it has to finish: never rename it. */
  readonly name: string
  /** The types of methods that it makes and understands. */
  readonly methods: readonly string[]
  /** What it can do. One that cannot is not asked. */
  readonly capabilities: { readonly receive: boolean; readonly pay: boolean; readonly verify: boolean }
  /** Whether it deals in this asset. */
  supports(asset: AssetId): boolean
  /** A new way to pay the request that is being made: an invoice that commits to the `coreHash`, a fresh address. */
  createMethod(core: RequestCore, options?: ProviderOptions): Promise<PaymentMethod>
  /** What paying would cost now. Rejects with `METHOD_MISMATCH` where the method does not say what the request says. */
  quote(order: PaymentOrder, options?: ProviderOptions): Promise<Quote>
  /**
   * Pays. Where it rejects before `save` was called nothing has been paid; after that nobody knows, unless it resolves
   * to `paid` or `failed`.
   */
  pay(order: PaymentOrder, options: PayOrderOptions): Promise<PaymentOutcome>
  /** What has become of the payment that `save` was given this handle of. */
  lookup(order: PaymentOrder, handle: Uint8Array, options: LookupOptions): Promise<PaymentOutcome>
  /** Whether the proof shows that the request was paid. Needs no wallet, and never rejects for what is claimed. */
  verify(claim: PaymentClaim, options?: ProviderOptions): Promise<Verification>
  /**
   * Whether this provider's own wallet has received what the request asks for, by a method that it has made; for good,
   * and not by what anybody shows. Left out where a chain tells instead. Rejects where the wallet does not answer.
   */
  received?(order: PaymentOrder, options?: ProviderOptions): Promise<boolean>
}
