declare module 'protomux' {
  import type { Encoder } from 'compact-encoding'
  import type { Duplex } from 'streamx'

  export interface MessageOptions<T, H = unknown, U = unknown> {
    /** Raw bytes when not given. A decode error destroys the whole connection. */
    encoding?: Encoder<T>
    /** A rejection destroys the whole connection too. */
    onmessage?: (message: T, channel: Channel<H, U>) => void | Promise<void>
    /** True: the answers to a batch are corked until its handlers have settled. */
    autoBatch?: boolean
  }

  export interface Message<T> {
    readonly type: number
    readonly encoding: Encoder<T>
    onmessage: (message: T, channel: Channel) => void | Promise<void>
    /** False when the channel is closed (nothing was sent) or when the stream is full. */
    send(message: T, channel?: Channel): boolean
  }

  export interface ChannelId {
    protocol: string
    id?: Uint8Array | null
  }

  export interface ChannelOptions<H = unknown, U = unknown> extends ChannelId {
    aliases?: readonly string[]
    /** True: null is returned when one is open. */
    unique?: boolean
    userData?: U
    handshake?: Encoder<H> | null
    /** Declared in the same order on both sides. */
    messages?: readonly (MessageOptions<never, H, U> | null)[]
    onopen?: (handshake: H, channel: Channel<H, U>) => void | Promise<void>
    onclose?: (isRemote: boolean, channel: Channel<H, U>) => void | Promise<void>
    ondestroy?: (channel: Channel<H, U>) => void | Promise<void>
    ondrain?: (channel: Channel<H, U>) => void | Promise<void>
  }

  export interface Channel<H = unknown, U = unknown> {
    userData: U
    readonly protocol: string
    readonly aliases: readonly string[]
    readonly id: Uint8Array | null
    /** The remote's handshake; null until it arrived. */
    handshake: H | null
    readonly messages: Message<unknown>[]
    readonly opened: boolean
    readonly closed: boolean
    readonly destroyed: boolean
    readonly drained: boolean
    open(handshake?: H): void
    close(): void
    cork(): void
    uncork(): void
    addMessage<T = Uint8Array>(options: MessageOptions<T, H, U>): Message<T>
    addMessage(options?: null): Message<Uint8Array>
    /** False when it closed before it opened. */
    fullyOpened(): Promise<boolean>
    fullyClosed(): Promise<void>
  }

  export interface ProtomuxOptions {
    alloc?: (length: number) => Uint8Array
  }

  /** A stream that carries a Protomux: a Noise stream, or any Duplex of framed bytes. */
  export interface MuxableStream {
    userData: unknown
    write(chunk: Uint8Array): boolean
  }

  export default class Protomux<S = Duplex<Uint8Array>> {
    constructor(stream: S & MuxableStream, options?: ProtomuxOptions)
    readonly isProtomux: true
    readonly stream: S
    readonly corked: number
    readonly drained: boolean
    /** The stream's Protomux, made when it has none. */
    static from<S extends MuxableStream>(stream: S, options?: ProtomuxOptions): Protomux<S>
    static isProtomux(value: object): value is Protomux
    [Symbol.iterator](): IterableIterator<Channel>
    /** Null when the stream is destroyed, or when `unique` and one is open already. */
    createChannel<H = null, U = null>(options: ChannelOptions<H, U>): Channel<H, U> | null
    opened(channel: ChannelId): boolean
    /** Called when the remote opens such a channel and we have none. Without an id: for every id. */
    pair(channel: ChannelId, notify: (id: Uint8Array | null) => void | Promise<void>): void
    unpair(channel: ChannelId): void
    getLastChannel(channel: ChannelId): Channel | null
    isIdle(): boolean
    cork(): void
    uncork(): void
    destroy(error?: Error): void
  }
}
