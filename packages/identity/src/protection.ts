import { assertString } from '@covey/core'

/** Gives the key that seals the secrets at rest, from wherever the system keeps keys. */
export interface KeyProvider {
  /** The same 32 secret bytes every time. A copy of them is not kept. */
  getKey(): Promise<Uint8Array>
}

/**
 * How much work guessing a passphrase is (Argon2id), and so how long opening takes: about 0.1 s with
 * `interactive` (64 MiB), 0.5 s with `moderate` (256 MiB, the default), 3 s with `sensitive` (1 GiB).
 * `minimum` (8 KiB) protects nothing and is for tests alone.
 */
export type PassphraseStrength = 'minimum' | 'interactive' | 'moderate' | 'sensitive'

/** How secrets are sealed: by a passphrase, by a key provider, or, with neither, not at all. */
export interface ProtectionOptions {
  /** At least one character. Composed and decomposed Unicode are the same. */
  passphrase?: string | undefined
  /** Default `moderate`. A file that exists keeps what it was sealed with. */
  passphraseStrength?: PassphraseStrength | undefined
  /** Instead of a passphrase. */
  keyProvider?: KeyProvider | undefined
}

/** The presets of libsodium, and its minimum. */
export const PASSPHRASE_STRENGTHS: Record<PassphraseStrength, { ops: number; memoryBytes: number }> = {
  minimum: { ops: 1, memoryBytes: 8_192 },
  interactive: { ops: 2, memoryBytes: 64 * 2 ** 20 },
  moderate: { ops: 3, memoryBytes: 256 * 2 ** 20 },
  sensitive: { ops: 4, memoryBytes: 1_024 * 2 ** 20 }
}

export type Protection =
  | { kind: 'none' }
  | { kind: 'passphrase'; passphrase: string; strength: PassphraseStrength }
  | { kind: 'provider'; keyProvider: KeyProvider }

export const PROTECTION_OPTIONS = ['passphrase', 'passphraseStrength', 'keyProvider'] as const

export function chooseProtection(options: ProtectionOptions): Protection {
  const { passphrase, passphraseStrength: strength = 'moderate', keyProvider } = options
  if (!Object.hasOwn(PASSPHRASE_STRENGTHS, strength)) {
    throw new TypeError(`passphraseStrength must be one of ${Object.keys(PASSPHRASE_STRENGTHS).join(', ')}`)
  }
  if (passphrase !== undefined && keyProvider !== undefined) {
    throw new TypeError('passphrase and keyProvider exclude each other')
  }
  if (passphrase !== undefined) {
    assertString(passphrase, 'passphrase', { minLength: 1, maxLength: 1_024 })
    return { kind: 'passphrase', passphrase, strength }
  }
  if (keyProvider === undefined) return { kind: 'none' }
  if (typeof keyProvider?.getKey !== 'function') throw new TypeError('keyProvider must have a function getKey')
  return { kind: 'provider', keyProvider }
}
