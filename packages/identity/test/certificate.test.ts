import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeCertificate, verifyCertificate } from '@covey/identity'
import { boxKey, chainOf, forgeLink, keyPair, LINK_DOMAIN, REVOCATION_DOMAIN, varint, type ForgedLink } from './support/forge.js'
import { ROOM } from './support/open.js'

const alice = keyPair(1)
const laptop = keyPair(2)
const phone = keyPair(3)
const tablet = keyPair(4)
const mallory = keyPair(9)
const AT_MS = 1_800_000_000_000
const OTHER_ROOM = new Uint8Array(32).fill(0xbb)

const first: ForgedLink = {
  identity: alice.publicKey,
  issuer: alice.publicKey,
  device: laptop.publicKey,
  boxPublicKey: boxKey(2),
  context: null,
  notBeforeMs: AT_MS - 1_000,
  expiresMs: AT_MS + 1_000,
  epoch: 3
}
const second: ForgedLink = {
  ...first,
  issuer: laptop.publicKey,
  device: phone.publicKey,
  boxPublicKey: boxKey(3)
}
const linkOne = (changes: Partial<ForgedLink> = {}) => forgeLink({ ...first, ...changes }, alice.secretKey)
const linkTwo = (changes: Partial<ForgedLink> = {}) => forgeLink({ ...second, ...changes }, laptop.secretKey)
const oneLink = chainOf(linkOne())
const twoLinks = chainOf(linkOne(), linkTwo())

function judge(bytes: Uint8Array, changes: Partial<Parameters<typeof verifyCertificate>[1]> = {}): string {
  const device = changes.device ?? (bytes === oneLink ? laptop.publicKey : phone.publicKey)
  const result = verifyCertificate(bytes, { context: ROOM, atMs: AT_MS, ...changes, device })
  return result.ok ? 'accepted' : result.error.code
}

const judgeLaptop = (bytes: Uint8Array) => judge(bytes, { device: laptop.publicKey })

describe('verifyCertificate', () => {
  it('accepts a link by the identity', () => {
    expect(verifyCertificate(oneLink, { device: laptop.publicKey, context: ROOM, atMs: AT_MS })).toEqual({
      ok: true,
      value: { ...first, links: 1 }
    })
  })

  it('accepts a second link by the certified device', () => {
    expect(verifyCertificate(twoLinks, { device: phone.publicKey, context: ROOM, atMs: AT_MS })).toEqual({
      ok: true,
      value: { ...second, links: 2 }
    })
  })

  it('accepts contexts that stay or become narrower', () => {
    expect(judge(chainOf(linkOne(), linkTwo({ context: ROOM })))).toBe('accepted')
    expect(judge(chainOf(linkOne({ context: ROOM }), linkTwo({ context: ROOM })))).toBe('accepted')
  })

  it('takes the validity as from notBefore until before expiry', () => {
    expect(judge(oneLink, { atMs: first.notBeforeMs })).toBe('accepted')
    expect(judge(oneLink, { atMs: first.notBeforeMs - 1 })).toBe('CERTIFICATE_NOT_YET_VALID')
    expect(judge(oneLink, { atMs: first.expiresMs - 1 })).toBe('accepted')
    expect(judge(oneLink, { atMs: first.expiresMs })).toBe('CERTIFICATE_EXPIRED')
  })

  it('takes the smallest epoch and the expected identity into account', () => {
    expect(judge(oneLink, { minEpoch: 3, identity: alice.publicKey })).toBe('accepted')
    expect(judge(oneLink, { minEpoch: 4 })).toBe('CERTIFICATE_OLD_EPOCH')
    expect(judge(oneLink, { identity: mallory.publicKey })).toBe('CERTIFICATE_WRONG_IDENTITY')
  })

  it('gives copies: what a caller does to the bytes later does not matter', () => {
    const bytes = Buffer.from(oneLink)
    const result = decodeCertificate(bytes)
    bytes.fill(0)
    expect(result.ok && result.value.device).toEqual(laptop.publicKey)
  })

  it('throws a TypeError that names the field for what the caller got wrong', () => {
    const expected = { device: laptop.publicKey, context: ROOM, atMs: AT_MS }
    expect(() => verifyCertificate('x' as never, expected)).toThrow(/^bytes/)
    expect(() => verifyCertificate(oneLink, { ...expected, device: ROOM.subarray(1) })).toThrow(/^expected\.device/)
    expect(() => verifyCertificate(oneLink, { ...expected, context: new Uint8Array() })).toThrow(/^expected\.context/)
    expect(() => verifyCertificate(oneLink, { ...expected, atMs: NaN })).toThrow(/^expected\.atMs/)
    // A misspelt option must not be a check that silently does not happen.
    expect(() => verifyCertificate(oneLink, { ...expected, expectedIdentity: ROOM } as never)).toThrow(/identity/)
  })
})

describe('a forged certificate', () => {
  const longVarint = (() => {
    const bytes = Buffer.from(linkOne())
    const at = 32 * 4 + 1 + 9 + 9
    return Buffer.concat([bytes.subarray(0, at), varint(3, 2), bytes.subarray(at + 1)])
  })()
  const highS = (() => {
    // S plus the group order L: the same signature to a verifier that does not insist on S < L.
    const bytes = Buffer.from(oneLink)
    const order = (1n << 252n) + 27742317777372353535851937790883648493n
    let s = 0n
    for (let index = 31; index >= 0; index--) s = (s << 8n) | BigInt(bytes[bytes.length - 32 + index]!)
    s += order
    for (let index = 0; index < 32; index++, s >>= 8n) bytes[bytes.length - 32 + index] = Number(s & 0xffn)
    return Uint8Array.from(bytes)
  })()
  const forgedBy = (secretKey: Uint8Array) => chainOf(forgeLink(first, secretKey))
  const third = forgeLink({ ...second, issuer: phone.publicKey, device: tablet.publicKey }, phone.secretKey)

  it.each<[string, () => string, string]>([
    ['no bytes', () => judgeLaptop(new Uint8Array()), 'CERTIFICATE_MALFORMED'],
    ['an empty chain', () => judgeLaptop(chainOf()), 'CERTIFICATE_CHAIN_LENGTH'],
    ['an empty chain for the identity itself', () => judge(chainOf(), { device: alice.publicKey }), 'CERTIFICATE_CHAIN_LENGTH'],
    ['three links', () => judge(chainOf(linkOne(), linkTwo(), third), { device: tablet.publicKey }), 'CERTIFICATE_MALFORMED'],
    ['three short links', () => judgeLaptop(Uint8Array.of(1, 3, 0, 0, 0)), 'CERTIFICATE_CHAIN_LENGTH'],
    ['two links counted as one', () => judge(Uint8Array.of(1, 1, ...twoLinks.subarray(2))), 'CERTIFICATE_MALFORMED'],
    ['one link counted as two', () => judgeLaptop(Uint8Array.of(1, 2, ...oneLink.subarray(2))), 'CERTIFICATE_MALFORMED'],
    ['only the second link', () => judge(chainOf(linkTwo())), 'CERTIFICATE_FOREIGN_ISSUER'],
    ['links in the wrong order', () => judgeLaptop(chainOf(linkTwo(), linkOne())), 'CERTIFICATE_FOREIGN_ISSUER'],
    ['the same link twice', () => judgeLaptop(chainOf(linkOne(), linkOne())), 'CERTIFICATE_FOREIGN_ISSUER'],
    ['version 0', () => judgeLaptop(Uint8Array.of(0, ...oneLink.subarray(1))), 'CERTIFICATE_MALFORMED'],
    ['a newer version', () => judgeLaptop(Uint8Array.of(2, ...oneLink.subarray(1))), 'CERTIFICATE_TOO_NEW'],
    ['a trailing byte', () => judgeLaptop(Uint8Array.of(...oneLink, 0)), 'CERTIFICATE_MALFORMED'],
    ['a number in a longer form', () => judgeLaptop(chainOf(longVarint)), 'CERTIFICATE_MALFORMED'],
    ['a signature with a large S', () => judgeLaptop(highS), 'CERTIFICATE_BAD_SIGNATURE'],
    ['an unknown scope', () => {
      const bytes = chainOf(linkOne({ context: ROOM }))
      bytes[2 + 128] = 2
      return judgeLaptop(bytes)
    }, 'CERTIFICATE_MALFORMED'],
    ['an end before the beginning', () => judgeLaptop(chainOf(linkOne({ expiresMs: first.notBeforeMs }))), 'CERTIFICATE_MALFORMED'],
    ['an epoch beyond 32 bits', () => judgeLaptop(chainOf(linkOne({ epoch: 2 ** 32 }))), 'CERTIFICATE_MALFORMED'],
    ["a stranger's signature", () => judgeLaptop(forgedBy(mallory.secretKey)), 'CERTIFICATE_BAD_SIGNATURE'],
    ["the device's own signature", () => judgeLaptop(forgedBy(laptop.secretKey)), 'CERTIFICATE_BAD_SIGNATURE'],
    ['a signature for another purpose', () => judgeLaptop(chainOf(forgeLink(first, alice.secretKey, REVOCATION_DOMAIN))), 'CERTIFICATE_BAD_SIGNATURE'],
    ['a signature without a purpose', () => judgeLaptop(chainOf(forgeLink(first, alice.secretKey, ''))), 'CERTIFICATE_BAD_SIGNATURE'],
    ['a foreign issuer', () => judgeLaptop(chainOf(forgeLink({ ...first, issuer: mallory.publicKey }, mallory.secretKey))), 'CERTIFICATE_FOREIGN_ISSUER'],
    ['an identity that certifies itself', () => judge(chainOf(linkOne({ device: alice.publicKey })), { device: alice.publicKey }), 'CERTIFICATE_FOREIGN_ISSUER'],
    ['a device that certifies itself', () => judgeLaptop(chainOf(linkOne(), linkTwo({ device: laptop.publicKey }))), 'CERTIFICATE_FOREIGN_ISSUER'],
    ['a second link by the identity', () => judge(chainOf(linkOne(), forgeLink({ ...second, issuer: alice.publicKey }, alice.secretKey))), 'CERTIFICATE_FOREIGN_ISSUER'],
    ['a second link that a stranger signed', () => judge(chainOf(linkOne(), forgeLink(second, mallory.secretKey))), 'CERTIFICATE_BAD_SIGNATURE'],
    ['a first link that a stranger signed', () => judge(chainOf(forgeLink(first, mallory.secretKey), linkTwo())), 'CERTIFICATE_BAD_SIGNATURE'],
    ['a second link for another identity', () => judge(chainOf(linkOne(), linkTwo({ identity: mallory.publicKey }))), 'CERTIFICATE_EXCEEDS_ISSUER'],
    ['a second link of another epoch', () => judge(chainOf(linkOne(), linkTwo({ epoch: 4 }))), 'CERTIFICATE_EXCEEDS_ISSUER'],
    ['a second link that begins earlier', () => judge(chainOf(linkOne(), linkTwo({ notBeforeMs: first.notBeforeMs - 1 }))), 'CERTIFICATE_EXCEEDS_ISSUER'],
    ['a second link that ends later', () => judge(chainOf(linkOne(), linkTwo({ expiresMs: first.expiresMs + 1 }))), 'CERTIFICATE_EXCEEDS_ISSUER'],
    ['a second link for all rooms', () => judge(chainOf(linkOne({ context: ROOM }), linkTwo())), 'CERTIFICATE_EXCEEDS_ISSUER'],
    ['a second link for another room', () => judge(chainOf(linkOne({ context: OTHER_ROOM }), linkTwo({ context: ROOM }))), 'CERTIFICATE_EXCEEDS_ISSUER'],
    ['a certificate for another room', () => judgeLaptop(chainOf(linkOne({ context: OTHER_ROOM }))), 'CERTIFICATE_WRONG_CONTEXT'],
    ["another device's certificate", () => judge(oneLink, { device: phone.publicKey }), 'CERTIFICATE_WRONG_DEVICE'],
    ["the issuer's certificate", () => judge(twoLinks, { device: laptop.publicKey }), 'CERTIFICATE_WRONG_DEVICE'],
    ['an X25519 key of zeros', () => judgeLaptop(chainOf(linkOne({ boxPublicKey: new Uint8Array(32) }))), 'CERTIFICATE_WEAK_KEY'],
    ['an X25519 key of order 8', () => judgeLaptop(chainOf(linkOne({ boxPublicKey: ORDER_8 }))), 'CERTIFICATE_WEAK_KEY']
  ])('is refused: %s', (_, verdict, code) => {
    expect(verdict()).toBe(code)
  })

  it('is refused wherever one bit differs', () => {
    for (const [bytes, device] of [[oneLink, laptop.publicKey], [twoLinks, phone.publicKey]] as const) {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Uint8Array.from(bytes)
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        expect(judge(flipped, { device }), `bit ${bit}`).toMatch(/^CERTIFICATE_/)
      }
    }
  })

  it('is refused wherever it is cut', () => {
    for (let length = 0; length < twoLinks.length; length++) {
      expect(judge(twoLinks.subarray(0, length)), `${length} bytes`).toMatch(/^CERTIFICATE_/)
    }
  })

  it('is refused whatever else a second link claims', () => {
    const change = fc.record(
      {
        identity: fc.uint8Array({ minLength: 32, maxLength: 32 }),
        issuer: fc.uint8Array({ minLength: 32, maxLength: 32 }),
        context: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 })),
        notBeforeMs: fc.nat({ max: first.notBeforeMs - 1 }),
        expiresMs: fc.integer({ min: first.expiresMs + 1, max: Number.MAX_SAFE_INTEGER }),
        epoch: fc.oneof(fc.nat({ max: 2 }), fc.integer({ min: 4, max: 2 ** 32 - 1 }))
      },
      { requiredKeys: [] }
    )
    const narrow = linkOne({ context: ROOM })
    fc.assert(
      fc.property(change, (changes) => {
        fc.pre(Object.keys(changes).length > 0)
        const verdict = judge(chainOf(narrow, linkTwo({ context: ROOM, ...changes })))
        expect(verdict).toMatch(/^CERTIFICATE_(EXCEEDS_ISSUER|FOREIGN_ISSUER)$/)
      }),
      { numRuns: 2_000 }
    )
  })

  it('is judged by the purpose in the signature that this test signs with', () => {
    expect(judgeLaptop(chainOf(forgeLink(first, alice.secretKey, LINK_DOMAIN)))).toBe('accepted')
  })
})

const ORDER_8 = Uint8Array.from(Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex'))
