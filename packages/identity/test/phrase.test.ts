import IdentityKey from 'keet-identity-key'
import { describe, expect, it } from 'vitest'
import { generatePhrase, isPhrase } from '@covey/identity'
import { codeOf, open, PHRASE } from './support/open.js'

// From https://github.com/trezor/python-mnemonic/blob/master/vectors.json, those with 24 words.
const OFFICIAL_PHRASES = [
  PHRASE,
  `${'legal winner thank year wave sausage worth useful '.repeat(2)}legal winner thank year wave sausage worth title`,
  `${'letter advice cage absurd amount doctor acoustic avoid '.repeat(2)}letter advice cage absurd amount doctor acoustic bless`,
  `${'zoo '.repeat(23)}vote`,
  'hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis maple dilemma loan word shrug inflict delay length',
  'panda eyebrow bullet gorilla call smoke muffin taste mesh discover soft ostrich alcohol speed nation flash devote level hobby quick inner drive ghost inside',
  'all hour make first leader extend hole alien behind guard gospel lava path output census museum junior mass reopen famous sing advance salt reform',
  'void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group space point ten exist slush involve unfold'
]

describe('generatePhrase', () => {
  it('makes 24 words that are a phrase, different every time', () => {
    const phrases = Array.from({ length: 20 }, generatePhrase)
    expect(phrases.every((phrase) => isPhrase(phrase) && phrase.split(' ').length === 24)).toBe(true)
    expect(new Set(phrases).size).toBe(20)
  })
})

describe('isPhrase', () => {
  it.each(OFFICIAL_PHRASES)('accepts the official vector %#', (phrase) => {
    expect(isPhrase(phrase)).toBe(true)
  })

  it('forgives capitals and white space', () => {
    expect(isPhrase(`  ${PHRASE.toUpperCase().replaceAll(' ', '\n ')}\t`)).toBe(true)
  })

  it.each([
    ['a wrong checksum', `${'abandon '.repeat(23)}abandon`],
    ['two words swapped', OFFICIAL_PHRASES[4]!.replace('hamster diagram', 'diagram hamster')],
    ['a word that is not on the list', PHRASE.replace('art', 'arte')],
    ['12 words', `${'abandon '.repeat(11)}about`],
    ['25 words', `${PHRASE} art`],
    ['nothing', ''],
    ['half of a surrogate pair', PHRASE.replace('art', '\ud800')]
  ])('refuses %s', (_, text) => {
    expect(isPhrase(text)).toBe(false)
  })
})

describe('the identity behind a phrase', () => {
  it.each([...OFFICIAL_PHRASES, generatePhrase()])('is the one that Keet derives (%#)', async (phrase) => {
    const keet = await IdentityKey.from({ mnemonic: phrase })
    const local = await open({ phrase })
    expect(Buffer.from(local.identity.publicKey)).toEqual(Buffer.from(keet.identityPublicKey))
    expect(local.revealPhrase()).toBe(phrase)
  })

  it('is the same however the phrase was typed', async () => {
    const local = await open({ phrase: PHRASE.toUpperCase().replaceAll(' ', '  ') })
    expect(local.identity.id).toBe((await open({ phrase: PHRASE })).identity.id)
    expect(local.revealPhrase()).toBe(PHRASE)
  })

  it('does not come from what is not a phrase, and the words are in no error', async () => {
    const wrong = PHRASE.replace('art', 'secretword')
    expect(await codeOf(() => open({ phrase: wrong }))).toBe('IDENTITY_INVALID_PHRASE')
    const error: Error = await open({ phrase: wrong }).then(
      () => new Error('opened'),
      (reason: Error) => reason
    )
    expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toMatch(/secretword|abandon/)
  })
})

// docs/decisions/identity-certificates.md rests on these.
describe("Keet's own proofs", () => {
  it('verify with an empty chain, where nobody was certified', async () => {
    const identity = (await IdentityKey.from({ mnemonic: PHRASE })).identityKeyPair
    const proof = IdentityKey.attestData(new Uint8Array([1]), identity)
    expect(IdentityKey.verify(proof, new Uint8Array([1]))).not.toBeNull()
  })

  it('verify for an identity other than the expected one when the option is spelt as documented', async () => {
    const key = await IdentityKey.from({ mnemonic: PHRASE })
    const device = new Uint8Array(32).fill(1)
    const proof = await key.bootstrap(Buffer.from(device))
    const stranger = Buffer.alloc(32, 9)
    expect(IdentityKey.verify(proof, null, { expectedIndentity: stranger } as object)).not.toBeNull()
    expect(IdentityKey.verify(proof, null, { expectedIdentity: stranger })).toBeNull()
  })

  it('throw on garbage', () => {
    expect(() => IdentityKey.verify(Buffer.from([1, 2, 3]), null)).toThrow(/out of bounds/i)
  })
})
