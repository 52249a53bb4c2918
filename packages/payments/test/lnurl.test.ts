import { bech32 } from '@scure/base'
import { sha256 } from '@noble/hashes/sha2.js'
import { expect, test } from 'vitest'
import { resolveLnurl, type Fetch, type ResolveLnurlOptions } from '@covey/payments/lnurl'
import { makeInvoice } from './support/invoice.js'
import { codeOf } from './support/people.js'

const METADATA = '[["text/plain","Tea"]]'
const offer = { tag: 'payRequest', callback: 'https://pay.example.com/cb?id=1', metadata: METADATA, minSendable: 1_000, maxSendable: 1e9 }
const pr = makeInvoice({ preimage: new Uint8Array(32), descriptionHash: sha256(Buffer.from(METADATA)), prefix: 'lnbc210n' })
const hosts = ['example.com', 'pay.example.com']

/** A server that answers first with the offer and then with the invoice, or whatever else is said. */
function server(first: unknown = offer, second: unknown = { pr }): { asked: string[]; fetch: Fetch } {
  const asked: string[] = []
  return {
    asked,
    async fetch(url, { redirect, signal }) {
      expect(redirect).toBe('error')
      asked.push(url)
      const answer = asked.length === 1 ? first : second
      if (answer === 'hang') await new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)))
      if (answer instanceof Error) throw answer
      const text = typeof answer === 'string' ? answer : JSON.stringify(answer)
      return new Response(text, { status: text === 'missing' ? 404 : 200 })
    }
  }
}

function resolve(text: string, from: Fetch, options: Partial<ResolveLnurlOptions> = {}): Promise<unknown> {
  return resolveLnurl(text, { amount: 21_000n, hosts, fetch: from, ...options })
}

test('a Lightning Address gives an invoice', async () => {
  const { asked, fetch } = server()
  expect(await resolve('alice@example.com', fetch)).toMatchObject({ text: pr, amount: 21_000n })
  expect(asked).toEqual(['https://example.com/.well-known/lnurlp/alice', 'https://pay.example.com/cb?id=1&amount=21000'])
})

test('an LNURL gives one, in either case and with its scheme', async () => {
  const lnurl = bech32.encode('lnurl', bech32.toWords(Uint8Array.from(Buffer.from('https://example.com/pay?x=1'))), false)
  for (const text of [lnurl, lnurl.toUpperCase(), `lightning:${lnurl}`]) {
    const { asked, fetch } = server()
    await resolve(text, fetch)
    expect(asked[0]).toBe('https://example.com/pay?x=1')
  }
})

test.each([
  'alice@evil.com', 'alice@127.0.0.1', 'alice@localhost', 'alice@example.com.evil.com', 'https://10.0.0.1/x', 'http://example.com/x', 'https://example.com:8080/x',
  'https://user:pass@example.com/x', 'https://[::1]/x', 'https://0x7f000001/x', 'https://2130706433/x', 'file:///etc/passwd', 'https://printer.local/x', 'https://example.com./x'
])('a host that is not allowed is not asked: %s', async (target) => {
  const text = target.includes('://') ? bech32.encode('lnurl', bech32.toWords(Uint8Array.from(Buffer.from(target))), false) : target
  const { asked, fetch } = server()
  expect(await codeOf(() => resolve(text, fetch))).toBe('HOST_REFUSED')
  const { fetch: next, asked: then } = server({ ...offer, callback: target })
  expect(await codeOf(() => resolve('alice@example.com', next))).toMatch(/HOST_REFUSED|INVOICE_MALFORMED/)
  expect([asked.length, then.length]).toEqual([0, 1])
})

test.each<[string, string, unknown, unknown]>([
  ['METHOD_MISMATCH', 'another amount', offer, { pr: makeInvoice({ preimage: new Uint8Array(32), descriptionHash: sha256(Buffer.from(METADATA)), prefix: 'lnbc220n' }) }],
  ['METHOD_MISMATCH', 'no amount', offer, { pr: makeInvoice({ preimage: new Uint8Array(32), descriptionHash: sha256(Buffer.from(METADATA)), prefix: 'lnbc' }) }],
  ['METHOD_MISMATCH', 'another network', offer, { pr: makeInvoice({ preimage: new Uint8Array(32), descriptionHash: sha256(Buffer.from(METADATA)) }) }],
  ['METHOD_MISMATCH', 'another purpose', { ...offer, metadata: '[]' }, { pr }],
  ['METHOD_MISMATCH', 'more than it takes', { ...offer, maxSendable: 20_999 }, { pr }],
  ['METHOD_MISMATCH', 'limits that are none', { ...offer, minSendable: '1' }, { pr }],
  ['INVOICE_MALFORMED', 'garbage', offer, { pr: 'lnbc1' }],
  ['PROVIDER_UNAVAILABLE', 'no invoice', offer, { status: 'ERROR' }],
  ['PROVIDER_UNAVAILABLE', 'no offer', { tag: 'withdrawRequest' }, { pr }],
  ['PROVIDER_UNAVAILABLE', 'null', null, { pr }],
  ['PROVIDER_UNAVAILABLE', 'no JSON', '<html>', { pr }],
  ['PROVIDER_UNAVAILABLE', 'a status', 'missing', { pr }],
  ['PROVIDER_UNAVAILABLE', 'a redirect', new TypeError('redirected'), { pr }],
  ['PROVIDER_UNAVAILABLE', 'too much', { ...offer, metadata: 'x'.repeat(300_000) }, { pr }]
])('%s where a server answers with %s', async (code, _, first, second) => {
  expect(await codeOf(() => resolve('alice@example.com', server(first, second).fetch))).toBe(code)
})

test('a server that hangs is waited for no longer than said, or told', async () => {
  expect(await codeOf(() => resolve('alice@example.com', server('hang').fetch, { timeoutMs: 5 }))).toBe('PROVIDER_UNAVAILABLE')
  const controller = new AbortController()
  const resolving = resolve('alice@example.com', server('hang').fetch, { signal: controller.signal })
  controller.abort('enough')
  await expect(resolving).rejects.toBe('enough')
})

test.each<[string, object]>([
  ['options.amount', { amount: 0n }],
  ['options.amount', { amount: 21 }],
  ['options.hosts', { hosts: ['*'] }],
  ['options.hosts', { hosts: ['127.0.0.1'] }],
  ['options.hosts', { hosts: ['printer.local'] }],
  ['options.hosts', { hosts: undefined }],
  ['no option', { host: 'example.com' }]
])('%s is checked', async (field, options) => {
  await expect(resolve('alice@example.com', server().fetch, options)).rejects.toThrow(field)
})
