import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { PaymentMethod, PaymentOutcome, RequestCore } from '@covey/payments'
import type { Prng } from '../model/prng.js'
import type { RailCall } from './protocol.js'

/** Longer than a payment takes to be written down, so that kills fall on both sides of it. */
const MAX_LATENCY_MS = 12
/** About as long as it takes to pay, so that kills fall before, within and after. */
const MAX_LIFE_MS = 45

const OPEN_MS = 20

/** Where money moves, in a process that outlives the wallet's. */
export interface Rail {
  /** In what is paid. */
  readonly asset: string
  readonly amount: bigint
  /** The longest that a wallet lives once it is open. */
  readonly maxLifeMs: number
  /** About as long as it takes to open. */
  readonly openMs: number
  /** How the wallet's process gets at it. */
  readonly access:
    | { readonly kind: 'pipe' }
    | { readonly kind: 'evm'; readonly url: string; readonly token: string; readonly key: `0x${string}` }
    | { readonly kind: 'ldk'; readonly url: string; readonly seed: string; readonly payee: string; readonly port: number }
  createMethod(core: RequestCore): PaymentMethod | Promise<PaymentMethod>
  /** What a wallet asks for over its pipe. */
  answer(call: RailCall): Promise<PaymentOutcome>
  /** How much has moved by this method. */
  paid(method: PaymentMethod): Promise<bigint>
  /** What else has to hold once so many requests are paid, and no wallet lives. Rejects where it does not. */
  check?(count: number): Promise<void>
  close(): Promise<void>
}

interface Invoice {
  readonly preimage: Uint8Array
  paid: number
  /** Calls that were heard, and have not moved money yet. */
  coming: number
}

/** A wallet service that is asked over a pipe. It pays whatever it is told to, as often as it is told. */
export function createPipeRail(random: Prng): Rail {
  const invoices = new Map<string, Invoice>()
  const find = (hash: Uint8Array): Invoice => invoices.get(Buffer.from(hash).toString('hex'))!
  return {
    asset: 'test:pipe/slip44:1',
    amount: 1n,
    maxLifeMs: MAX_LIFE_MS,
    openMs: OPEN_MS,
    access: { kind: 'pipe' },
    createMethod({ coreHash }) {
      const preimage = randomBytes(32)
      const hash = createHash('sha256').update(preimage).digest()
      invoices.set(hash.toString('hex'), { preimage: Uint8Array.from(preimage), paid: 0, coming: 0 })
      return { type: 'pipe', data: Uint8Array.from(Buffer.concat([hash, coreHash])) }
    },
    async answer({ call, invoice: hash }) {
      const invoice = find(hash)
      if (call === 'pay') {
        invoice.coming++
        await delay(random.below(MAX_LATENCY_MS))
        invoice.coming--
        invoice.paid++
      }
      await delay(random.below(MAX_LATENCY_MS))
      if (invoice.paid > 0) return { status: 'paid', proof: invoice.preimage, fee: null }
      if (invoice.coming > 0) return { status: 'pending' }
      return { status: 'failed', code: 'PAYMENT_FAILED', message: 'It was never sent.' }
    },
    paid: async ({ data }) => BigInt(find(data.subarray(0, 32)).paid),
    close: async () => undefined
  }
}
