import type { PaymentOutcome } from '@covey/payments'

/** What a wallet's process asks of the rail, which outlives it. */
export type RailCall = { readonly call: 'pay' | 'lookup'; readonly invoice: Uint8Array }

/** From the process of a wallet. */
export type Told =
  | { readonly type: 'ready' }
  /** Its rail and its journal are open, and it begins to pay. */
  | { readonly type: 'open' }
  | { readonly type: 'paid'; readonly requestHash: Uint8Array }
  | { readonly type: 'failed'; readonly message: string }
  | ({ readonly type: 'rail'; readonly ask: number } & RailCall)

/** To the process of a wallet. */
export type Order =
  | { readonly type: 'pay'; readonly room: Uint8Array; readonly requests: readonly Uint8Array[] }
  | { readonly type: 'answer'; readonly ask: number; readonly outcome: PaymentOutcome }
