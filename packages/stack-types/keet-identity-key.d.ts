declare module 'keet-identity-key' {
  import type { KeyPair } from 'hypercore-crypto'

  /** What a proof says, when it verifies. */
  export interface VerifiedProof {
    /** The epoch of the proof; pass it to the next `verify` so that older proofs are refused. */
    receipt: Uint8Array
    identityPublicKey: Uint8Array
    /** The identity's own key when the chain is empty: an empty chain verifies. */
    devicePublicKey: Uint8Array
  }

  /** Nothing is checked that is not asked for here; an unknown name is ignored at runtime. */
  export interface VerifyOptions {
    expectedIdentity?: Uint8Array | null
    expectedDevice?: Uint8Array | null
    receipt?: Uint8Array | null
  }

  export interface Attestation {
    publicKey: Uint8Array
    signature: Uint8Array
  }

  export interface Proof {
    version: number
    /** Milliseconds since 1970; kept in whole seconds on the wire. */
    epoch: number
    identity: Uint8Array
    chain: Attestation[]
    data?: { signature: Uint8Array } | null
  }

  export type IdentitySource =
    | { mnemonic: string; seed?: Uint8Array | null }
    | { seed: Uint8Array; mnemonic?: string | null }

  export type BootstrapSource = IdentitySource | { identity: KeyPair }

  export interface KeyChain {
    readonly seed: Uint8Array
    get(path: readonly number[]): KeyPair
    getSymmetricKey(path: readonly string[]): Uint8Array
    clear(): void
  }

  export default class IdentityKey {
    constructor(keyChain: KeyChain)
    keyChain: KeyChain
    identityKeyPair: KeyPair
    profileDiscoveryKeyPair: KeyPair
    get identityPublicKey(): Uint8Array
    get profileDiscoveryPublicKey(): Uint8Array
    getProfileDiscoveryEncryptionKey(): Uint8Array
    getEncryptionKey(profileKey: Uint8Array): Uint8Array
    bootstrap(devicePublicKey: Uint8Array): Promise<Uint8Array>
    /** Zeroes the derived secrets; `keyChain.seed` stays in memory. */
    clear(): void

    static from(source: IdentitySource): Promise<IdentityKey>
    static generateMnemonic(): string
    static deriveSeed(mnemonic: string): Promise<Uint8Array>
    /** The identity certifies a first device. */
    static bootstrap(source: BootstrapSource, devicePublicKey: Uint8Array): Promise<Uint8Array>
    /** A certified device certifies another one. A decoded proof is changed in place. */
    static attestDevice(
      publicKey: Uint8Array,
      parent: KeyPair,
      proof: Uint8Array | Proof
    ): Uint8Array
    static attestDevice(publicKey: Uint8Array, parent: KeyPair, proof?: null): Promise<Uint8Array>
    static attestData(
      data: Uint8Array,
      keyPair: KeyPair,
      proof?: Uint8Array | Proof | null
    ): Uint8Array
    /** Null when it does not verify; throws when the bytes cannot be decoded. */
    static verify(
      proof: Uint8Array | Proof,
      attestedData: Uint8Array | null,
      options?: VerifyOptions
    ): VerifiedProof | null
  }
}
