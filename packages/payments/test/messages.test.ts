import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  draftRequest,
  MAX_METHOD_BYTES,
  MAX_METHODS,
  paymentReceiptContent,
  paymentRequestContent,
  readNotice,
  readReceipt,
  readRequest,
  signNotice,
  signReceipt,
  signRequest,
  type NoticeInit
} from '@covey/payments'
import { ask, METHOD, MSAT, NOW, OTHER_ROOM, person, ROOM } from './support/people.js'

const [alice, bob, mallory] = await Promise.all([person(), person(), person()])
const atMs = Date.now()
const request = ask(alice)
const receipt = signReceipt(bob, request, { method: 'test', proof: Uint8Array.of(7), createdMs: NOW })

function codeIn(result: { ok: true } | { ok: false; error: { code: string } }): string | null {
  return result.ok ? null : result.error.code
}

describe('a request', () => {
  it('is read as it was signed', () => {
    const read = readRequest(request.bytes, { room: ROOM, atMs, payee: alice.identity.publicKey })
    expect(read).toEqual({ ok: true, value: request })
    expect(request).toMatchObject({ payer: null, reference: '', createdMs: NOW, expiresMs: NOW + 3_600_000, device: alice.device.publicKey })
  })

  it('may have everything at its longest', () => {
    const methods = Array.from({ length: MAX_METHODS }, () => ({ type: 'x'.repeat(32), data: new Uint8Array(MAX_METHOD_BYTES) }))
    const long = ask(alice, { purpose: 'ä'.repeat(319), reference: 'r'.repeat(128), payer: bob.identity.publicKey, money: { asset: MSAT, amount: 2n ** 256n - 1n } }, methods)
    expect(readRequest(long.bytes, { room: ROOM, atMs })).toEqual({ ok: true, value: long })
  })

  it('has another hash for anything else in it', () => {
    const fields = [{}, {}, { purpose: 'tea' }, { reference: 'x' }, { payer: bob.identity.publicKey }, { room: OTHER_ROOM }, { money: { asset: MSAT, amount: 21_001n } }, { createdMs: NOW + 1 }, { expiresInMs: 1 }]
    const hashes = fields.map((init) => Buffer.from(ask(alice, init).coreHash).toString('hex'))
    expect(new Set(hashes).size).toBe(fields.length)
  })

  it('is refused where it is for another room, of somebody else, or from before a revocation', () => {
    expect(codeIn(readRequest(request.bytes, { room: OTHER_ROOM, atMs }))).toBe('MESSAGE_WRONG_ROOM')
    expect(codeIn(readRequest(request.bytes, { room: ROOM, atMs, payee: bob.identity.publicKey }))).toBe('MESSAGE_MISMATCH')
    expect(codeIn(readRequest(request.bytes, { room: ROOM, atMs, minEpoch: 1 }))).toBe('MESSAGE_BAD_SIGNATURE')
    expect(codeIn(readRequest(request.bytes, { room: ROOM, atMs: atMs + 20 * 365 * 24 * 3_600_000 }))).toBe('MESSAGE_BAD_SIGNATURE')
  })

  it('is signed by its payee and nobody else', () => {
    const core = draftRequest({ room: ROOM, payee: alice.identity.publicKey, money: { asset: MSAT, amount: 1n }, purpose: '' })
    expect(() => signRequest(mallory, core, [METHOD])).toThrow('signer must be the payee')
    // As a program would that has no such check: the certificate is Mallory's, the words are not.
    const claimed = { ...mallory, identity: alice.identity, device: mallory.device, signStatement: mallory.signStatement.bind(mallory) }
    expect(codeIn(readRequest(signRequest(claimed, core, [METHOD]).bytes, { room: ROOM, atMs }))).toBe('MESSAGE_BAD_SIGNATURE')
    const borrowed = { ...claimed, device: alice.device }
    expect(codeIn(readRequest(signRequest(borrowed, core, [METHOD]).bytes, { room: ROOM, atMs }))).toBe('MESSAGE_BAD_SIGNATURE')
  })

  it('is refused when any bit of it is another', () => {
    for (let bit = 0; bit < request.bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(request.bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(readRequest(flipped, { room: ROOM, atMs }).ok, `bit ${bit}`).toBe(false)
    }
    expect(codeIn(readRequest(Uint8Array.of(2), { room: ROOM, atMs }))).toBe('MESSAGE_TOO_NEW')
  })

  it('may be any bytes at all, and is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(request.bytes.length), (noise, at) => {
        const spliced = Uint8Array.of(...request.bytes.subarray(0, at), ...noise)
        const isWhole = Buffer.compare(spliced, request.bytes) === 0
        expect(readRequest(spliced, { room: ROOM, atMs }).ok).toBe(isWhole)
        expect(readReceipt(spliced, { request, atMs }).ok).toBe(false)
        expect(readNotice(spliced, { kind: 'ack', request, atMs }).ok).toBe(false)
      })
    )
  })

  it.each<[string, object]>([
    ['init.money.amount', { money: { asset: MSAT, amount: 0n } }],
    ['init.money.amount', { money: { asset: MSAT, amount: 1.5 } }],
    ['init.purpose', { purpose: 'x'.repeat(640) }],
    ['init.purpose', { purpose: '\ud800' }],
    ['init.reference', { reference: 'x'.repeat(129) }],
    ['init.payer', { payer: new Uint8Array(31) }],
    ['init.expiresInMs', { expiresInMs: 0 }],
    ['did you mean "expiresInMs"', { expireInMs: 5 }]
  ])('is not drafted where %s is wrong', (field, init) => {
    expect(() => ask(alice, init)).toThrow(field)
  })

  it('has methods', () => {
    for (const methods of [[], Array.from({ length: 9 }, () => METHOD), [{ type: 'X', data: METHOD.data }], [{ type: 'x', data: new Uint8Array(4_097) }]]) {
      expect(() => ask(alice, {}, methods)).toThrow(TypeError)
    }
  })
})

describe('a receipt', () => {
  it('is read as it was signed', () => {
    expect(readReceipt(receipt.bytes, { request, atMs })).toEqual({ ok: true, value: receipt })
  })

  it('is for one request, by one of its methods', () => {
    expect(codeIn(readReceipt(receipt.bytes, { request: ask(alice), atMs }))).toBe('MESSAGE_MISMATCH')
    expect(codeIn(readReceipt(receipt.bytes, { request: ask(alice, { room: OTHER_ROOM }), atMs }))).toBe('MESSAGE_WRONG_ROOM')
    expect(codeIn(readReceipt(receipt.bytes, { request: { ...request, methods: [{ ...METHOD, type: 'other' }] }, atMs }))).toBe('MESSAGE_MISMATCH')
    expect(() => signReceipt(bob, request, { method: 'other', proof: new Uint8Array() })).toThrow('init.method')
  })

  it('is from the payer that the request names', () => {
    const named = ask(alice, { payer: bob.identity.publicKey })
    expect(() => signReceipt(mallory, named, { method: 'test', proof: new Uint8Array() })).toThrow('signer must be the payer')
    const forged = signReceipt(mallory, { ...named, payer: null }, { method: 'test', proof: new Uint8Array() })
    expect(codeIn(readReceipt(forged.bytes, { request: named, atMs }))).toBe('MESSAGE_MISMATCH')
    expect(readReceipt(signReceipt(bob, named, { method: 'test', proof: new Uint8Array() }).bytes, { request: named, atMs }).ok).toBe(true)
  })

  it('that is another one is told without its signature, which takes long to check', () => {
    const bytes = Uint8Array.from(receipt.bytes)
    bytes[bytes.length - 1]! ^= 1
    const notice = Uint8Array.from(signNotice(alice, request, { kind: 'cancel' }).bytes)
    notice[notice.length - 1]! ^= 1
    expect(codeIn(readReceipt(bytes, { request, atMs }))).toBe('MESSAGE_BAD_SIGNATURE')
    expect(codeIn(readReceipt(bytes, { request: ask(alice), atMs }))).toBe('MESSAGE_MISMATCH')
    expect(codeIn(readNotice(notice, { kind: 'cancel', request, atMs }))).toBe('MESSAGE_BAD_SIGNATURE')
    expect(codeIn(readNotice(notice, { kind: 'cancel', request: ask(alice), atMs }))).toBe('MESSAGE_MISMATCH')
  })

  it('is no request, and no notice', () => {
    expect(readRequest(receipt.bytes, { room: ROOM, atMs }).ok).toBe(false)
    expect(readNotice(receipt.bytes, { kind: 'cancel', request, atMs }).ok).toBe(false)
  })
})

describe('a notice', () => {
  const inits: NoticeInit[] = [
    { kind: 'ack', receipt: receipt.hash },
    { kind: 'cancel' },
    { kind: 'refund', receipt: receipt.hash, refundRequest: ask(bob).coreHash }
  ]

  it.each(inits)('is read as it was signed, as its kind alone: $kind', (init) => {
    const notice = signNotice(alice, request, { ...init, createdMs: NOW })
    expect(readNotice(notice.bytes, { kind: init.kind, request, atMs })).toEqual({ ok: true, value: notice })
    for (const { kind } of inits) expect(readNotice(notice.bytes, { kind, request, atMs }).ok).toBe(kind === init.kind)
    expect(codeIn(readNotice(notice.bytes, { kind: init.kind, request: ask(alice), atMs }))).toBe('MESSAGE_MISMATCH')
  })

  it.each(inits)('comes from the payee: $kind', (init) => {
    expect(() => signNotice(bob, request, init)).toThrow('signer must be the payee')
    const forged = signNotice(bob, { ...request, payee: bob.identity.publicKey }, init)
    expect(codeIn(readNotice(forged.bytes, { kind: init.kind, request, atMs }))).toBe('MESSAGE_MISMATCH')
  })
})

describe('content', () => {
  it('carries signed messages', () => {
    const content = paymentRequestContent.create(request.bytes)
    expect(content).toMatchObject({ type: 'covey/payment-request', version: 1 })
    expect(paymentRequestContent.read(content)).toEqual(request.bytes)
    expect(paymentReceiptContent.read(content)).toBeUndefined()
    expect(paymentRequestContent.read({ ...content, data: new Uint8Array() })).toBeUndefined()
    expect(paymentRequestContent.read({ ...content, data: new Uint8Array(50_000) })).toBeUndefined()
    expect(() => paymentRequestContent.create(new Uint8Array())).toThrow(TypeError)
  })
})
