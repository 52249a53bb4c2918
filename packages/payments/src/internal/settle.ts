import { raceSignal, throwIfAborted } from '@covey/core'
import type { PaymentProvider, Verification } from '../provider.js'
import type { PaymentReceipt } from '../receipt.js'
import { readRequest, type PaymentRequest } from '../request.js'
import { hashOf } from './hash.js'

/** Whether the money of a request of one's own is here: by one's own wallet, or deep in a chain. */
export interface Settlement {
  /**
   * - `settled`: it is, for good;
   * - `pending`: a chain has it, and not deep enough yet;
   * - `open`: nothing that would count has come;
   * - `unknown`: wallet or chain could not be asked. Ask again later.
   */
  readonly status: 'settled' | 'pending' | 'open' | 'unknown'
  /** What it rests on: this person's own wallet, or a chain. `null` unless `settled` or `pending`. Never a preimage alone. */
  readonly level: 'wallet' | 'chain' | null
  /** What the payment has used up, at most 128 bytes: who gives something for it, gives it once. `null` unless `settled` or `pending`. */
  readonly spends: Uint8Array | null
  /** When it was paid, by the chain's clock, in milliseconds since 1970; `null` where nothing tells. */
  readonly paidMs: number | null
  /** Why, for people who look into it. */
  readonly reason: string
}

interface Parts {
  readonly payee: Uint8Array
  readonly providers: readonly PaymentProvider[]
  verify(request: PaymentRequest, receipt: PaymentReceipt): Promise<Verification>
  now(): number
}

/** What `Payments.settlement` does. */
export async function settle(
  { payee, providers, verify, now }: Parts,
  { bytes, room }: Pick<PaymentRequest, 'bytes' | 'room'>,
  receipt: PaymentReceipt | undefined,
  signal: AbortSignal | undefined
): Promise<Settlement> {
  const read = readRequest(bytes, { room, payee, atMs: now() })
  if (!read.ok) throw read.error
  const request = read.value
  let isUnknown = false
  for (const method of request.methods) {
    for (const provider of providers) {
      const isOwn = provider.received !== undefined && provider.methods.includes(method.type) && provider.supports(request.money.asset)
      if (!isOwn) continue
      try {
        const isReceived = await raceSignal(provider.received!({ request, method }, { signal }), signal)
        // What an invoice is paid by is paid once: the method names it.
        if (isReceived) return { status: 'settled', level: 'wallet', spends: hashOf('method/1', method.data), paidMs: null, reason: 'The wallet has received it.' }
      } catch {
        // By the contract of providers: it was not to be asked, which the answer says.
        throwIfAborted(signal)
        isUnknown = true
      }
    }
  }
  if (receipt !== undefined) {
    const { status, level, spends, reason, paidMs = null } = await verify(request, receipt)
    if (level === 'chain' && status === 'valid') return { status: 'settled', level, spends, paidMs, reason }
    if (level === 'chain' && status === 'pending') return { status, level, spends, paidMs, reason }
    if (status === 'unknown') isUnknown = true
  }
  const status = isUnknown ? 'unknown' : 'open'
  return { status, level: null, spends: null, paidMs: null, reason: isUnknown ? 'Wallet or chain could not be asked.' : 'Nothing that counts has come.' }
}
