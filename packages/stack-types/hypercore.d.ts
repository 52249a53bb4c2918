declare module 'hypercore' {
  import type {
    BinaryEncodingName,
    EncodingLike,
    JsonEncodingName,
    StringEncodingName
  } from 'compact-encoding'
  import type { KeyPair, TreeNode } from 'hypercore-crypto'
  import type CoreStorage from 'hypercore-storage'
  import type { StorageAtom, StorageOptions } from 'hypercore-storage'
  import type NoiseSecretStream from '@hyperswarm/secret-stream'
  import type Protomux from 'protomux'
  import type { Duplex } from 'streamx'

  /** A codec, or its name: names give bytes, strings or JSON values of unknown shape. */
  export type ValueEncoding<T> =
    | EncodingLike<T>
    | (Uint8Array extends T ? BinaryEncodingName : never)
    | (string extends T ? StringEncodingName : never)
    | (unknown extends T ? JsonEncodingName : never)

  /** 32 bytes, or text: z-base-32 or hex. */
  export type KeyLike = Uint8Array | string

  export interface Signer {
    /** ed25519, the only one. */
    signature?: 'ed25519'
    namespace?: Uint8Array
    publicKey: Uint8Array
  }

  export interface Prologue {
    hash: Uint8Array
    length: number
  }

  export interface ManifestInput {
    /** 1, or 2 when `linked` or `userData` is given. */
    version?: number
    hash?: 'blake2b'
    allowPatch?: boolean
    /** floor(n / 2) + 1 of the signers. */
    quorum?: number
    signers?: readonly Signer[]
    prologue?: Prologue | null
    linked?: readonly Uint8Array[] | null
    userData?: Uint8Array | null
  }

  export interface Manifest {
    version: number
    hash: 'blake2b'
    allowPatch: boolean
    quorum: number
    signers: Required<Signer>[]
    prologue: Prologue | null
    linked: Uint8Array[] | null
    userData: Uint8Array | null
  }

  export interface EncryptionProvider {
    padding(core: object, index: number): number
    encrypt(index: number, block: Uint8Array, fork: number, core: object): void | Promise<void>
    decrypt(index: number, block: Uint8Array, core: object): void | Promise<void>
  }

  export interface EncryptionKey {
    key: Uint8Array
    /** The key is a block key already (`Hypercore.blockEncryptionKey`), not the shared one. */
    block?: boolean
  }

  export type Encryption = EncryptionKey | EncryptionProvider | Uint8Array

  export interface WaitOptions {
    /** False: null instead of waiting for peers. */
    wait?: boolean
    /** Milliseconds; 0, the default, waits for ever. */
    timeout?: number
  }

  export interface GetOptions extends WaitOptions {
    onwait?: (index: number, core: Hypercore<unknown>) => void
    /** False: the block as it is stored, padding removed. */
    decrypt?: boolean
    /** True: the stored bytes: neither decrypted nor decoded, padding included. */
    raw?: boolean
    force?: boolean
  }

  /** What every way to open a core takes. */
  export interface OpenOptions<T> extends WaitOptions {
    valueEncoding?: ValueEncoding<T> | null
    /** False: this session does not keep the core replicating. */
    active?: boolean
    writable?: boolean
    /** Waits until no other exclusive session is open. */
    exclusive?: boolean
    encryption?: Encryption | null
    keyPair?: KeyPair | null
    manifest?: ManifestInput | null
    onwait?: ((index: number, core: Hypercore<unknown>) => void) | null
    /** Upload only. One session that asks sets it for all. */
    pushOnly?: boolean
    group?: Uint8Array | null
  }

  export interface SessionOptions<T> extends OpenOptions<T> {
    /** A named session is a writable copy on top of the core, kept on disk under its name. */
    name?: string
    overwrite?: boolean
    /** Only with `name` or `atom`. */
    checkout?: number
    atom?: StorageAtom
    snapshot?: boolean
    /** Closes with the last strong session. */
    weak?: boolean
    onseq?: ((index: number, core: Hypercore<unknown>) => void) | null
    userData?: Readonly<Record<string, Uint8Array>>
    encodeBatch?: (blocks: readonly T[]) => Uint8Array[]
  }

  export interface HypercoreOptions<T> extends Omit<SessionOptions<T>, 'atom'> {
    storage?: string | CoreStorage
    key?: KeyLike | null
    /** True. */
    createIfMissing?: boolean
    force?: boolean
    /** True. */
    eagerUpgrade?: boolean
    allowFork?: boolean
    allowPush?: boolean
    notDownloadingLinger?: number
    inflightRange?: readonly [number, number]
    /** False: keys are hashes of manifests. */
    compat?: boolean
  }

  export interface AppendOptions {
    keyPair?: KeyPair | null
    signature?: Uint8Array | null
    /** Nothing is appended when the core would grow beyond this. */
    maxLength?: number
    writable?: boolean
  }

  export interface AppendResult {
    /** Of the whole core, after the append. */
    length: number
    byteLength: number
  }

  export interface TruncateOptions {
    /** The current one plus 1. */
    fork?: number
    keyPair?: KeyPair | null
    signature?: Uint8Array | null
  }

  /** Nodes of the tree for `start` to `start + length`, and for what comes after. */
  export interface UpgradeProof {
    fork: number
    upgrade: {
      start: number
      length: number
      nodes: TreeNode[]
      additionalNodes: TreeNode[]
      signature: Uint8Array | null
    }
  }

  export interface CommitOptions {
    length?: number
    treeLength?: number
    keyPair?: KeyPair | null
    signature?: Uint8Array | null
  }

  export interface DownloadRange {
    start?: number
    /** -1 for "and everything that comes". */
    end?: number
    length?: number
    blocks?: readonly number[]
    linear?: boolean
  }

  export interface Download {
    ready(): Promise<void>
    /** Never resolves for an open end. */
    done(): Promise<boolean>
    destroy(): void
  }

  export interface ReadStreamOptions extends WaitOptions {
    start?: number
    end?: number
    live?: boolean
    /** True, unless live. */
    snapshot?: boolean
  }

  export interface ByteStreamOptions {
    byteOffset?: number
    byteLength?: number
    /** 32 blocks. */
    prefetch?: number
  }

  export interface CoreInfo {
    key: Uint8Array
    discoveryKey: Uint8Array
    length: number
    contiguousLength: number
    byteLength: number
    fork: number
    padding: number
    storage: unknown
  }

  export interface ReplicateOptions {
    /** True: 5 s. */
    keepAlive?: boolean
    keyPair?: KeyPair
    ondiscoverykey?: (discoveryKey: Uint8Array) => void | Promise<void>
  }

  /** What replication runs over: a connection, or one side of a pair made by `replicate(true)`. */
  export type ReplicationStream = Duplex<Uint8Array, Uint8Array> & {
    readonly noiseStream: NoiseSecretStream
  }

  export interface CorePeer {
    readonly stream: NoiseSecretStream
    readonly protomux: Protomux<NoiseSecretStream>
    readonly remotePublicKey: Uint8Array
    readonly remoteFork: number
    readonly remoteLength: number
    /** How many of the first blocks it says to have, and which of all. */
    readonly remoteContiguousLength: number
    readonly remoteBitfield: { get(index: number): boolean }
    readonly remoteUploading: boolean
    readonly remoteDownloading: boolean
    readonly remoteSynced: boolean
    readonly remoteOpened: boolean
    readonly paused: boolean
    readonly removed: boolean
    readonly inflight: number
  }

  export interface HypercoreEvents {
    ready: []
    close: []
    append: []
    truncate: [length: number, fork: number]
    manifest: []
    migrate: [key: Uint8Array]
    'peer-add': [peer: CorePeer]
    'peer-remove': [peer: CorePeer]
    upload: [index: number, byteLength: number, peer: CorePeer]
    download: [index: number, byteLength: number, peer: CorePeer, request: unknown]
    'remote-contiguous-length': [length: number]
    'verification-error': [error: Error, request: unknown, response: unknown, peer: CorePeer]
    'invalid-request': [error: Error, request: unknown, peer: CorePeer]
    /** Two different signed trees for one length: the core closes itself. */
    conflict: [length: number, fork: number, proof: unknown]
    repairing: [proof: unknown]
    repaired: [proof: unknown]
    'repair-failed': []
  }

  export interface Extension<T> {
    readonly name: string
    send(message: T, peer: CorePeer): void
    broadcast(message: T): void
    destroy(): void
  }

  export interface ExtensionHandlers<T> {
    encoding?: ValueEncoding<T>
    onmessage?: (message: T, peer: CorePeer) => void
  }
}
