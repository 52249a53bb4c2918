declare module 'hyperbee' {
  import type Hypercore from 'hypercore'
  import type { KeyLike, ReplicateOptions, ReplicationStream, ValueEncoding } from 'hypercore'
  import type NoiseSecretStream from '@hyperswarm/secret-stream'
  import type { Readable } from 'streamx'
  import { ReadyResource, type ReadyEvents } from '@covey/stack-types/emitter'

  export interface EncodingOptions<K, V> {
    keyEncoding?: ValueEncoding<K>
    valueEncoding?: ValueEncoding<V>
  }

  export interface HyperbeeOptions<K, V> extends EncodingOptions<K, V> {
    /** False switches the look-ahead extension off. */
    extension?: boolean
    metadata?: { contentFeed?: KeyLike | null }
    /** A zero byte. */
    sep?: Uint8Array
    readonly?: boolean
    prefix?: Uint8Array
    checkout?: number
    /** True: putting the same value again writes a block again. */
    alwaysDuplicate?: boolean
    /** True. */
    sessions?: boolean
  }

  export interface ReadOptions {
    wait?: boolean
    timeout?: number
    /** True. */
    update?: boolean
  }

  export interface BeeRange<K> {
    gt?: K
    gte?: K
    lt?: K
    lte?: K
  }

  export interface RangeOptions extends ReadOptions {
    reverse?: boolean
    limit?: number
    signal?: AbortSignal
  }

  export interface BeeNode<K, V> {
    seq: number
    key: K
    value: V
  }

  export interface HistoryNode<K, V> extends BeeNode<K, V> {
    type: 'put' | 'del'
  }

  export interface DiffNode<K, V> {
    left: BeeNode<K, V> | null
    right: BeeNode<K, V> | null
  }

  export interface HistoryOptions extends RangeOptions {
    gt?: number
    gte?: number
    lt?: number
    lte?: number
    live?: boolean
  }

  export interface PutOptions<K, V> extends EncodingOptions<K, V> {
    /** Writes only when it answers true. */
    cas?: (previous: BeeNode<K, V>, next: BeeNode<K, V>) => boolean
  }

  export interface DelOptions<K, V> extends EncodingOptions<K, V> {
    cas?: (previous: BeeNode<K, V>) => boolean
  }

  export interface BatchOptions<K, V> extends EncodingOptions<K, V>, ReadOptions {
    checkout?: number
  }

  export interface BeeBatch<K, V> {
    readonly core: Hypercore
    readonly length: number
    get version(): number
    ready(): Promise<void>
    lock(): Promise<void>
    get(key: K): Promise<BeeNode<K, V> | null>
    getBySeq(seq: number): Promise<BeeNode<K, V> | null>
    put(key: K, value: V, options?: PutOptions<K, V>): Promise<void>
    del(key: K, options?: DelOptions<K, V>): Promise<void>
    peek(range?: BeeRange<K>, options?: RangeOptions): Promise<BeeNode<K, V> | null>
    createReadStream(range?: BeeRange<K>, options?: RangeOptions): Readable<BeeNode<K, V>>
    flush(): Promise<void>
    close(): Promise<void>
  }

  export interface WatchOptions<K, V> extends EncodingOptions<K, V> {
    /** True: what is there already counts as a change. */
    eager?: boolean
    onchange?: () => void | Promise<void>
  }

  export interface WatcherEvents extends ReadyEvents {
    update: []
    error: [error: Error]
  }

  export interface BeeWatcher<K, V> extends ReadyResource<WatcherEvents> {
    [Symbol.asyncIterator](): AsyncIterator<[Hyperbee<K, V>, Hyperbee<K, V>]>
  }

  export interface EntryWatcher<K, V> extends ReadyResource<WatcherEvents> {
    readonly node: BeeNode<K, V> | null
  }

  export default class Hyperbee<K = Uint8Array, V = Uint8Array> extends ReadyResource {
    constructor(core: Hypercore<unknown>, options?: HyperbeeOptions<K, V>)
    readonly core: Hypercore
    get id(): string | null
    get key(): Uint8Array | null
    get discoveryKey(): Uint8Array | null
    get writable(): boolean
    get readable(): boolean
    /** 1 for an empty bee: the header counts. */
    get version(): number
    get(key: K, options?: ReadOptions & EncodingOptions<K, V>): Promise<BeeNode<K, V> | null>
    getBySeq(seq: number, options?: ReadOptions): Promise<BeeNode<K, V> | null>
    put(key: K, value: V, options?: PutOptions<K, V>): Promise<void>
    del(key: K, options?: DelOptions<K, V>): Promise<void>
    /** Holds the write lock from its first write to `flush` or `close`. */
    batch(options?: BatchOptions<K, V>): BeeBatch<K, V>
    peek(range?: BeeRange<K>, options?: RangeOptions): Promise<BeeNode<K, V> | null>
    createReadStream(range?: BeeRange<K>, options?: RangeOptions): Readable<BeeNode<K, V>>
    createHistoryStream(options?: HistoryOptions): Readable<HistoryNode<K, V | null>>
    createDiffStream(
      right: number | Hyperbee<K, V>,
      range?: BeeRange<K>,
      options?: RangeOptions
    ): Readable<DiffNode<K, V>>
    checkout(version: number, options?: EncodingOptions<K, V>): Hyperbee<K, V>
    snapshot(options?: EncodingOptions<K, V>): Hyperbee<K, V>
    sub<SubK = K, SubV = V>(
      prefix: string | Uint8Array,
      options?: EncodingOptions<SubK, SubV> & { sep?: string | Uint8Array }
    ): Hyperbee<SubK, SubV>
    watch(range?: BeeRange<K>, options?: WatchOptions<K, V>): BeeWatcher<K, V>
    getAndWatch(key: K, options?: EncodingOptions<K, V>): Promise<EntryWatcher<K, V>>
    getHeader(options?: ReadOptions): Promise<unknown>
    update(options?: { force?: boolean; wait?: boolean }): Promise<boolean>
    /** Drops the blocks that the newest version does not need. */
    clearUnlinked(options?: {
      gte?: number
      lt?: number
      batchSize?: number
      wait?: boolean
    }): Promise<number>
    replicate(isInitiator: boolean, options?: ReplicateOptions): ReplicationStream
    replicate<S extends ReplicationStream | NoiseSecretStream>(
      stream: S,
      options?: ReplicateOptions
    ): S
    static isHyperbee(core: Hypercore<unknown>, options?: ReadOptions): Promise<boolean>
  }
}
