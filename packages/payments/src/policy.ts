import { assertFunction, assertInteger, assertOptions, equalBytes } from '@covey/core'
import { assertAssetId, type AssetId } from './assets.js'
import { PaymentError } from './errors.js'
import type { JournalEntry } from './journal.js'
import { assertMoney, type Money } from './money.js'
import type { Fee } from './provider.js'
import type { PaymentRequest } from './request.js'

/** How much of an asset may be spent. Fees count where they are in the same asset, at their most. */
export interface SpendingLimit {
  readonly asset: AssetId
  /** By one payment, in the smallest unit. */
  readonly perPayment?: bigint | undefined
  /** Within any `periodMs`, in the smallest unit. What is under way counts, and what has failed does not. */
  readonly perPeriod?: bigint | undefined
  /** How long a period is. Default: a day. */
  readonly periodMs?: number | undefined
}

/** What is about to be paid. */
export interface Spending {
  readonly request: PaymentRequest
  readonly money: Money
  /** What it costs at most, as the provider has it now. */
  readonly fee: Fee
}

/** What a wallet may spend by itself. */
export interface SpendingPolicy {
  /** Default: none, so that `maxFee` and `confirm` are all that bounds a payment. */
  readonly limits?: readonly SpendingLimit[] | undefined
  /** Asks whoever has to be asked; anything but `true` is a no. Default: nobody is asked. */
  readonly confirm?: ((spending: Spending, options: { signal?: AbortSignal | undefined }) => Promise<boolean>) | undefined
}

const DAY_MS = 24 * 3_600_000

export function assertPolicy(policy: SpendingPolicy, field: string): void {
  assertOptions(policy, field, ['limits', 'confirm'])
  if (policy.confirm !== undefined) assertFunction(policy.confirm, `${field}.confirm`)
  for (const [index, limit] of (policy.limits ?? []).entries()) {
    const name = `${field}.limits[${index}]`
    assertOptions(limit, name, ['asset', 'perPayment', 'perPeriod', 'periodMs'])
    assertAssetId(limit.asset, `${name}.asset`)
    for (const key of ['perPayment', 'perPeriod'] as const) {
      if (limit[key] !== undefined) assertMoney({ asset: limit.asset, amount: limit[key] }, `${name}.${key}`)
    }
    if (limit.periodMs !== undefined) assertInteger(limit.periodMs, `${name}.periodMs`, { min: 1 })
  }
}

/** @throws {PaymentError} BUDGET_EXCEEDED when `next` would pass a limit, with all else that the journal has. */
export function checkLimits(limits: readonly SpendingLimit[], next: JournalEntry, journal: readonly JournalEntry[]): void {
  for (const { asset, perPayment, perPeriod, periodMs = DAY_MS } of limits) {
    const amount = spentBy(next, asset)
    if (amount === 0n) continue
    if (perPayment !== undefined && amount > perPayment) throw exceeded('one payment')
    if (perPeriod === undefined) continue
    // A clock that was set back makes what lies ahead count too, which is the safe side.
    const recent = journal.filter(
      (entry) => entry.state !== 'failed' && entry.beganMs > next.beganMs - periodMs && !equalBytes(entry.requestHash, next.requestHash)
    )
    const spent = recent.reduce((sum, entry) => sum + spentBy(entry, asset), 0n)
    if (spent + amount > perPeriod) throw exceeded('the period')
  }
}

function spentBy({ money, maxFee }: JournalEntry, asset: AssetId): bigint {
  return (money.asset === asset ? money.amount : 0n) + (maxFee.asset === asset ? maxFee.amount : 0n)
}

function exceeded(what: string): PaymentError {
  return new PaymentError('BUDGET_EXCEEDED', `The payment would pass the limit for ${what}.`)
}
