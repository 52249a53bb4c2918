declare module 'hyperdht' {
  import type NoiseSecretStream from '@hyperswarm/secret-stream'
  import type { RawStream } from '@hyperswarm/secret-stream'
  import type { KeyPair } from 'hypercore-crypto'
  import { TypedEmitter } from '@covey/stack-types/emitter'

  export default class HyperDHT extends TypedEmitter<DhtEvents> {
    constructor(options?: DhtOptions)
    /** Null while ephemeral. */
    get id(): Uint8Array | null
    /** Our address as others see it. Port 0 with a host: the NAT gives every peer another port. */
    get host(): string | null
    get port(): number
    get randomized(): boolean
    readonly defaultKeyPair: KeyPair
    readonly listening: ReadonlySet<Server>
    readonly connectionKeepAlive: number
    readonly bootstrapped: boolean
    readonly bootstrapNodes: readonly Address[]
    readonly ephemeral: boolean
    readonly firewalled: boolean
    readonly destroyed: boolean
    readonly suspended: boolean
    /** The socket that others dial; null until it is bound. */
    readonly io: { readonly serverSocket: { address(): Address | null } | null; readonly suspended: boolean; suspend(): Promise<void> }
    readonly udx: {
      networkInterfaces(): readonly NetworkInterface[]
      lookup(host: string, options?: { family?: 4 | 6 }): Promise<{ host: string; family: 4 | 6 }>
    }
    readonly online: boolean
    readonly degraded: boolean
    /** `reset` has the DHT take itself for online again. */
    readonly health: { reset(): void }
    readonly stats: {
      readonly punches: { consistent: number; random: number; open: number }
      readonly relaying: { attempts: number; successes: number; aborts: number }
      readonly queries: { active: number; total: number }
    }

    bind(): Promise<void>
    ready(): Promise<void>
    fullyBootstrapped(): Promise<void>
    /** A stream that is not open yet: it emits `open`, or `error` and `close`. */
    connect(remotePublicKey: Uint8Array | string, options?: ConnectOptions): NoiseSecretStream
    createServer(onconnection?: (stream: NoiseSecretStream) => void): Server
    createServer(
      options: ServerOptions,
      onconnection?: (stream: NoiseSecretStream) => void
    ): Server
    pool(): ConnectionPool
    address(): Address | null
    localAddress(): Address | null
    /** Null when firewalled. */
    remoteAddress(): Address | null
    addNode(node: Address): void
    toArray(options?: { limit?: number }): Address[]
    findNode(target: Uint8Array, options?: QueryOptions): Query<Reply>
    findPeer(publicKey: Uint8Array, options?: QueryOptions & { hash?: boolean }): Query<FindPeerReply>
    lookup(target: Uint8Array, options?: QueryOptions): Query<LookupReply>
    announce(
      target: Uint8Array,
      keyPair: KeyPair,
      relayAddresses?: readonly Address[] | null,
      options?: QueryOptions & { clear?: boolean; bump?: number }
    ): Query<LookupReply>
    lookupAndUnannounce(
      target: Uint8Array,
      keyPair: KeyPair,
      options?: QueryOptions
    ): Query<LookupReply>
    unannounce(target: Uint8Array, keyPair: KeyPair, options?: QueryOptions): Promise<void>
    immutablePut(
      value: Uint8Array,
      options?: QueryOptions
    ): Promise<{ hash: Uint8Array; closestNodes: Node[] }>
    immutableGet(target: Uint8Array, options?: QueryOptions): Promise<ImmutableReply | null>
    mutablePut(
      keyPair: KeyPair,
      value: Uint8Array,
      options?: QueryOptions & { seq?: number }
    ): Promise<{
      publicKey: Uint8Array
      closestNodes: Node[]
      seq: number
      signature: Uint8Array
    }>
    mutableGet(publicKey: Uint8Array, options?: MutableGetOptions): Promise<MutableReply | null>
    ping(node: Address, options?: { retry?: boolean; size?: number }): Promise<Reply>
    refresh(): void
    createRawStream(options?: RawStreamOptions): RawStream
    validateLocalAddresses(addresses: readonly Address[]): Promise<Address[]>
    suspend(options?: LogOptions): Promise<void>
    resume(options?: LogOptions): Promise<void>
    /** `force` leaves servers announced. */
    destroy(options?: { force?: boolean }): Promise<void>

    static readonly BOOTSTRAP: readonly string[]
    static readonly FIREWALL: {
      readonly UNKNOWN: 0
      readonly OPEN: 1
      readonly CONSISTENT: 2
      readonly RANDOM: 3
    }
    static readonly DEFAULTS: {
      readonly concurrency: number
      readonly maxWindow: number
      readonly connectionKeepAlive: number
      readonly randomPunchInterval: number
    }
    static keyPair(seed?: Uint8Array): KeyPair
    static hash(data: Uint8Array): Uint8Array
    static bootstrapper(port: number, host: string, options?: DhtOptions): HyperDHT
    static connectRawStream(
      encryptedStream: NoiseSecretStream,
      rawStream: RawStream,
      remoteId: number
    ): void
  }
}

declare module 'hyperdht/testnet.js' {
  import type HyperDHT from 'hyperdht'
  import type { Address, DhtOptions } from 'hyperdht'

  export interface TestnetOptions {
    /** 127.0.0.1. */
    host?: string
    port?: number
    bootstrap?: readonly Address[]
    teardown?: (destroy: () => Promise<void>, options: { order: number }) => void
  }

  export interface Testnet extends Iterable<HyperDHT> {
    readonly nodes: HyperDHT[]
    readonly bootstrap: Address[]
    createNode(options?: DhtOptions): HyperDHT
    destroy(): Promise<void>
  }

  /** Ten nodes when no size is given. */
  export default function createTestnet(
    size?: number,
    options?: TestnetOptions | TestnetOptions['teardown']
  ): Promise<Testnet>
}

declare module 'hyperdht/lib/noise-wrap.js' {
  import type { HandshakePayload } from 'hyperdht'
  import type { KeyPair } from 'hypercore-crypto'

  /** A Noise handshake (IK), with what HyperDHT says in it. */
  export default class NoiseWrap {
    /** Null: who dials is not known yet. */
    constructor(keyPair: KeyPair, remotePublicKey: Uint8Array | null)
    readonly isInitiator: boolean
    send(payload: HandshakePayload): Uint8Array
    /** The message is overwritten. */
    recv(message: Uint8Array): HandshakePayload
    /** What it carries, as bytes. */
    readonly handshake: { send(payload: Uint8Array): Uint8Array; recv(message: Uint8Array): Uint8Array }
    /** When both have spoken. The hash is the `handshakeHash` of the stream. */
    final(): { readonly hash: Uint8Array; readonly remotePublicKey: Uint8Array }
  }
}
