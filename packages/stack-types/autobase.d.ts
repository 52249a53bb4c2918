declare module 'autobase' {
  import type Hypercore from 'hypercore'
  import type { ValueEncoding } from 'hypercore'
  import type { KeyPair } from 'hypercore-crypto'
  import type ProtomuxWakeup from 'protomux-wakeup'
  import type { Readable } from 'streamx'
  import type { ReadyEvents } from '@covey/stack-types/emitter'

  /** An op, as `apply` sees it. The values are decoded with the `valueEncoding` of the base. */
  export interface AutobaseNode<T = Uint8Array> {
    /** Covered by a quorum: it will not be reordered. */
    readonly indexed: boolean
    /** Appended by somebody who is no writer (yet). */
    readonly optimistic: boolean
    /** The writer's core: `from.key` is the author. */
    readonly from: Hypercore<unknown> & { readonly key: Uint8Array }
    /** The op is block `length - 1` of `from`. */
    readonly length: number
    readonly value: T
    /** What it had seen: its causal parents. */
    readonly heads: readonly Head[]
  }

  export interface Head {
    readonly key: Uint8Array
    readonly length: number
  }

  export interface WriterState {
    readonly isIndexer: boolean
    readonly isRemoved: boolean
    readonly length: number
  }

  export interface IndexedInfo {
    readonly version: number
    readonly members: number
    readonly pendingIndexers: readonly Uint8Array[]
    readonly indexers: readonly Head[]
    readonly heads: readonly Head[]
    readonly views: readonly Head[]
    readonly encryptionLength: number
    readonly entropy: Uint8Array | null
  }

  /** The view that the base keeps of itself. */
  export interface SystemView {
    readonly core: Hypercore
    readonly members: number
    readonly indexers: readonly Head[]
    readonly pendingIndexers: readonly Uint8Array[]
    readonly heads: readonly Head[]
    readonly views: readonly Head[]
    readonly bootstrapping: boolean
    /**
     * Null for a key that was never added; removed writers are returned with `isRemoved`. (The option
     * `onlyActive` is left out: it works the wrong way round, and throws for an unknown key.)
     */
    get(key: Uint8Array, options?: { timeout?: number }): Promise<WriterState | null>
    has(key: Uint8Array, options?: { timeout?: number }): Promise<boolean>
    getIndexedInfo(length?: number): Promise<IndexedInfo>
    /** Not inside `apply`. */
    list(): Readable<{ seq: number; key: Uint8Array; value: WriterState }>
  }

  /** The third argument of `apply`. Nothing here may be called outside of it. */
  export interface ApplyHost {
    readonly key: Uint8Array
    readonly discoveryKey: Uint8Array
    readonly id: string
    readonly system: SystemView
    /** An indexer unless told otherwise: always pass it. */
    addWriter(key: Uint8Array, options: { indexer: boolean }): Promise<void>
    /** Throws for the last indexer, which closes the base: ask `removeable` first. */
    removeWriter(key: Uint8Array): Promise<void>
    removeable(key: Uint8Array): boolean
    /** Accepts an optimistic op; without it the op is undone. */
    ackWriter(key: Uint8Array): Promise<void>
    /** Throws, and stops the base until it is opened again. `reason` comes with the event. */
    interrupt(reason?: unknown): never
    preferFastForward(): void
    /** Replaces the indexers. False when the base is not at `length` yet or a key is no writer. */
    fork(indexers: readonly Uint8Array[], system: { key: Uint8Array; length: number }): Promise<boolean>
    /** A core that holds the position of the last op of this batch, for ops to start from. */
    createAnchor(): Promise<Head>
  }

  /** The second argument of `open`: outside of `apply` each of its calls throws. */
  export type OpenHost = Pick<ApplyHost, 'key' | 'discoveryKey' | 'id'>

  export interface ViewCoreOptions<T> {
    name: string
    valueEncoding?: ValueEncoding<T> | null
  }

  /** The first argument of `open`. The same name is the same core. */
  export interface ViewStore {
    get<T = Uint8Array>(options: ViewCoreOptions<T>): Hypercore<T>
    get(name: string): Hypercore
    get<T>(name: string, options: Omit<ViewCoreOptions<T>, 'name'>): Hypercore<T>
  }

  export interface ViewChange {
    readonly from: number
    readonly to: number
    /** The blocks below it are unchanged; those between it and `from` were reordered. */
    readonly shared: number
  }

  /** The second argument of `update`. */
  export interface UpdateChanges {
    readonly key: Uint8Array
    readonly discoveryKey: Uint8Array
    readonly id: string
    readonly system: SystemView | null
    get(viewName: string): ViewChange | undefined
  }

  export interface BlindEncryption {
    encrypt(key: Uint8Array): Promise<{ value: Uint8Array; type: number }>
    decrypt(encrypted: { value: Uint8Array; type: number }): Promise<{ value: Uint8Array; rotated: boolean }>
  }

  export interface AutobaseHandlers<V = null, T = Uint8Array> {
    /** Synchronous. Called once for the view to read and again for those of `apply`: keep no state. */
    open?: (store: ViewStore, host: OpenHost) => V
    /** A throw closes the base for good. */
    apply?: (nodes: AutobaseNode<T>[], view: V, host: ApplyHost) => Promise<void> | void
    /** Undocumented: the view before and after is described by `changes`. */
    update?: (view: V, changes: UpdateChanges) => Promise<void> | void
    close?: (view: V) => Promise<void> | void
    /** Accept ops of devices that are no writers, if `apply` acknowledges them. */
    optimistic?: boolean
    /** binary. `json`, and custom codecs in batches, throw. */
    valueEncoding?: ValueEncoding<T>
    keyPair?: KeyPair | Promise<KeyPair> | null
    encryptionKey?: Uint8Array | Promise<Uint8Array | null> | null
    /** Derives the key from the store's namespace when there is none: prefer `encryptionKey`. */
    encrypt?: boolean
    /** A key must be found, or opening fails. */
    encrypted?: boolean
    /** Seals the key on disk; in plain text without it. */
    blindEncryption?: BlindEncryption | null
    /** 10,000 ms; 0 never acknowledges by itself. */
    ackInterval?: number
    /** 4. */
    ackThreshold?: number
    /** True; with the key of a system core: to what that one has signed, at once. */
    fastForward?: boolean | { key: Uint8Array }
    wakeup?: ProtomuxWakeup
    wakeupCapability?: WakeupCapability | Promise<WakeupCapability>
    bigBatches?: boolean
    /** Drops the unsigned part of the view on open. */
    nukeTip?: boolean
    wait?: () => Promise<void>
    backoff?: object | null
  }

  export interface WakeupCapability {
    key: Uint8Array
    discoveryKey?: Uint8Array | null
  }

  export interface AutobaseEvents extends ReadyEvents {
    update: []
    writable: []
    unwritable: []
    'is-indexer': []
    'is-non-indexer': []
    'fast-forward': [to: number, from: number]
    reboot: []
    'rotate-local-writer': []
    writer: [writer: Writer]
    interrupt: [reason: unknown]
    warning: [error: Error]
    /** The base has closed itself. Without a listener the process dies. */
    error: [error: Error]
  }

  export interface Writer {
    readonly core: Hypercore<unknown>
    readonly isRemoved: boolean
    readonly isActiveIndexer: boolean
    readonly length: number
  }

  export interface AppendBatch<T> {
    readonly closed: boolean
    append(value: T): Promise<number>
    flush(): Promise<void>
    flushed(): Promise<void>
    close(): void
  }

  export interface ViewInfo {
    name: string
    key: Uint8Array
    length: number
    signedLength: number
  }

  export interface BootRecord {
    version: number
    key: Uint8Array | null
    systemLength: number
    indexersUpdated: boolean
    fastForwarding: boolean
    recoveries: number
    heads: Head[] | null
  }
}
