import { readFileSync } from 'node:fs'
import { bech32 } from '@scure/base'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { createBolt11Method, createBolt11Verifier, decodeBolt11, readBolt11Method, verifyPreimage } from '@covey/payments/bolt11'
import { draftRequest, signRequest, type PaymentMethod, type RequestCore } from '@covey/payments'
import { makeInvoice, NODE, sign } from './support/invoice.js'
import { codeOf, hex, MSAT, person, ROOM } from './support/people.js'

// The examples of the specification, as they stand in it.
const vectors = JSON.parse(readFileSync(new URL('./vectors/bolt11.json', import.meta.url), 'utf8')) as Record<'valid' | 'invalid', { title: string; invoice: string }[]>
const SPEC_HASH = '0001020304050607080900010203040506070809000102030405060708090102'
/** What the specification says of amounts, in the order of its examples. */
const AMOUNTS = [null, 250_000_000n, 250_000_000n, 2_000_000_000n, 2_000_000_000n, 2_000_000_000n, 2_000_000_000n, 2_000_000_000n, 2_000_000_000n, 2_000_000_000n, 967_878_534n, 2_500_000_000n, 2_500_000_000n, 2_500_000_000n, 1_000_000_000n, null]

const preimage = new Uint8Array(32).fill(7)
const alice = await person()
const otherKey = new Uint8Array(32).fill(5)

function core(init: Partial<Parameters<typeof draftRequest>[0]> = {}): RequestCore {
  return draftRequest({ room: ROOM, payee: alice.identity.publicKey, money: { asset: MSAT, amount: 21_000n }, purpose: 'Tea', ...init })
}

function methodOf(invoice: string, node = NODE): PaymentMethod {
  return { type: 'bolt11', data: Uint8Array.of(...node, ...Buffer.from(invoice)) }
}

describe('the examples of the specification', () => {
  test.each(vectors.valid.map((vector, index) => ({ ...vector, amount: AMOUNTS[index] })))('are read: $title', ({ invoice, amount }) => {
    const read = decodeBolt11(invoice)
    expect(read).toMatchObject({ ok: true, value: { amount, network: invoice.startsWith('lntb') ? 'tb' : 'bc' } })
    if (!read.ok) throw read.error
    const isLast = amount === 967_878_534n
    // Of the last, whose signature has a high S, the specification does not say the key: it is another one.
    const isHighS = invoice === vectors.valid.at(-1)!.invoice
    expect(hex(read.value.node).slice(0, 16)).toBe(isHighS ? '02d0139ce7427d6d' : '03e7156ae33b0a20')
    expect(hex(read.value.paymentHash)).toBe(isLast ? '462264ede7e14047e9b249da94fefc47f41f7d02ee9b091815a5506bc8abf75f' : SPEC_HASH)
    expect(read.value.createdMs).toBe(isLast ? 1_572_468_703_000 : 1_496_314_658_000)
  })

  test.each(vectors.invalid)('are refused: $title', ({ invoice }) => {
    expect(decodeBolt11(invoice)).toMatchObject({ ok: false, error: { code: 'INVOICE_MALFORMED' } })
  })

  it('have their descriptions, hashes and expiries', () => {
    const texts = vectors.valid.map(({ invoice }) => decodeBolt11(invoice)).map((read) => (read.ok ? read.value : undefined))
    expect(texts[0]).toMatchObject({ description: 'Please consider supporting this project', descriptionHash: null })
    expect(texts[1]).toMatchObject({ description: '1 cup coffee', expiresMs: 1_496_314_658_000 + 60_000 })
    expect(texts[2]!.description).toBe('ナンセンス 1杯')
    expect(hex(texts[3]!.descriptionHash!)).toBe('3925b6f67e2c340036ed12093dd44e0368df1b6ea26c53dbe4811f58fd5db8c1')
    expect(texts[12]!.text).toBe(vectors.valid[11]!.invoice)
  })
})

describe('an invoice', () => {
  it('is read as it was made', () => {
    const read = decodeBolt11(makeInvoice({ preimage, description: 'Tea', createdMs: 1_700_000_000_000, extra: [[6, Uint8Array.of(0x01, 0x00)]] }))
    expect(read).toMatchObject({ ok: true, value: { network: 'bcrt', amount: 21_000n, paymentHash: sha256(preimage), description: 'Tea', node: NODE, createdMs: 1_700_000_000_000 } })
  })

  it('is never another one when a field is altered and the checksum made to fit', () => {
    const invoice = makeInvoice({ preimage, descriptionHash: ROOM })
    const { prefix, words } = bech32.decode(invoice as `${string}1${string}`, false)
    for (let at = 0; at < words.length; at++) {
      for (const bit of [1, 16]) {
        const altered = [...words]
        altered[at]! ^= bit
        const read = decodeBolt11(bech32.encode(prefix, altered, false))
        // The signature then gives another key, which nobody has vouched for.
        expect(read.ok && Buffer.compare(read.value.node, NODE) === 0, `word ${at}`).toBe(false)
      }
    }
    for (const other of ['lnbcrt220n', 'lnbcrt21u', 'lnbc210n', 'lnbcrt']) {
      const read = decodeBolt11(bech32.encode(other, words, false))
      expect(read.ok && Buffer.compare(read.value.node, NODE) === 0, other).toBe(false)
    }
  })

  it.each<[string, string]>([
    ['no amount before its unit', 'lnbcrtm'],
    ['a zero in front', 'lnbcrt021u'],
    ['an amount of zero', 'lnbcrt0u'],
    ['another network', 'lnxy21u'],
    ['a fraction of a millisatoshi', 'lnbcrt21p']
  ])('is refused with %s', (_, prefix) => {
    expect(decodeBolt11(makeInvoice({ preimage, description: '', prefix })).ok).toBe(false)
  })

  it.each<[string, readonly [number, Uint8Array][]]>([
    ['two payment hashes', [[1, sha256(ROOM)]]],
    ['two secrets', [[16, ROOM]]],
    ['a description and the hash of one', [[13, Uint8Array.of(65)]]],
    ['a time beyond all bounds', [[6, new Uint8Array(32).fill(255)]]],
    ['an even feature that is not known', [[5, Uint8Array.of(16, 0, 0, 0, 0)]]],
    ['a node that has not signed it', [[19, secp256k1.getPublicKey(otherKey)]]],
    ['a node that is no key', [[19, new Uint8Array(33)]]]
  ])('is refused with %s', (_, extra) => {
    expect(decodeBolt11(makeInvoice({ preimage, descriptionHash: ROOM })).ok).toBe(true)
    expect(decodeBolt11(makeInvoice({ preimage, descriptionHash: ROOM, extra })).ok).toBe(false)
  })

  it('may be any text, and any words under a right signature', () => {
    const words = fc.array(fc.integer({ min: 0, max: 31 }), { maxLength: 200 })
    const texts = fc.oneof(fc.string(), words.map((some) => sign('lnbcrt210n', some)), words.map((some) => bech32.encode('lnbc', some, false)))
    fc.assert(
      fc.property(texts, (text) => {
        const read = decodeBolt11(text)
        expect(read.ok || read.error.code === 'INVOICE_MALFORMED').toBe(true)
      }),
      { numRuns: 1_000 }
    )
    expect(decodeBolt11(`lnbc1${'q'.repeat(100_000)}`).ok).toBe(false)
  })
})

describe('a method', () => {
  it('is an invoice for one request', () => {
    const one = core()
    const method = createBolt11Method(one, makeInvoice({ preimage, descriptionHash: one.coreHash }).toUpperCase())
    expect(readBolt11Method({ request: one, method })).toMatchObject({ ok: true, value: { amount: 21_000n, node: NODE } })
    expect(readBolt11Method({ request: core(), method }).ok).toBe(false)
  })

  it.each<[string, (core: RequestCore) => PaymentMethod]>([
    ['of another amount', ({ coreHash }) => methodOf(makeInvoice({ preimage, descriptionHash: coreHash, prefix: 'lnbcrt220n' }))],
    ['of no amount', ({ coreHash }) => methodOf(makeInvoice({ preimage, descriptionHash: coreHash, prefix: 'lnbcrt' }))],
    ['on another network', ({ coreHash }) => methodOf(makeInvoice({ preimage, descriptionHash: coreHash, prefix: 'lntb210n' }))],
    ['for something else', () => methodOf(makeInvoice({ preimage, descriptionHash: ROOM }))],
    ['with words in place of the hash', () => methodOf(makeInvoice({ preimage, description: 'Tea' }))],
    ['of another node than is named', ({ coreHash }) => methodOf(makeInvoice({ preimage, descriptionHash: coreHash, secretKey: otherKey }))],
    ['that names another node', ({ coreHash }) => methodOf(makeInvoice({ preimage, descriptionHash: coreHash }), secp256k1.getPublicKey(otherKey))],
    ['in upper case', ({ coreHash }) => methodOf(makeInvoice({ preimage, descriptionHash: coreHash }).toUpperCase())],
    ['of another type', ({ coreHash }) => ({ ...methodOf(makeInvoice({ preimage, descriptionHash: coreHash })), type: 'bolt12' })],
    ['that is empty', () => ({ type: 'bolt11', data: new Uint8Array() })]
  ])('is refused %s', async (_, make) => {
    const request = core()
    const method = make(request)
    expect(readBolt11Method({ request, method })).toMatchObject({ ok: false, error: { code: 'METHOD_MISMATCH' } })
    const claim = { request: signRequest(alice, request, [method]), method, payer: ROOM, proof: preimage }
    expect(verifyPreimage(claim).status).toBe('invalid')
    expect(await codeOf(() => createBolt11Verifier().quote(claim))).toBe('METHOD_MISMATCH')
  })

  it('is proven by its preimage, and by nothing else', async () => {
    const one = core()
    const request = signRequest(alice, one, [createBolt11Method(one, makeInvoice({ preimage, descriptionHash: one.coreHash }))])
    const claim = { request, method: request.methods[0]!, payer: ROOM, proof: preimage }
    const verifier = createBolt11Verifier()
    expect(await verifier.verify(claim)).toMatchObject({ status: 'valid', level: 'preimage', confirmations: null, spends: sha256(preimage) })
    for (const proof of [ROOM, sha256(preimage), preimage.subarray(1), new Uint8Array()]) {
      expect((await verifier.verify({ ...claim, proof })).status).toBe('invalid')
    }
    expect(await codeOf(() => verifier.quote(claim))).toBe('NO_METHOD')
  })
})
