// compact-encoding 3.5.2 has types of its own; this adds the name that the workspace uses.
import type { Encoder } from 'compact-encoding'

declare module 'compact-encoding' {
  /** Something with `preencode`, `encode` and `decode`, for values of type T. */
  export type Encoding<T, Output = T> = Encoder<T, Output>

  /**
   * What `c.from()` takes. An unknown *name* becomes `binary` silently, so the names are spelt out;
   * an object with `encode` and `decode` but no `preencode` is taken for an abstract codec.
   */
  export type EncodingLike<T> =
    | Encoder<T>
    | { readonly encode: (value: T) => Uint8Array; readonly decode: (buffer: Uint8Array) => T }

  export type BinaryEncodingName = 'binary'
  export type StringEncodingName = 'utf8' | 'utf-8' | 'ascii' | 'hex' | 'base64'
  export type JsonEncodingName = 'json' | 'ndjson'
}
