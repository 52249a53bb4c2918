declare module 'hypercore-storage' {
  import type RocksDB from 'rocksdb-native'
  import type { Readable } from 'streamx'

  /** Writes to several cores that land together, or not at all. */
  export interface StorageAtom {
    flush(): Promise<void>
  }

  export interface StorageLogOptions {
    log?: (...line: unknown[]) => void | Promise<void>
  }

  export interface StorageOptions {
    readOnly?: boolean
    allowBackup?: boolean
    wait?: boolean
  }

  /** The rocksdb store below a Corestore: one directory, one process. */
  export default class CoreStorage {
    constructor(directory: string, options?: StorageOptions)
    readonly db: RocksDB
    static isCoreStorage(value: object): value is CoreStorage
    ready(): Promise<void>
    close(): Promise<void>
    flush(): Promise<void>
    suspend(options?: StorageLogOptions): Promise<void>
    resume(): Promise<void>
    createAtom(): StorageAtom
    compact(): Promise<void>
    hasCore(discoveryKey: Uint8Array): Promise<boolean>
    createDiscoveryKeyStream(namespace?: Uint8Array): Readable<Uint8Array>
  }
}
