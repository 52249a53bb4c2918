declare module 'autobase' {
  import type Corestore from 'corestore'
  import type Hypercore from 'hypercore'
  import type { KeyLike, Manifest, ReplicateOptions, ReplicationStream } from 'hypercore'
  import type NoiseSecretStream from '@hyperswarm/secret-stream'
  import type { KeyPair } from 'hypercore-crypto'
  import type ProtomuxWakeup from 'protomux-wakeup'
  import type { WakeupHint, WakeupSession } from 'protomux-wakeup'
  import { ReadyResource } from '@covey/stack-types/emitter'

  export default class Autobase<V = null, T = Uint8Array> extends ReadyResource<AutobaseEvents> {
    /** `close()` closes the store: hand it a session or a namespace of its own. */
    constructor(store: Corestore, bootstrap: KeyLike | null, handlers?: AutobaseHandlers<V, T>)
    constructor(store: Corestore, handlers?: AutobaseHandlers<V, T>)

    readonly id: string | null
    /** Null until ready, for a base that is made here. */
    readonly key: Uint8Array | null
    readonly discoveryKey: Uint8Array | null
    readonly keyPair: KeyPair | null
    readonly store: Corestore
    /** This device's writer core; null until ready. */
    readonly local: Hypercore<unknown> & { readonly key: Uint8Array }
    readonly localWriter: Writer | null
    readonly view: V
    /** The core of the system view; its key changes with the indexers. */
    readonly core: Hypercore
    readonly encryptionKey: Uint8Array | null
    readonly encrypted: boolean
    readonly wakeupProtocol: ProtomuxWakeup
    readonly wakeupSession: WakeupSession | null
    readonly wakeupCapability: { key: Uint8Array; discoveryKey: Uint8Array } | null
    readonly activeWriters: { readonly size: number } & Iterable<Writer>
    readonly isIndexer: boolean
    readonly updating: boolean
    readonly paused: boolean
    readonly interrupted: unknown
    readonly fastForwardEnabled: boolean
    readonly bigBatches: boolean

    get writable(): boolean
    /** Is our acknowledgement worth something: are we an active indexer? */
    get ackable(): boolean
    get appending(): boolean
    get flushing(): boolean
    /** Of the system core, in blocks: not the number of ops. */
    get length(): number
    get signedLength(): number
    get indexedLength(): number
    /** Null until opened. */
    get system(): SystemView | null

    /** Resolves after it is applied here, with the length of `local`. */
    append(value: T | readonly T[], options?: { optimistic?: boolean }): Promise<number>
    /** One batch at a time: other appends wait until it is flushed or closed. */
    batch(): AppendBatch<T>
    update(): Promise<void>
    ack(background?: boolean): Promise<void>
    flush(): Promise<void>
    advance(): Promise<void>
    /** The tree hash of the system core. */
    hash(): Promise<Uint8Array>
    heads(): Head[]
    views(): ViewInfo[]
    replicate(isInitiator: boolean, options?: ReplicateOptions): ReplicationStream
    replicate<S extends ReplicationStream | NoiseSecretStream>(
      stream: S,
      options?: ReplicateOptions
    ): S
    /** Look at these writers; length -1 for "whatever there is". */
    hintWakeup(hints: WakeupHint | readonly WakeupHint[]): void
    setWakeup(capability: Uint8Array, discoveryKey?: Uint8Array | null): void
    recouple(): void
    setLocal(key: Uint8Array | null, options?: { keyPair?: KeyPair }): Promise<void>
    setBigBatches(bigBatches?: boolean): void
    setUserData(key: string, value: Uint8Array | string | null): Promise<void>
    getUserData(key: string): Promise<Uint8Array | null>
    removeable(key: Uint8Array): boolean
    isFastForwarding(): boolean
    forceFastForward(): Promise<void>
    repair(): Promise<void>
    pause(): void
    resume(): void
    waitForWritable(): Promise<boolean>
    getLastError(): Error | null
    getIndexedInfo(): Promise<IndexedInfo | null>

    static getLocalKey(store: Corestore, options?: { keyPair?: KeyPair }): Promise<Uint8Array>
    static getLocalCore(
      store: Corestore,
      options?: { keyPair?: KeyPair } | null,
      encryptionKey?: Uint8Array | null
    ): Hypercore<unknown>
    static getUserData(
      core: Hypercore<unknown>
    ): Promise<{ referrer: Uint8Array | null; view: string | null }>
    static isAutobase(
      core: Hypercore<unknown>,
      options?: { wait?: boolean; timeout?: number }
    ): Promise<boolean>
    static getBootRecord(store: Corestore, key: Uint8Array | null): Promise<BootRecord>
    static encodeValue(
      value: Uint8Array,
      options?: {
        version?: number
        optimistic?: boolean
        heads?: readonly Head[]
        padding?: number
        encrypted?: boolean
      }
    ): Uint8Array
    static decodeValue(
      block: Uint8Array,
      options?: {
        autobase?: Uint8Array
        encryptionKey?: Uint8Array
        key?: Uint8Array
        manifest?: Manifest
        index?: number
      }
    ): Promise<Uint8Array>
  }
}
