import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import IdentityKey from 'keet-identity-key'
import { IdentityError } from './errors.js'
import { randomBytes, wipeBytes, type KeyPair } from './internal/crypto.js'

/** 24 words: 256 bits, so that guessing a phrase is as hard as guessing a key. */
const ENTROPY_BYTES = 32

/**
 * A new recovery phrase: 24 English BIP-39 words, separated by single spaces, from 256 random bits.
 * Whoever has the words is the person, on any machine.
 *
 * @example
 * ```ts
 * import { generatePhrase } from '@covey/identity'
 *
 * console.log(generatePhrase().split(' ').length)
 * ```
 */
export function generatePhrase(): string {
  const entropy = randomBytes(ENTROPY_BYTES)
  try {
    return phraseFromEntropy(entropy)
  } finally {
    wipeBytes(entropy)
  }
}

/**
 * Whether `text` is a recovery phrase: 24 English BIP-39 words whose checksum matches. Capital
 * letters and additional white space are forgiven.
 *
 * @example
 * ```ts
 * import { generatePhrase, isPhrase } from '@covey/identity'
 *
 * console.log(isPhrase(generatePhrase()), isPhrase('correct horse battery staple'))
 * ```
 */
export function isPhrase(text: string): boolean {
  const entropy = decodePhrase(text)
  wipeBytes(entropy)
  return entropy !== undefined
}

/** The entropy behind a phrase. @throws {IdentityError} IDENTITY_INVALID_PHRASE */
export function entropyFromPhrase(phrase: string): Uint8Array {
  const entropy = decodePhrase(phrase)
  if (entropy !== undefined) return entropy
  throw new IdentityError('IDENTITY_INVALID_PHRASE', 'The recovery phrase is not valid.', {
    hint: 'Check that all 24 words are there, in order and spelt right.'
  })
}

export function phraseFromEntropy(entropy: Uint8Array): string {
  return entropyToMnemonic(entropy, wordlist)
}

/** The identity key pair as Keet derives it: m/48'/5338'/0'/0'/0' of the BIP-39 seed, SLIP-10. */
export async function deriveIdentity(entropy: Uint8Array): Promise<KeyPair> {
  const key = await IdentityKey.from({ mnemonic: phraseFromEntropy(entropy) })
  const pair = {
    publicKey: Uint8Array.from(key.identityKeyPair.publicKey),
    secretKey: Uint8Array.from(key.identityKeyPair.secretKey)
  }
  key.clear()
  wipeBytes(key.keyChain.seed)
  return pair
}

function decodePhrase(text: string): Uint8Array | undefined {
  if (typeof text !== 'string') return undefined
  const words = text.trim().toLowerCase().split(/\s+/)
  if (words.length !== 24) return undefined
  try {
    return mnemonicToEntropy(words.join(' '), wordlist)
  } catch {
    return undefined
  }
}
