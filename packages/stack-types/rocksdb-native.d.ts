// Only what reaches this project through `corestore.storage.db`. The module has no error classes:
// everything rejects with a plain Error that is recognised by its message (`RocksDB session is closed`),
// and a locked directory with rocksdb's own text.
declare module 'rocksdb-native' {
  export interface CompactRangeOptions {
    /** Default false. */
    exclusive?: boolean
  }

  export default class RocksDB {
    readonly opened: boolean
    readonly closed: boolean
    ready(): Promise<void>
    close(): Promise<void>
    flush(): Promise<void>
    /** Reclaims the space of what was cleared; null for "from the start" and "to the end". */
    compactRange(start?: Uint8Array | string | null, end?: Uint8Array | string | null): Promise<void>
    suspend(): Promise<void>
    resume(): Promise<void>
  }
}
