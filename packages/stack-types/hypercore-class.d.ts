declare module 'hypercore' {
  import type { KeyPair } from 'hypercore-crypto'
  import type CoreStorage from 'hypercore-storage'
  import type { StorageOptions } from 'hypercore-storage'
  import type NoiseSecretStream from '@hyperswarm/secret-stream'
  import type Protomux from 'protomux'
  import type { Readable, Writable } from 'streamx'
  import { TypedEmitter } from '@covey/stack-types/emitter'

  /** Bytes are stored as they are, whatever the encoding. */
  export type Block<T> = T | Uint8Array

  export default class Hypercore<T = Uint8Array> extends TypedEmitter<HypercoreEvents> {
    constructor(options: HypercoreOptions<T> & { storage: string | CoreStorage })
    constructor(storage: string | CoreStorage, options?: HypercoreOptions<T>)
    constructor(
      storage: string | CoreStorage,
      key: KeyLike | null,
      options?: HypercoreOptions<T>
    )

    readonly opened: boolean
    readonly closed: boolean
    readonly closing: Promise<void> | null
    readonly readable: boolean
    /** False until opened. */
    readonly writable: boolean
    readonly snapshotted: boolean
    readonly weak: boolean
    readonly exclusive: boolean
    keyPair: KeyPair | null
    readonly encryption: EncryptionProvider | null
    readonly sessions: readonly Hypercore<unknown>[]
    /** Null until the core is known; a core from `store.get({ key })` has them at once. */
    get id(): string | null
    get key(): Uint8Array | null
    get discoveryKey(): Uint8Array | null
    get manifest(): Manifest | null
    /** 0 until opened. */
    get length(): number
    get signedLength(): number
    get byteLength(): number
    get contiguousLength(): number
    get remoteContiguousLength(): number
    get fork(): number
    get padding(): number
    get peers(): readonly CorePeer[]
    get recovering(): number

    ready(): Promise<void>
    close(options?: { error?: Error | null }): Promise<void>
    session<U = T>(options?: SessionOptions<U>): Hypercore<U>
    snapshot<U = T>(options?: Omit<SessionOptions<U>, 'snapshot'>): Hypercore<U>
    /** What a peer without the core needs to believe its length; the first blocks are `upgrade.start` on. */
    proof(options: { upgrade: { start: number; length: number } }): Promise<UpgradeProof>
    commit(session: Hypercore<unknown>, options?: CommitOptions): Promise<AppendResult | null>
    setEncryptionKey(key: Uint8Array, options?: { block?: boolean }): Promise<void>
    setEncryption(encryption: EncryptionProvider | null): Promise<void>
    setGroup(topic: Uint8Array): Promise<void>
    setKeyPair(keyPair: KeyPair): void
    setActive(active: boolean): void
    getManifest(options?: { raw?: false }): Manifest | null
    getManifest(options: { raw: true }): Uint8Array | null
    setUserData(key: string, value: Uint8Array | string | null): Promise<void>
    getUserData(key: string): Promise<Uint8Array | null>
    info(options?: { storage?: boolean }): Promise<CoreInfo>

    /** Bytes only: not awaited calls join one batch. */
    append(blocks: Block<T> | readonly Block<T>[], options?: AppendOptions): Promise<AppendResult>
    /** Null when it is absent and waiting is off. */
    get<U>(
      index: number,
      options: GetOptions & { valueEncoding: ValueEncoding<U> }
    ): Promise<U | null>
    get(index: number, options: GetOptions & { raw: true }): Promise<Uint8Array | null>
    get(index: number, options?: GetOptions): Promise<T | null>
    has(start: number, end?: number): Promise<boolean>
    /** Is there something new? Waits for peers only while `findingPeers` is pending, or with `wait`. */
    update(options?: { force?: boolean; wait?: boolean }): Promise<boolean>
    /** Block index and the offset in it. */
    seek(bytes: number, options?: WaitOptions): Promise<[number, number] | null>
    clear(start: number, end?: number): Promise<null>
    clear(start: number, end: number, options: { diff: true }): Promise<{ blocks: number }>
    truncate(newLength?: number, options?: number | TruncateOptions): Promise<void>
    /** Fetches the last block when it is missing. */
    treeHash(length?: number): Promise<Uint8Array>
    signable(length?: number, fork?: number): Promise<Uint8Array>
    download(range?: DownloadRange): Download
    undownload(download: Download): void
    compact(): Promise<void>
    /** Throws in 11.37.1; use `clear`. */
    purge(): Promise<void>
    recover(): Promise<boolean>
    startMarking(): Promise<void>
    markBlock(start: number, end?: number): Promise<unknown>
    clearMarkings(): Promise<void>
    sweep(options?: { batchSize?: number }): Promise<void>
    createReadStream(options?: ReadStreamOptions): Readable<T>
    createWriteStream(): Writable<Block<T>>
    createByteStream(options?: ByteStreamOptions): Readable<Uint8Array>
    registerExtension<M = Uint8Array>(name: string, handlers?: ExtensionHandlers<M>): Extension<M>
    /** Call it before looking for peers, and what it returns when they were found. */
    findingPeers(): () => void
    replicate(isInitiator: boolean, options?: ReplicateOptions): ReplicationStream
    replicate<S extends ReplicationStream | NoiseSecretStream>(
      stream: S,
      options?: ReplicateOptions
    ): S
    replicate(muxer: Protomux<NoiseSecretStream>): Protomux<NoiseSecretStream>

    static readonly MAX_SUGGESTED_BLOCK_SIZE: number
    static readonly SMALL_WANTS: number
    static key(
      manifest: Uint8Array | ManifestInput,
      options?: { compat?: boolean; version?: number; namespace?: Uint8Array }
    ): Uint8Array
    static parseManifest(manifest: Uint8Array | ManifestInput, key?: Uint8Array): Manifest
    static discoveryKey(key: Uint8Array): Uint8Array
    static blockEncryptionKey(key: Uint8Array, encryptionKey: Uint8Array): Uint8Array
    static getProtocolMuxer(stream: ReplicationStream): Protomux<NoiseSecretStream>
    static createProtocolStream(
      isInitiator: boolean | ReplicationStream | NoiseSecretStream,
      options?: ReplicateOptions
    ): ReplicationStream
    static defaultStorage(storage: string | CoreStorage, options?: StorageOptions): CoreStorage
    static treeHashFromStorage(core: Hypercore<unknown>, length?: number): Promise<Uint8Array>
  }
}
