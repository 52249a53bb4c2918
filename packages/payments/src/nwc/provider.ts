import { assertFunction, assertInteger, assertOptions, assertString, concatBytes, equalBytes, throwIfAborted } from '@covey/core'
import { sha256 } from '@noble/hashes/sha2.js'
import { BOLT11, createBolt11Method, readBolt11Method, verifyPreimage } from '../bolt11/method.js'
import { PaymentError, type PaymentErrorCode } from '../errors.js'
import { fromHex, isId, toHex } from '../internal/hex.js'
import { askWallet, NoAnswer, parseWalletUrl } from '../internal/nwc/wallet.js'
import type { PaymentOrder, PaymentOutcome, PaymentProvider } from '../provider.js'

/** The part of a WebSocket that is needed: of browsers, of Node from 22 on, and of the package `ws`. */
export interface SocketConstructor {
  new (url: string): {
    // Set by the provider. Their types differ from one to the other.
    onopen: unknown
    onmessage: unknown
    onerror: unknown
    onclose: unknown
    send(text: string): void
    close(): void
  }
}

/** What {@link createNwcProvider} takes. */
export interface NwcInit {
  /** The wallet's connection string, `nostr+walletconnect://…`. **It is a secret: whoever has it can spend.** */
  url: string
  /** The network that the wallet is on. Default `bc`. */
  network?: 'bc' | 'tb' | 'tbs' | 'bcrt' | undefined
  /**
   * The most that the wallet takes for fees: NIP-47 has no way to tell it. Default: a hundredth of the amount and at
   * least 10 satoshis, in millisatoshis, as Alby Hub has it. It is what `quote` says, and what `maxFee` has to allow.
   */
  feeReserve?: ((amountMsat: bigint) => bigint) | undefined
  /** How long the wallet may take to answer. Default {@link DEFAULT_NWC_TIMEOUT_MS}. */
  timeoutMs?: number | undefined
  /** Default: the global one; Node 20 has none. */
  WebSocket?: SocketConstructor | undefined
}

/** How long a wallet may take to answer, unless told otherwise. */
export const DEFAULT_NWC_TIMEOUT_MS = 60_000

const FIELDS = ['url', 'network', 'feeReserve', 'timeoutMs', 'WebSocket'] as const
const MAX_FEE = 1n << 63n
/** Errors of NIP-47 after which nothing was paid. Others, `PAYMENT_FAILED` among them, come of time-outs too. */
const REFUSALS: Readonly<Record<string, PaymentErrorCode>> = {
  RATE_LIMITED: 'PROVIDER_UNAVAILABLE',
  NOT_IMPLEMENTED: 'PROVIDER_UNAVAILABLE',
  INSUFFICIENT_BALANCE: 'INSUFFICIENT_FUNDS',
  QUOTA_EXCEEDED: 'BUDGET_EXCEEDED',
  RESTRICTED: 'DECLINED',
  UNAUTHORIZED: 'WALLET_LOCKED'
}

/**
 * Pays and is paid by a wallet elsewhere, over Nostr Wallet Connect (NIP-47, with NIP-44 encryption). Give the wallet's
 * connection a budget: an app that is taken over can spend no more than that.
 *
 * The wallet is not believed: an invoice has to say what was asked for, and a payment counts with its preimage. One that
 * is silent leaves a payment `unknown`, which is looked up and never sent again. A payment that a wallet does not know
 * counts as failed only once its invoice has expired: the request may lie on a relay until then.
 *
 * @throws {TypeError} that names the field, and tells nothing of the connection string.
 * @example
 * ```ts
 * import { createNwcProvider } from '@covey/payments/nwc'
 * import WebSocket from 'ws'
 *
 * const provider = (url: string) => createNwcProvider({ url, WebSocket })
 * console.log(provider.name)
 * ```
 * @see https://github.com/nostr-protocol/nips/blob/master/47.md
 */
export function createNwcProvider(init: NwcInit): PaymentProvider {
  assertOptions(init, 'init', FIELDS)
  const { network = 'bc', timeoutMs = DEFAULT_NWC_TIMEOUT_MS, feeReserve = defaultReserve } = init
  assertString(init.url, 'init.url')
  assertInteger(timeoutMs, 'init.timeoutMs', { min: 1, max: 3_600_000 })
  assertFunction(feeReserve, 'init.feeReserve')
  if (!['bc', 'tb', 'tbs', 'bcrt'].includes(network)) throw new TypeError('init.network must be bc, tb, tbs or bcrt')
  const Socket = init.WebSocket ?? (globalThis as { WebSocket?: SocketConstructor }).WebSocket
  assertFunction(Socket, 'init.WebSocket')
  const wallet = { url: parseWalletUrl(init.url), Socket: Socket as SocketConstructor, timeoutMs }
  const asset = `lightning:${network}/slip44:0`
  const walletKey = fromHex(wallet.url.wallet)
  const handleOf = (order: PaymentOrder): Uint8Array => concatBytes(walletKey, invoiceOf(order).paymentHash)

  const ask = async (method: string, params: object, signal: AbortSignal | undefined): Promise<Record<string, unknown>> => {
    const answer = await askWallet(wallet, method, params, signal)
    if ('result' in answer) return answer.result
    throw new PaymentError(REFUSALS[answer.errorCode] ?? 'PROVIDER_INVALID', 'The wallet has refused.')
  }

  async function look(order: PaymentOrder, signal: AbortSignal | undefined): Promise<PaymentOutcome> {
    const { paymentHash, expiresMs } = invoiceOf(order)
    const hash = toHex(paymentHash)
    const answer = await askWallet(wallet, 'lookup_invoice', { payment_hash: hash }, signal)
    if ('errorCode' in answer) {
      const isOver = answer.errorCode === 'NOT_FOUND' && Date.now() >= expiresMs
      return isOver ? { status: 'failed', code: 'PAYMENT_FAILED', message: 'The wallet does not know the payment.' } : { status: 'unknown' }
    }
    const { result } = answer
    if (result['payment_hash'] !== hash || result['type'] === 'incoming') return { status: 'unknown' }
    if (result['state'] === 'failed') return { status: 'failed', code: 'PAYMENT_FAILED', message: 'The wallet could not pay.' }
    return paidBy(result, paymentHash) ?? { status: result['state'] === 'pending' ? 'pending' : 'unknown' }
  }

  /** What the wallet says only counts with the preimage. */
  function paidBy(result: Record<string, unknown>, paymentHash: Uint8Array): PaymentOutcome | undefined {
    const { preimage, fees_paid: fees } = result
    if (!isId(preimage)) return undefined
    const proof = fromHex(preimage)
    if (!equalBytes(sha256(proof), paymentHash)) return undefined
    const isFee = typeof fees === 'number' && Number.isSafeInteger(fees) && fees >= 0
    return { status: 'paid', proof, fee: isFee ? { asset, amount: BigInt(fees) } : null }
  }

  function reserveFor(amount: bigint): bigint {
    const reserve = feeReserve(amount)
    if (typeof reserve !== 'bigint' || reserve < 0n || reserve > MAX_FEE) throw new TypeError('init.feeReserve must return a bigint from 0')
    return reserve
  }

  return {
    name: 'nwc',
    methods: [BOLT11],
    capabilities: { receive: true, pay: true, verify: true },
    supports: (id) => id === asset,

    async createMethod(core, { signal } = {}) {
      throwIfAborted(signal)
      const expiry = Math.floor((core.expiresMs - Date.now()) / 1000)
      if (expiry < 1) throw new PaymentError('EXPIRED', 'The request has expired.')
      if (core.money.amount > BigInt(Number.MAX_SAFE_INTEGER)) throw new PaymentError('AMOUNT_MALFORMED', 'The amount is more than a wallet can be asked for.')
      const params = { amount: Number(core.money.amount), description_hash: toHex(core.coreHash), expiry }
      const { invoice } = await ask('make_invoice', params, signal)
      if (typeof invoice !== 'string') throw new PaymentError('PROVIDER_INVALID', 'The wallet has made no invoice.')
      return createBolt11Method(core, invoice)
    },

    async quote(order, { signal } = {}) {
      throwIfAborted(signal)
      const { paymentHash, amount } = invoiceOf(order)
      return { fee: { asset, amount: reserveFor(amount!) }, destination: paymentHash }
    },

    async pay(order, { maxFee, save, signal }) {
      throwIfAborted(signal)
      const { text, paymentHash, amount, expiresMs } = invoiceOf(order)
      if (Date.now() >= expiresMs) throw new PaymentError('EXPIRED', 'The invoice has expired.')
      if (reserveFor(amount!) > maxFee) throw new PaymentError('FEE_TOO_HIGH', 'The wallet may take more for fees than it may cost.')
      await save(handleOf(order))
      throwIfAborted(signal)
      try {
        const answer = await askWallet(wallet, 'pay_invoice', { invoice: text }, signal)
        if ('result' in answer) {
          const paid = paidBy(answer.result, paymentHash)
          if (paid !== undefined) return paid
        } else if (REFUSALS[answer.errorCode] !== undefined) {
          return { status: 'failed', code: REFUSALS[answer.errorCode]!, message: 'The wallet has refused.' }
        }
      } catch (error) {
        throwIfAborted(signal)
        if (!(error instanceof NoAnswer)) throw error
        return error.wasSent ? { status: 'unknown' } : { status: 'failed', code: error.code, message: error.message }
      }
      try {
        return await look(order, signal)
      } catch (error) {
        throwIfAborted(signal)
        if (!(error instanceof NoAnswer)) throw error
        return { status: 'unknown' }
      }
    },

    async lookup(order, handle, { signal }) {
      throwIfAborted(signal)
      // Another wallet knows nothing of what this one was asked.
      if (!equalBytes(handle, handleOf(order))) return { status: 'unknown' }
      return look(order, signal)
    },

    async verify(claim, { signal } = {}) {
      throwIfAborted(signal)
      return verifyPreimage(claim)
    },

    async received(order, { signal } = {}) {
      throwIfAborted(signal)
      const hash = toHex(invoiceOf(order).paymentHash)
      const answer = await askWallet(wallet, 'lookup_invoice', { payment_hash: hash }, signal)
      if ('errorCode' in answer) {
        if (answer.errorCode === 'NOT_FOUND') return false
        throw new PaymentError(REFUSALS[answer.errorCode] ?? 'PROVIDER_INVALID', 'The wallet has refused.')
      }
      const { payment_hash: of, type, state, settled_at: settledAt, amount } = answer.result
      if (of !== hash || type !== 'incoming') return false
      // Older wallets say only when.
      const isSettled = state === 'settled' || (state === undefined && typeof settledAt === 'number' && settledAt > 0)
      return isSettled && typeof amount === 'number' && Number.isSafeInteger(amount) && BigInt(amount) >= order.request.money.amount
    }
  }
}

function defaultReserve(amountMsat: bigint): bigint {
  const hundredth = (amountMsat + 99n) / 100n
  return hundredth < 10_000n ? 10_000n : hundredth
}

function invoiceOf(order: PaymentOrder) {
  const invoice = readBolt11Method(order)
  if (!invoice.ok) throw invoice.error
  return invoice.value
}
