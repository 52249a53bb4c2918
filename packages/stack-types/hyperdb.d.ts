declare module 'hyperdb' {
  import type Hypercore from 'hypercore'
  import type { Readable } from 'streamx'

  /** What `hyperdb/builder` writes to disk and a caller imports. Opaque: regenerate, never edit. */
  export interface Definition {
    readonly version?: number
    readonly versions?: DefinitionVersions
    readonly collections: readonly object[]
    readonly indexes: readonly object[]
    readonly resolveCollection: (name: string) => object | null
    readonly resolveIndex: (name: string) => object | null
  }

  export interface DefinitionVersions {
    schema: number
    db: number
  }

  /** A row, or the part of one that makes its key. */
  export type Row = object

  export interface InstanceOptions {
    versions?: DefinitionVersions
    /** Handed to mapped indexes and triggers. */
    context?: unknown
    writable?: boolean
  }

  export interface BeeOptions extends InstanceOptions {
    /** False: rows appended by others, or by an Autobase, are seen only after `update()`. */
    autoUpdate?: boolean
    extension?: boolean
    trace?: ((collection: string, record: unknown, checkout: number) => void) | null
  }

  export interface RocksOptions extends InstanceOptions {
    readOnly?: boolean
    trace?: ((collection: string, record: unknown, checkout: number) => void) | null
  }

  /** Bounds are objects with the fields of the key, or the leading ones. */
  export interface Query {
    gt?: Row
    gte?: Row
    lt?: Row
    lte?: Row
    /** All. */
    limit?: number
    reverse?: boolean
    /** The view at this version, without what is not flushed. */
    checkout?: number
  }

  export type QueryOptions = Pick<Query, 'limit' | 'reverse' | 'checkout'>

  export interface IndexStream<R> extends Readable<R> {
    toArray(): Promise<R[]>
    /** The last of what the stream gives: ask for `limit: 1`, as `findOne` does. */
    one(): Promise<R | null>
  }

  export interface SnapshotOptions {
    context?: unknown
  }

  export interface ChangesRange {
    live?: boolean
    gt?: number
    gte?: number
    lt?: number
    lte?: number
  }

  export default class HyperDB {
    static isDefinition(value: unknown): value is Definition
    static rocks(storage: string | object, definition: Definition, options?: RocksOptions): HyperDB
    /** The core must be one that is not closed elsewhere: `close()` closes it. */
    static bee(core: Hypercore<unknown>, definition: Definition, options?: BeeOptions): HyperDB

    versions: DefinitionVersions
    readonly context: unknown
    readonly definition: Definition
    get core(): Hypercore
    get db(): unknown
    get closed(): boolean
    get writable(): boolean

    ready(): Promise<void>
    close(): Promise<void>
    get<R = unknown>(
      collectionOrIndex: string,
      key: Row,
      options?: { checkout?: number }
    ): Promise<R | null>
    getAll<R = unknown>(gets: readonly (readonly [string, Row])[]): Promise<(R | null)[]>
    /** A stream: iterate it or call `toArray()`. Includes what is not flushed yet. */
    find<R = unknown>(
      collectionOrIndex: string,
      query?: Query,
      options?: QueryOptions
    ): IndexStream<R>
    findOne<R = unknown>(
      collectionOrIndex: string,
      query?: Query,
      options?: Omit<QueryOptions, 'limit'>
    ): Promise<R | null>
    /** In memory until `flush()`. Throws for an unknown collection. */
    insert(collection: string, record: Row): Promise<void>
    insertAll(
      rows: readonly (readonly [string, Row] | readonly [string, Row, { type: 'insert' | 'delete' }])[]
    ): Promise<void>
    /** Does nothing for an unknown collection: misspelt names are silent. */
    delete(collection: string, key: Row): Promise<void>
    /** Without a collection: is anything not flushed? */
    updated(collection?: string, key?: Row): boolean
    /** Throws when the database has changed since the first read; a transaction closes itself. */
    flush(): Promise<void>
    /** Moves to the newest state and drops what is not flushed. */
    update(): void
    snapshot(options?: SnapshotOptions): HyperDB
    transaction(options?: SnapshotOptions): HyperDB
    exclusiveTransaction(options?: SnapshotOptions): Promise<HyperDB>
    changes(range?: ChangesRange): Readable<unknown>
    watch(listener: () => void): void
    unwatch(listener: () => void): void
    cork(): void
    uncork(): void
    setDefinition(definition: Definition): void
    setVersions(versions: DefinitionVersions): void
  }
}

declare module 'hyperdb/builder' {
  import type Hyperschema from 'hyperschema'

  export interface CollectionDescription {
    name: string
    /** `@namespace/type`, registered with the schema before. */
    schema: string
    key?: readonly string[]
    /** A function of the required helpers file, by name, or its source. */
    trigger?: string | ((...args: never) => unknown)
    derived?: boolean
    versionField?: string
  }

  export interface IndexKeyField {
    name: string
    type: string
  }

  export interface MappedIndexKey {
    type: string | { fields: readonly IndexKeyField[] }
    /** Runs with the generated code: a name in the helpers file, or its source. */
    map: string | ((...args: never) => unknown)
  }

  export interface IndexDescription {
    name: string
    /** `@namespace/collection`. */
    collection: string
    key: readonly string[] | MappedIndexKey
    /** A second row with the same key replaces the first in the index: nothing throws. */
    unique?: boolean
    deprecated?: boolean
  }

  export interface BuilderNamespace {
    readonly name: string
    readonly collections: { register(description: CollectionDescription): void }
    readonly indexes: { register(description: IndexDescription): void }
    /** A CommonJS file with the functions that `trigger` and `map` name. */
    require(filename: string): void
  }

  export interface BuilderOptions {
    dbDir?: string | null
    schemaDir?: string | null
    offset?: number
    version?: number
  }

  /** Imported from ESM it writes ESM; from CommonJS, CommonJS. */
  export default class Builder {
    static esm: boolean
    static from(
      schema: string | Hyperschema.SchemaJSON,
      db: string | object | null,
      options?: BuilderOptions
    ): Builder
    static toDisk(builder: Builder, directory?: string, options?: { esm?: boolean }): void
    readonly schema: Hyperschema
    readonly version: number
    /** Throws when it exists. */
    namespace(name: string, options?: { prefix?: readonly number[] }): BuilderNamespace
    setVersion(version: number): number
    toJSON(): object
  }
}

declare module 'hyperdb/runtime' {
  import b4a from 'b4a'
  import c from 'compact-encoding'

  export interface IndexEncoder {
    encode(key: readonly unknown[]): Uint8Array
    decode(key: Uint8Array): unknown[]
  }

  export const IndexEncoder: new (
    encodings: readonly object[],
    options?: { prefix?: number }
  ) => IndexEncoder
  export { b4a, c }
}
