import { concatBytes, encodeZ32, equalBytes, throwIfAborted } from '@covey/core'
import { sha256 } from '@noble/hashes/sha2.js'
import sodium from 'sodium-universal'
import { createAssetRegistry, type AssetRegistry } from '../assets.js'
import { PaymentError } from '../errors.js'
import type { PaymentOrder, PaymentProvider, Verification } from '../provider.js'

/** The asset of test rails: play money with two decimals. */
export const TEST_ASSET = 'test:play/slip44:1'

/** A registry of {@link TEST_ASSET}. */
export const TEST_ASSETS: AssetRegistry = createAssetRegistry([{ id: TEST_ASSET, symbol: 'PLAY', decimals: 2 }])

/** What a provider of a {@link TestRail} may be given. */
export interface TestProviderInit {
  /** What its wallet holds, in the smallest unit. */
  balance: bigint
  /** What a payment costs. Default 1. */
  fee?: bigint | undefined
}

/**
 * A rail in memory, that works as Lightning does: an invoice commits to the core of its request, who pays it learns its
 * preimage, and it would let anybody pay twice.
 */
export interface TestRail {
  /** A wallet on this rail, with methods of the type `test`. */
  createProvider(init: TestProviderInit): PaymentProvider
  /** How often money has moved to this destination. */
  paid(destination: Uint8Array): number
  /** All that has moved, in the smallest unit. */
  moved(): bigint
}

/**
 * Makes a rail of its own.
 *
 * @example
 * ```ts
 * import { createTestRail } from '@covey/payments/testing'
 *
 * const rail = createTestRail()
 * const wallet = rail.createProvider({ balance: 1_000n })
 * console.log(wallet.name, rail.moved())
 * ```
 */
export function createTestRail(): TestRail {
  const preimages = new Map<string, Uint8Array>()
  const payments: { destination: string; amount: bigint }[] = []

  return {
    paid: (destination) => payments.filter((payment) => payment.destination === encodeZ32(destination)).length,
    moved: () => payments.reduce((sum, { amount }) => sum + amount, 0n),
    createProvider({ balance, fee = 1n }) {
      let funds = balance
      const made = new Set<string>()
      return {
        name: 'test',
        methods: ['test'],
        capabilities: { receive: true, pay: true, verify: true },
        supports: (asset) => asset === TEST_ASSET,
        async createMethod({ coreHash }, { signal } = {}) {
          throwIfAborted(signal)
          const preimage = new Uint8Array(32)
          sodium.randombytes_buf(preimage)
          const hash = sha256(preimage)
          preimages.set(encodeZ32(hash), preimage)
          made.add(encodeZ32(hash))
          return { type: 'test', data: concatBytes(hash, coreHash) }
        },
        async quote({ request, method }, { signal } = {}) {
          throwIfAborted(signal)
          return { fee: { asset: TEST_ASSET, amount: fee }, destination: invoiceOf({ request, method }) }
        },
        async pay({ request, method }, { maxFee, save, signal }) {
          throwIfAborted(signal)
          const hash = invoiceOf({ request, method })
          const { amount } = request.money
          if (fee > maxFee) throw new PaymentError('FEE_TOO_HIGH', 'The fee is too high.')
          if (funds < amount + fee) throw new PaymentError('INSUFFICIENT_FUNDS', 'The wallet does not hold enough.')
          const preimage = preimages.get(encodeZ32(hash))
          if (preimage === undefined) throw new PaymentError('NO_ROUTE', 'Nobody has made this invoice.')
          await save(hash)
          throwIfAborted(signal)
          funds -= amount + fee
          payments.push({ destination: encodeZ32(hash), amount })
          return { status: 'paid', proof: preimage, fee: { asset: TEST_ASSET, amount: fee } }
        },
        async lookup(_, handle, { signal }) {
          throwIfAborted(signal)
          const destination = encodeZ32(handle)
          if (payments.some((payment) => payment.destination === destination)) {
            return { status: 'paid', proof: preimages.get(destination)!, fee: null }
          }
          return { status: 'failed', code: 'PAYMENT_FAILED', message: 'The payment never left.' }
        },
        async verify({ request, method, proof }, { signal } = {}): Promise<Verification> {
          throwIfAborted(signal)
          const isCommitted = method.data.length === 64 && equalBytes(method.data.subarray(32), request.coreHash)
          const hash = method.data.subarray(0, 32)
          const isProven = isCommitted && proof.length === 32 && equalBytes(sha256(proof), hash)
          if (!isProven) return { status: 'invalid', level: null, confirmations: null, spends: null, reason: 'The preimage is not that of the invoice.' }
          return { status: 'valid', level: 'preimage', confirmations: null, spends: hash, reason: 'The preimage is that of the invoice.' }
        },
        async received(order, { signal } = {}) {
          throwIfAborted(signal)
          const hash = encodeZ32(invoiceOf(order))
          return made.has(hash) && payments.some(({ destination, amount }) => destination === hash && amount >= order.request.money.amount)
        }
      }
    }
  }
}

function invoiceOf({ request, method: { type, data } }: PaymentOrder): Uint8Array {
  if (type === 'test' && data.length === 64 && equalBytes(data.subarray(32), request.coreHash)) return data.slice(0, 32)
  throw new PaymentError('METHOD_MISMATCH', 'The invoice is for another request.')
}
