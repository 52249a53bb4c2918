import { assertInteger, assertOptions, assertString } from '@covey/core'
import { sha256 } from '@noble/hashes/sha2.js'
import { PaymentError } from '../errors.js'
import { fromHex, isId, toHex, toId } from '../internal/hex.js'
import type { FeeRates, LightningBlock, LightningChain } from './chain.js'

/** Options of {@link createEsploraChain}. */
export interface EsploraOptions {
  /** How long an answer may take. Default {@link DEFAULT_ESPLORA_TIMEOUT_MS}. */
  timeoutMs?: number | undefined
}

/** How long an Esplora server may take to answer, unless told otherwise. */
export const DEFAULT_ESPLORA_TIMEOUT_MS = 20_000

/** A transaction as large as a block, in hexadecimal. */
const MAX_ANSWER_BYTES = 8_000_000
const HEADER_BYTES = 80
/** Where a server knows no rate: a satoshi a byte, which is the least that is relayed. */
const MIN_RATE = 1
/** Satoshis a thousand weight units in one satoshi a virtual byte. */
const PER_THOUSAND_WEIGHT = 250
/** What a server may ask for at most, in satoshis a virtual byte: ten times the most that was ever needed. */
const MAX_RATE = 10_000

/**
 * The chain as an Esplora server tells it, over HTTP. **The server is trusted**, as {@link LightningChain} says: of what
 * it tells, it is checked that a header has the hash it is asked by, that ids, heights and lengths can be, and that fee rates
 * are within bounds. LDK itself takes the ids of transactions from their bytes. Not checked is any work or signature: what
 * is in the chain is what the server says. Run your own where you can.
 *
 * @throws {TypeError} when it is no URL of HTTP, or an option is malformed.
 * @example
 * ```ts
 * import { createEsploraChain } from '@covey/payments/ldk'
 *
 * const chain = createEsploraChain('http://127.0.0.1:3002')
 * console.log(typeof chain.tip)
 * ```
 * @see https://github.com/Blockstream/esplora/blob/master/API.md
 */
export function createEsploraChain(url: string, options: EsploraOptions = {}): LightningChain {
  assertString(url, 'url')
  assertOptions(options, 'options', ['timeoutMs'])
  const { timeoutMs = DEFAULT_ESPLORA_TIMEOUT_MS } = options
  assertInteger(timeoutMs, 'options.timeoutMs', { min: 1 })
  if (!/^https?:\/\/[^\s?#]+$/.test(url)) throw new TypeError('url must be the URL of an Esplora server')
  const base = url.replace(/\/+$/, '')

  async function block(hash: string, height: number): Promise<LightningBlock> {
    const header = hexOf(await text(`/block/${hash}/header`))
    if (header.length !== HEADER_BYTES || toId(sha256(sha256(header))) !== hash) throw invalid('a header')
    return { hash, height, header }
  }

  const chain: LightningChain = {
    async tip() {
      const hash = await text('/blocks/tip/hash')
      if (!isId(hash)) throw invalid('a block')
      const { height } = await json(`/block/${hash}/status`)
      return block(hash, heightOf(height))
    },
    async isBest(hash) {
      const status = await found(`/block/${hash}/status`)
      return status !== undefined && parse(status)['in_best_chain'] === true
    },
    async confirmation(txid) {
      const answer = await found(`/tx/${txid}/status`)
      const status = answer === undefined ? {} : parse(answer)
      if (status['confirmed'] !== true) return undefined
      const { block_hash: hash, block_height: height } = status
      if (!isId(hash)) throw invalid('a block')
      const tx = hexOf(await text(`/tx/${txid}/hex`))
      const { pos } = await json(`/tx/${txid}/merkle-proof`)
      return { block: await block(hash, heightOf(height)), position: heightOf(pos), tx }
    },
    async spender(txid, output) {
      const answer = await found(`/tx/${txid}/outspend/${output}`)
      const spend = answer === undefined ? {} : parse(answer)
      if (spend['spent'] !== true) return undefined
      if (!isId(spend['txid'])) throw invalid('a transaction')
      return spend['txid']
    },
    async broadcast(tx) {
      const { status, body } = await ask('/tx', { method: 'POST', body: toHex(tx) })
      // It says so too where the transaction is known, or another one has spent the same.
      if (status !== 200 && !/already|conflict|missingorspent|known/i.test(body)) throw unavailable(status)
    },
    async feeRates(): Promise<FeeRates> {
      const rates = await json('/fee-estimates')
      const rate = (blocks: number): number => {
        const value = rates[blocks]
        const satPerByte = typeof value === 'number' && value >= MIN_RATE ? Math.min(value, MAX_RATE) : MIN_RATE
        return Math.ceil(satPerByte * PER_THOUSAND_WEIGHT)
      }
      return { urgent: rate(2), normal: rate(12), low: rate(144) }
    }
  }
  return chain

  async function ask(path: string, init: { method: string; body?: string } = { method: 'GET' }): Promise<{ status: number; body: string }> {
    try {
      const response = await fetch(base + path, { ...init, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
      const body = await response.text()
      if (body.length > MAX_ANSWER_BYTES) throw invalid('what is too long')
      return { status: response.status, body: body.trim() }
    } catch (cause) {
      if (cause instanceof PaymentError) throw cause
      throw new PaymentError('PROVIDER_UNAVAILABLE', 'The Esplora server does not answer.', { cause, retryable: true })
    }
  }

  async function found(path: string): Promise<string | undefined> {
    const { status, body } = await ask(path)
    if (status === 404) return undefined
    if (status !== 200) throw unavailable(status)
    return body
  }

  async function text(path: string): Promise<string> {
    const body = await found(path)
    if (body === undefined) throw unavailable(404)
    return body
  }

  async function json(path: string): Promise<Record<string, unknown>> {
    return parse(await text(path))
  }
}

function parse(body: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    throw invalid('no JSON')
  }
  if (typeof value !== 'object' || value === null) throw invalid('no JSON object')
  return value as Record<string, unknown>
}

function hexOf(body: string): Uint8Array {
  if (body.length % 2 !== 0 || !/^[0-9a-f]*$/.test(body)) throw invalid('no hexadecimal')
  return fromHex(body)
}

function heightOf(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value >= 2 ** 31) throw invalid('a number')
  return value
}

function unavailable(status: number): PaymentError {
  return new PaymentError('PROVIDER_UNAVAILABLE', `The Esplora server answered with status ${status}.`, { retryable: true })
}

function invalid(what: string): PaymentError {
  return new PaymentError('PROVIDER_INVALID', `The Esplora server answered with ${what} that cannot be.`)
}
