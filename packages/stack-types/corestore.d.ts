declare module 'corestore' {
  import type CoreStorage from 'hypercore-storage'
  import type { StorageLogOptions } from 'hypercore-storage'
  import type Hypercore from 'hypercore'
  import type {
    KeyLike,
    OpenOptions,
    ReplicateOptions,
    ReplicationStream
  } from 'hypercore'
  import type { KeyPair } from 'hypercore-crypto'
  import type NoiseSecretStream from '@hyperswarm/secret-stream'
  import type { Readable } from 'streamx'
  import { ReadyResource, TypedEmitter, type ReadyEvents } from '@covey/stack-types/emitter'

  export interface StoreSessionOptions {
    /** 32 bytes; `namespace(name)` derives one. */
    namespace?: Uint8Array
    /** False: every core of the session opens read-only. */
    writable?: boolean
    readOnly?: boolean
    /** False: cores are not attached to connections by themselves. */
    active?: boolean
    /** 1. */
    manifestVersion?: number
  }

  export interface CorestoreOptions extends StoreSessionOptions {
    /** 32 bytes, from which named key pairs derive. Throws without `unsafe: true`. */
    primaryKey?: Uint8Array | null
    unsafe?: boolean
    /** Wait for another process to release the directory, instead of throwing. */
    wait?: boolean
    /** True (false on Android). */
    suspend?: boolean
    allowBackup?: boolean
    globalCache?: object | null
  }

  /** Options that a core takes but `get` drops (`userData`, `snapshot`, `weak`, …) are not here. */
  export interface CoreOptions<T> extends OpenOptions<T> {
    key?: KeyLike | null
    /** Opens a core that is stored already; otherwise the core fails with STORAGE_EMPTY. */
    discoveryKey?: KeyLike | null
    /** A writable core of this store and namespace: the same name is the same core. */
    name?: string
    preload?: Promise<CoreOptions<T>>
    /** True. */
    createIfMissing?: boolean
    overwrite?: boolean
    force?: boolean
    allowFork?: boolean
    allowPush?: boolean
    notDownloadingLinger?: number
    inflightRange?: readonly [number, number]
  }

  export interface CorestoreEvents extends ReadyEvents {
    'group-active': [topic: Uint8Array, update: unknown]
  }

  export interface GroupNotifyEvents {
    update: [update: unknown]
  }

  export interface GroupNotify extends TypedEmitter<GroupNotifyEvents> {
    updates(options?: { since?: number; reverse?: boolean }): Readable<unknown>
    destroy(): void
  }

  /** The part of a core that its sessions share. */
  export interface OpenedCore {
    readonly key: Uint8Array
    readonly discoveryKey: Uint8Array
    readonly id: string
    readonly opened: boolean
  }

  export default class Corestore extends ReadyResource<CorestoreEvents> {
    constructor(storage: string | CoreStorage, options?: CorestoreOptions)
    readonly root: Corestore | null
    readonly storage: CoreStorage
    readonly cores: { readonly size: number } & Iterable<OpenedCore>
    readonly ns: Uint8Array
    readonly readOnly: boolean
    /** Null until ready. */
    readonly primaryKey: Uint8Array | null
    readonly manifestVersion: number
    readonly active: boolean

    get<T = Uint8Array>(options: CoreOptions<T>): Hypercore<T>
    get(key: KeyLike): Hypercore
    /** Closing a session closes the cores opened through it; closing the root closes everything. */
    session(options?: StoreSessionOptions): Corestore
    /** Relative to this session's namespace. */
    namespace(name: string | Uint8Array, options?: Omit<StoreSessionOptions, 'namespace'>): Corestore
    createKeyPair(name: string | Uint8Array, namespace?: Uint8Array): Promise<KeyPair>
    replicate(isInitiator: boolean, options?: ReplicateOptions): ReplicationStream
    replicate<S extends ReplicationStream | NoiseSecretStream>(
      stream: S,
      options?: ReplicateOptions
    ): S
    findingPeers(): () => void
    suspend(options?: StorageLogOptions): Promise<void>
    resume(): Promise<void>
    list(namespace?: Uint8Array): Readable<Uint8Array>
    watch(listener: (core: OpenedCore) => void): void
    unwatch(listener: (core: OpenedCore) => void): void
    notifyGroup(topic: Uint8Array): GroupNotify
    /** A read-only core with the same blocks whose key is the hash of them. */
    staticify<T>(core: Hypercore<T>, options?: Omit<CoreOptions<T>, 'key'>): Promise<Hypercore<T>>
    audit(options?: { dryRun?: boolean }): AsyncIterable<unknown>
  }
}
