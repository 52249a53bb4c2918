import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parseBitcoinUri, parseEthereumUri } from '@covey/payments/uri'
import { makeInvoice } from './support/invoice.js'

const ADDRESS = '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2'
const SEGWIT = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'
const TAPROOT = 'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0'
const TOKEN = '0xdAC17F958D2ee523a2206206994597C13D831ec7'
const TO = '0x8e23ee67d1332ad560396262c48ffbb01f93d052'
const invoice = makeInvoice({ preimage: new Uint8Array(32), description: 'Tea', prefix: 'lnbc20m' })
const regtestInvoice = makeInvoice({ preimage: new Uint8Array(32), description: 'Tea', prefix: 'lnbcrt20m' })

describe('a bitcoin URI', () => {
  it.each<[string, object]>([
    [`bitcoin:${ADDRESS}`, { network: 'bc', address: ADDRESS, amount: null, label: '', invoice: null }],
    [`BITCOIN:${SEGWIT.toUpperCase()}?amount=0.00000001`, { network: 'bc', amount: 1n }],
    [`bitcoin:${TAPROOT}?amount=20.3&label=Luke-Jr`, { network: 'bc', amount: 2_030_000_000n, label: 'Luke-Jr' }],
    ['bitcoin:mk2QpYatsKicvFVuTAQLBryyccRXMUaGHP', { network: 'tb' }],
    [`bitcoin:${ADDRESS}?message=Tea%20for+two&somethingelse=1`, { message: 'Tea for+two' }],
    [`bitcoin:${SEGWIT}?amount=0.02&lightning=${invoice}`, { amount: 2_000_000n, invoice: expect.objectContaining({ amount: 2_000_000_000n }) }],
    [`bitcoin:?lightning=${invoice.toUpperCase()}`, { address: null, network: 'bc' }]
  ])('is read: %s', (text, value) => {
    expect(parseBitcoinUri(text)).toMatchObject({ ok: true, value })
  })

  it.each([
    'bitcoin:',
    'litecoin:x',
    `bitcoin:${ADDRESS.replace('1Bv', '1Bw')}`,
    `bitcoin:${SEGWIT.replace('w508', 'w509')}`,
    // A later version with the checksum of version 0, and the other way round.
    'bitcoin:bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx',
    'bitcoin:bc1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd',
    `bitcoin:${ADDRESS}?amount=-1`,
    `bitcoin:${ADDRESS}?amount=1e3`,
    `bitcoin:${ADDRESS}?amount=1,5`,
    `bitcoin:${ADDRESS}?amount=0.000000001`,
    `bitcoin:${ADDRESS}?amount=21000001`,
    `bitcoin:${ADDRESS}?amount=1&amount=2`,
    `bitcoin:${ADDRESS}?amount=1&AMOUNT=2`,
    `bitcoin:${ADDRESS}?req-somethingyoudontunderstand=50`,
    `bitcoin:${ADDRESS}?amount=1?amount=2`,
    `bitcoin:${ADDRESS}?label=%zz`,
    `bitcoin:${SEGWIT}?amount=0.03&lightning=${invoice}`,
    `bitcoin:mk2QpYatsKicvFVuTAQLBryyccRXMUaGHP?lightning=${invoice}`,
    // Of a chain where money is made at will.
    `bitcoin:${SEGWIT}?lightning=${regtestInvoice}`,
    `bitcoin:${SEGWIT}?lightning=${invoice.slice(0, -1)}${invoice.endsWith('q') ? 'p' : 'q'}`
  ])('is refused: %s', (text) => {
    expect(parseBitcoinUri(text)).toMatchObject({ ok: false, error: { code: 'INVOICE_MALFORMED' } })
  })
})

describe('an ethereum URI', () => {
  it.each<[string, object]>([
    [`ethereum:${TO}`, { chainId: 1, token: null, to: TO, amount: null }],
    [`ethereum:pay-${TO}@137?value=2.014e18&gas=10`, { chainId: 137, amount: 2_014_000_000_000_000_000n }],
    [`ethereum:${TOKEN}/transfer?address=${TO}&uint256=1`, { token: TOKEN.toLowerCase(), to: TO, amount: 1n }]
  ])('is read: %s', (text, value) => {
    expect(parseEthereumUri(text)).toMatchObject({ ok: true, value })
  })

  it.each([
    'ethereum:',
    'ethereum:vitalik.eth',
    `ethereum:${TOKEN.replace('dAC', 'DaC')}`,
    `ethereum:${TO}@0`,
    `ethereum:${TO}@1.5`,
    `ethereum:${TO}?value=1.5`,
    `ethereum:${TO}?value=2.0145e3`,
    `ethereum:${TO}?value=-1`,
    `ethereum:${TO}?value=0`,
    `ethereum:${TO}?value=1e99`,
    `ethereum:${TO}?value=1&value=2`,
    `ethereum:${TOKEN}/approve?address=${TO}&uint256=1`,
    `ethereum:${TOKEN}/transfer?uint256=1`,
    `ethereum:${TOKEN}/transfer?address=${TO}&uint256=1&value=1`,
    `ethereum:${TOKEN}/transfer?address=vitalik.eth&uint256=1`
  ])('is refused: %s', (text) => {
    expect(parseEthereumUri(text)).toMatchObject({ ok: false, error: { code: 'INVOICE_MALFORMED' } })
  })
})

test('whatever a QR code holds is read or refused', () => {
  const part = fc.constantFrom(ADDRESS, SEGWIT, TO, '?', '&', '=', 'amount', 'value', '1', '%', '@', '/transfer', 'lightning', invoice, 'é')
  fc.assert(
    fc.property(fc.constantFrom('bitcoin:', 'ethereum:', ''), fc.oneof(fc.array(part).map((parts) => parts.join('')), fc.string()), (scheme, rest) => {
      for (const read of [parseBitcoinUri(scheme + rest), parseEthereumUri(scheme + rest)]) {
        expect(read.ok ? read.value.amount === null || read.value.amount > 0n : read.error.code === 'INVOICE_MALFORMED').toBe(true)
      }
    }),
    { numRuns: 1_000 }
  )
})
