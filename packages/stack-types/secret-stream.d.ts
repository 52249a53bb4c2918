declare module '@hyperswarm/secret-stream' {
  import { Duplex, type DuplexEvents } from 'streamx'
  import type { KeyPair } from 'hypercore-crypto'

  export interface NoiseStreamEvents extends DuplexEvents<Uint8Array> {
    /** The other side's key is proven; comes before `open`. */
    handshake: []
    connect: []
    open: []
    /** A datagram of `send`/`trySend`: unordered, may be lost or repeated. */
    message: [message: Uint8Array]
  }

  export interface NoiseStreamOptions {
    /** XX. */
    pattern?: string
    keyPair?: KeyPair | Promise<KeyPair>
    publicKey?: Uint8Array
    remotePublicKey?: Uint8Array
    /** Milliseconds; 0 is off. */
    keepAlive?: number
    /** True. */
    enableSend?: boolean
    /** True. */
    autoStart?: boolean
    filterZeroByteMessages?: boolean
  }

  /** The udx stream below (or an in-memory bridge, which has none of the optional members). */
  export interface RawStream {
    readonly destroyed: boolean
    readonly remoteHost?: string | null
    readonly remotePort?: number
    readonly rtt?: number
    readonly mtu?: number
    destroy(error?: Error | null): void
  }

  export default class NoiseSecretStream extends Duplex<
    Uint8Array,
    Uint8Array | string,
    NoiseStreamEvents
  > {
    constructor(isInitiator: boolean, rawStream?: object | null, options?: NoiseStreamOptions)
    readonly noiseStream: this
    readonly isInitiator: boolean
    rawStream: RawStream
    publicKey: Uint8Array
    /** Null until `handshake`, unless the dialler named it. */
    remotePublicKey: Uint8Array
    /** Null until `handshake`. The same on both sides, unique to the connection. */
    handshakeHash: Uint8Array | null
    connected: boolean
    keepAlive: number
    timeout: number
    enableSend: boolean
    /** The Protomux of this stream, by convention: set it to something else and replication breaks. */
    userData: unknown
    /** False when it was destroyed before it opened. Never rejects. */
    opened: Promise<boolean>
    rawBytesWritten: number
    rawBytesRead: number
    /** Destroys the stream when nothing arrived for this long; 0 is off, and the default. */
    setTimeout(ms: number): void
    setKeepAlive(ms: number): void
    sendKeepAlive(): void
    flush(): Promise<boolean>
    /** Undefined when nothing was sent. A message too large for the path is dropped silently. */
    send(message: Uint8Array): Promise<boolean> | undefined
    trySend(message: Uint8Array): void
    alloc(length: number): Uint8Array

    static keyPair(seed?: Uint8Array): KeyPair
    static id(handshakeHash: Uint8Array, isInitiator: boolean, id?: Uint8Array): Uint8Array
  }
}
