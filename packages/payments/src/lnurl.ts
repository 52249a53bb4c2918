/**
 * LNURL-pay and Lightning Addresses: an invoice from a server, which is asked only where the app has allowed it.
 *
 * @packageDocumentation
 */
import { assertOptions, assertString, decodeUtf8, encodeUtf8, equalBytes, throwIfAborted, withTimeout } from '@covey/core'
import { sha256 } from '@noble/hashes/sha2.js'
import { bech32 } from '@scure/base'
import { decodeBolt11, type Bolt11Invoice } from './bolt11/decode.js'
import { PaymentError } from './errors.js'

/** What is used of `fetch`. */
export type Fetch = (
  url: string,
  init: { redirect: 'error'; credentials: 'omit'; headers: Record<string, string>; signal: AbortSignal | undefined }
) => Promise<{ readonly status: number; readonly body: ReadableStream<Uint8Array> | null }>

/** What {@link resolveLnurl} takes. */
export interface ResolveLnurlOptions {
  /** What is to be paid, in millisatoshis. */
  amount: bigint
  /** The network that the invoice has to be for. Default: `bc`, Bitcoin. */
  network?: Bolt11Invoice['network'] | undefined
  /** The hosts that may be asked, by their exact names: no one else is, whatever an address or a server says. */
  hosts: readonly string[]
  /** Default: that of the runtime. */
  fetch?: Fetch | undefined
  /** How long both requests may take together, in milliseconds. Default: 15 seconds. */
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
}

const DEFAULT_TIMEOUT_MS = 15_000
/** Ten times what servers answer with, pictures in the metadata included. */
const MAX_ANSWER_BYTES = 256 * 1_024
const MAX_LNURL_LENGTH = 2_000
/** Two labels at least, the last with a letter: no address of a machine, and no name of a machine nearby. */
const HOST = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9-]{2,63}$/
const PRIVATE_SUFFIXES = ['.local', '.localhost', '.internal', '.home.arpa', '.lan', '.onion', '.test', '.invalid', '.in-addr.arpa', '.ip6.arpa']
const ADDRESS = /^([a-z0-9._+-]{1,64})@([a-z0-9.-]{1,253})$/

/**
 * An invoice for a Lightning Address (`alice@example.com`) or an LNURL (`lnurl1…`): verified, for exactly the amount, with
 * the hash of what the server has said that it is for.
 *
 * Servers are asked by HTTPS, on the standard port, follow no redirect, and are only those named in `hosts`: names in the
 * DNS, and neither addresses nor names of private networks. What such a name leads to is for who allows it to know.
 *
 * @throws {PaymentError} HOST_REFUSED, INVOICE_MALFORMED, METHOD_MISMATCH where the server offers no such amount or answers
 * with another, PROVIDER_UNAVAILABLE
 * @throws {TypeError} when an option is wrong.
 * @example
 * ```ts
 * import { resolveLnurl } from '@covey/payments/lnurl'
 *
 * async function tip() {
 *   const invoice = await resolveLnurl('alice@example.com', { amount: 21_000n, hosts: ['example.com'] })
 *   console.log(invoice.text)
 * }
 * ```
 * @see https://github.com/lnurl/luds, LUD-01, LUD-06 and LUD-16
 */
export async function resolveLnurl(text: string, options: ResolveLnurlOptions): Promise<Bolt11Invoice> {
  assertString(text, 'text', { maxLength: MAX_LNURL_LENGTH })
  assertOptions(options, 'options', ['amount', 'network', 'hosts', 'fetch', 'timeoutMs', 'signal'])
  const { amount, network = 'bc', hosts, timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options
  if (typeof amount !== 'bigint' || amount < 1n) throw new TypeError('options.amount must be a bigint from 1')
  if (!Array.isArray(hosts) || hosts.some((host) => typeof host !== 'string' || !isPublicHost(host))) {
    throw new TypeError('options.hosts must be names of public hosts, in lower case')
  }
  const fetch = options.fetch ?? (globalThis.fetch as unknown as Fetch)
  const url = checkUrl(urlOf(text), hosts)
  throwIfAborted(signal)
  // Bare has none of its own; there the answer, which is bounded, is all that comes.
  const ending = typeof AbortController === 'undefined' ? undefined : new AbortController()
  const onTimeout = (): PaymentError => new PaymentError('PROVIDER_UNAVAILABLE', 'The server took too long.', { retryable: true })
  const ask = (target: URL): Promise<unknown> => askServer(fetch, target, ending?.signal ?? signal)
  try {
    return await withTimeout(async () => {
      const { callback, description } = checkOffer(await ask(url), amount, hosts)
      callback.searchParams.set('amount', amount.toString())
      return checkInvoice(await ask(callback), { amount, network, description })
    }, { timeoutMs, signal, onTimeout })
  } finally {
    ending?.abort()
  }
}

function urlOf(text: string): string {
  const trimmed = text.trim().replace(/^lightning:/i, '')
  const [, name, host] = ADDRESS.exec(trimmed) ?? []
  if (name !== undefined) return `https://${host}/.well-known/lnurlp/${name}`
  const decoded = bech32.decodeUnsafe(trimmed, MAX_LNURL_LENGTH)
  const bytes = decoded?.prefix === 'lnurl' ? bech32.fromWordsUnsafe(decoded.words) : undefined
  const url = bytes === undefined ? undefined : decodeUtf8(Uint8Array.from(bytes))
  if (url === undefined || !url.ok) throw new PaymentError('INVOICE_MALFORMED', 'This is no Lightning Address, and no LNURL.')
  return url.value
}

function isPublicHost(host: string): boolean {
  return HOST.test(host) && !PRIVATE_SUFFIXES.some((suffix) => host.endsWith(suffix))
}

function checkUrl(text: unknown, hosts: readonly string[]): URL {
  const url = typeof text === 'string' && text.length <= MAX_LNURL_LENGTH && URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) throw new PaymentError('INVOICE_MALFORMED', 'The URL is malformed.')
  const isPlain = url.protocol === 'https:' && url.port === '' && url.username === '' && url.password === ''
  if (isPlain && isPublicHost(url.hostname) && hosts.includes(url.hostname)) return url
  throw new PaymentError('HOST_REFUSED', 'The URL leads to a host that is not allowed.', { hint: 'Only hosts that the app has named are asked.' })
}

async function askServer(fetch: Fetch, url: URL, signal: AbortSignal | undefined): Promise<unknown> {
  try {
    const { status, body } = await fetch(url.href, { redirect: 'error', credentials: 'omit', headers: { accept: 'application/json' }, signal })
    if (status === 200 && body !== null) return JSON.parse(await readText(body))
  } catch (cause) {
    if (cause instanceof PaymentError) throw cause
    throw unavailable('The server did not answer as it should.', cause)
  }
  throw unavailable('The server did not answer as it should.')
}

async function readText(body: ReadableStream<Uint8Array>): Promise<string> {
  const reader = body.getReader()
  const parts: Uint8Array[] = []
  for (let length = 0; ; ) {
    const { done, value } = await reader.read()
    if (done) break
    parts.push(value)
    length += value.length
    if (length > MAX_ANSWER_BYTES) {
      await reader.cancel()
      throw unavailable('The server answers without end.')
    }
  }
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0)
  const text = decodeUtf8(whole)
  if (text.ok) return text.value
  throw unavailable('The server does not answer with text.')
}

/** LUD-06: where to ask for an invoice, and the hash that it has to have. */
function checkOffer(answer: unknown, amount: bigint, hosts: readonly string[]): { callback: URL; description: Uint8Array } {
  const { tag, callback, metadata, minSendable, maxSendable, status } = (answer ?? {}) as Record<string, unknown>
  if (tag !== 'payRequest' || typeof metadata !== 'string' || status === 'ERROR') throw unavailable('The server offers no payment.')
  const [min, max] = [minSendable, maxSendable].map((limit) => (Number.isSafeInteger(limit) && Number(limit) >= 0 ? BigInt(Number(limit)) : undefined))
  if (min === undefined || max === undefined || amount < min || amount > max) throw new PaymentError('METHOD_MISMATCH', 'The server does not take this amount.')
  return { callback: checkUrl(callback, hosts), description: sha256(encodeUtf8(metadata)) }
}

function checkInvoice(answer: unknown, expected: { amount: bigint; network: string; description: Uint8Array }): Bolt11Invoice {
  const { pr } = (answer ?? {}) as Record<string, unknown>
  if (typeof pr !== 'string') throw unavailable('The server gives no invoice.')
  const read = decodeBolt11(pr)
  if (!read.ok) throw read.error
  const { amount, network, descriptionHash } = read.value
  const isSame = amount === expected.amount && network === expected.network
  if (isSame && descriptionHash !== null && equalBytes(descriptionHash, expected.description)) return read.value
  throw new PaymentError('METHOD_MISMATCH', 'The invoice of the server is not what was asked for.')
}

function unavailable(message: string, cause?: unknown): PaymentError {
  return new PaymentError('PROVIDER_UNAVAILABLE', message, { cause, retryable: true })
}
