declare module 'hypercore-crypto' {
  export interface KeyPair {
    publicKey: Uint8Array
    secretKey: Uint8Array
  }

  export interface TreeNode {
    index: number
    size: number
    hash: Uint8Array
  }

  interface HypercoreCrypto {
    /** Ed25519; from a 32-byte seed, or random. */
    keyPair(seed?: Uint8Array | null): KeyPair
    validateKeyPair(keyPair: Readonly<KeyPair>): boolean
    sign(message: Uint8Array, secretKey: Uint8Array): Uint8Array
    /** False, and no throw, when signature or key have the wrong length. */
    verify(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean
    /** A sealed box to an X25519 key of `encryptionKeyPair`, not to an Ed25519 key. */
    encrypt(message: Uint8Array, publicKey: Uint8Array): Uint8Array
    decrypt(ciphertext: Uint8Array, keyPair: Readonly<KeyPair>): Uint8Array | null
    encryptionKeyPair(seed?: Uint8Array | null): KeyPair
    data(data: Uint8Array): Uint8Array
    parent(a: Readonly<TreeNode>, b: Readonly<TreeNode>): Uint8Array
    tree(roots: readonly Readonly<TreeNode>[], out?: Uint8Array): Uint8Array
    /** BLAKE2b; the parts are concatenated without lengths. */
    hash(data: Uint8Array | readonly Uint8Array[], out?: Uint8Array): Uint8Array
    randomBytes(length: number): Uint8Array
    discoveryKey(key: Uint8Array): Uint8Array
    free(secureBuffer: Uint8Array): void
    /** `count` 32-byte namespaces, numbered from 0, or one for each of the given bytes. */
    namespace(name: string | Uint8Array, count: number | readonly number[]): Uint8Array[]
  }

  const crypto: HypercoreCrypto
  export default crypto
}
