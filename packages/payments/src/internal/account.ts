import type { MeterHold } from '../meter.js'

/**
 * What a customer has used and may be using. Amounts are **shares**: `per` of them are one of the smallest unit of the
 * asset, so that a price for `per` units of use is exact down to one unit, and nothing is ever rounded.
 */
export interface MeterAccount {
  /** The identity, or whatever key the customer goes by; 32 bytes. */
  readonly customer: Uint8Array
  /** For how many units of use prices are. */
  readonly per: bigint
  /** What was used, in shares. */
  readonly spent: bigint
  /** What may be in use, or was when a process ended. */
  readonly holds: readonly MeterHold[]
}

/** What is held costs, in shares. */
export function costOf({ units, price }: Pick<MeterHold, 'units' | 'price'>): bigint {
  return units * price
}

export function heldBy({ holds }: MeterAccount): bigint {
  return holds.reduce((sum, hold) => sum + costOf(hold), 0n)
}

/** How many shares may yet be held: what is paid and the window, less what is used and what may be. */
export function roomOf(account: MeterAccount, paid: bigint, window: bigint): bigint {
  return (paid + window) * account.per - account.spent - heldBy(account)
}
