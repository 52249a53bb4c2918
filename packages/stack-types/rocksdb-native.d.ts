// Only what this project uses, here and through `corestore.storage.db`. The module has no error classes:
// everything rejects with a plain Error that is recognised by its message (`RocksDB session is closed`),
// and a locked directory with rocksdb's own text.
declare module 'rocksdb-native' {
  export interface CompactRangeOptions {
    /** Default false. */
    exclusive?: boolean
  }

  /** What is written by one `flush`, all or nothing; to be destroyed afterwards. */
  export interface WriteBatch {
    tryPut(key: string, value: string): void
    tryDelete(key: string): void
    flush(): Promise<void>
    destroy(): void
  }

  export default class RocksDB {
    constructor(path: string)
    readonly opened: boolean
    readonly closed: boolean
    ready(): Promise<void>
    close(): Promise<void>
    flush(): Promise<void>
    get(key: string): Promise<Uint8Array | null>
    write(): WriteBatch
    /** In the order of their keys as bytes. */
    iterator(range: { gte?: string; lt?: string; limit?: number }): AsyncIterable<{ key: Uint8Array; value: Uint8Array }>
    /** Reclaims the space of what was cleared; null for "from the start" and "to the end". */
    compactRange(start?: Uint8Array | string | null, end?: Uint8Array | string | null): Promise<void>
    suspend(): Promise<void>
    resume(): Promise<void>
  }
}
