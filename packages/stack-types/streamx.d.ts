// streamx: only what the streams of the stack show to their users.
declare module 'streamx' {
  import { TypedEmitter } from '@covey/stack-types/emitter'

  export interface StreamEvents {
    close: []
    error: [error: Error]
  }

  export interface ReadableEvents<R> extends StreamEvents {
    data: [chunk: R]
    end: []
    readable: []
  }

  export interface WritableEvents extends StreamEvents {
    drain: []
    finish: []
  }

  export interface DuplexEvents<R> extends ReadableEvents<R>, WritableEvents {}

  export {}

  interface Sink {
    write(chunk: never): boolean
    end(): unknown
    destroy(error?: Error | null): void
  }

  export class Readable<R = Uint8Array, Events = ReadableEvents<R>> extends TypedEmitter<Events> {
    readonly destroyed: boolean
    readonly destroying: boolean
    read(): R | null
    push(chunk: R | null): boolean
    pause(): this
    resume(): this
    /** Destroys without an error when none is given: iterating it then ends silently. */
    destroy(error?: Error | null): void
    pipe<D extends Sink>(destination: D): D
    [Symbol.asyncIterator](): AsyncIterableIterator<R>
  }

  export class Writable<W = Uint8Array, Events = WritableEvents> extends TypedEmitter<Events> {
    readonly destroyed: boolean
    readonly destroying: boolean
    /** False asks the caller to wait for `drain`. */
    write(chunk: W): boolean
    end(chunk?: W): this
    destroy(error?: Error | null): void
    /** False when the stream was destroyed before it drained. */
    static drained(stream: Writable<never, never> | Duplex<never, never, never>): Promise<boolean>
  }

  export class Duplex<R = Uint8Array, W = R, Events = DuplexEvents<R>> extends Readable<R, Events> {
    /** `byteLengthReadable`: what a chunk that waits to be read counts for, of `highWaterMark`, 16 KiB. Its length, when not given. */
    constructor(options?: { byteLengthReadable?: (chunk: R) => number; highWaterMark?: number })
    write(chunk: W): boolean
    end(chunk?: W): this
    /** For subclasses: the next chunk is wanted. */
    protected _read(done: (error?: Error | null) => void): void
    /** For subclasses: the next write comes when `done` was called. */
    protected _write(chunk: W, done: (error?: Error | null) => void): void
    /** For subclasses: everything was written, and `end` called. */
    protected _final(done: (error?: Error | null) => void): void
    /** For subclasses: synchronously, before `_destroy`, which waits for a write under way. */
    protected _predestroy(): void
    protected _destroy(done: (error?: Error | null) => void): void
  }
}
