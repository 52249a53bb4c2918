declare module 'hyperdht' {
  import type NoiseSecretStream from '@hyperswarm/secret-stream'
  import type { RawStream } from '@hyperswarm/secret-stream'
  import type { KeyPair } from 'hypercore-crypto'
  import type { Readable } from 'streamx'
  import type NoiseWrap from 'hyperdht/lib/noise-wrap.js'
  import { TypedEmitter } from '@covey/stack-types/emitter'

  export interface Address {
    host: string
    port: number
  }

  export interface NetworkInterface {
    readonly name: string
    readonly host: string
    readonly family: 4 | 6
    readonly internal: boolean
  }

  export interface Node extends Address {
    id?: Uint8Array
  }

  export interface LogOptions {
    log?: (...line: unknown[]) => void
  }

  export interface DhtOptions {
    /** `host:port` or `ip@host:port`; false for none. The public nodes when not given. */
    bootstrap?: readonly (string | Address)[] | false
    nodes?: readonly Address[]
    keyPair?: KeyPair
    seed?: Uint8Array
    /** A number, or the ends of a range. 49737, and 0 is taken for "not given": see `anyPort`. */
    port?: number | readonly [number, number]
    /** 0.0.0.0. */
    host?: string
    /** True: any port will do when those are taken. */
    anyPort?: boolean
    /** Not given: ephemeral until the node proves stable and reachable. */
    ephemeral?: boolean
    adaptive?: boolean
    /** True. */
    firewalled?: boolean
    /** True. */
    quickFirewall?: boolean
    /** 5,000 ms; false is off, 0 is taken for "not given". */
    connectionKeepAlive?: number | false
    /** 20,000 ms between punches of random ports. */
    randomPunchInterval?: number
    deferRandomPunch?: boolean
    /** 10. */
    concurrency?: number
    maxWindow?: number
    maxPingDelay?: number
    /** Of the caches; 65,536 entries. */
    maxSize?: number
    maxAge?: number
    sendDownHints?: boolean
    downHintsRateLimit?: number
    udx?: object
  }

  /** Public keys of blind relays: one, several to draw from, or a choice at each connect. */
  export type RelayThrough =
    | Uint8Array
    | readonly Uint8Array[]
    | (() => Uint8Array | readonly Uint8Array[] | null)

  export interface HandshakePayload {
    version: number
    error: number
    firewall: number
    addresses4: Address[]
    relayThrough: { publicKey: Uint8Array; token: Uint8Array } | null
  }

  export interface ConnectOptions {
    keyPair?: KeyPair
    /** Where the peer is announced: skips the look-up. */
    relayAddresses?: readonly Address[] | null
    relayThrough?: RelayThrough | null
    /** 5,000 ms. */
    relayKeepAlive?: number
    /** True: peers behind the same address try their local addresses first. */
    localConnection?: boolean
    reusableSocket?: boolean
    /** What says the handshake of the dial. */
    createHandshake?: (keyPair: KeyPair, remotePublicKey: Uint8Array) => NoiseWrap
    /** True. */
    fastOpen?: boolean
    pool?: ConnectionPool
    /** Answers whether to punch. */
    holepunch?: (
      remoteFirewall: number,
      localFirewall: number,
      remoteAddresses: Address[],
      localAddresses: Address[]
    ) => boolean
  }

  export interface ServerOptions {
    /** True refuses. A throw, or a rejection, is taken for true. */
    firewall?: (
      remotePublicKey: Uint8Array,
      payload: HandshakePayload,
      address: Address
    ) => boolean | Promise<boolean>
    /** False never punches; a function decides. */
    holepunch?:
      | false
      | ((
          remoteFirewall: number,
          localFirewall: number,
          remoteAddresses: Address[],
          localAddresses: Address[]
        ) => boolean)
    relayThrough?: RelayThrough | null
    /** 5,000 ms. */
    relayKeepAlive?: number
    /** True. */
    shareLocalAddress?: boolean
    reusableSocket?: boolean
    /** 10,000 ms. */
    handshakeClearWait?: number
    pool?: ConnectionPool
    onconnection?: (stream: NoiseSecretStream) => void
  }

  export interface ServerEvents {
    connection: [stream: NoiseSecretStream]
    listening: []
    close: []
  }

  export interface Server extends TypedEmitter<ServerEvents> {
    readonly dht: HyperDHT
    readonly closed: boolean
    readonly suspended: boolean
    readonly listening: boolean
    /** Null until it listens. */
    readonly publicKey: Uint8Array | null
    readonly relayAddresses: Address[]
    /** What says the handshake with who dials. */
    createHandshake: (keyPair: KeyPair, remotePublicKey: null) => NoiseWrap
    /** Once a server; the DHT's default key pair when none is given. */
    listen(keyPair?: KeyPair): Promise<this>
    address(): { publicKey: Uint8Array; host: string | null; port: number } | null
    refresh(): void
    notifyOnline(): void
    suspend(options?: LogOptions): Promise<void>
    resume(): Promise<void>
    close(): Promise<void>
  }

  export interface ConnectionPool {
    has(publicKey: Uint8Array): boolean
    get(publicKey: Uint8Array): NoiseSecretStream | null
  }

  export interface QueryOptions {
    /** Ask these first, instead of the nodes in the table. */
    nodes?: readonly Node[]
    closestNodes?: readonly Node[] | null
    onlyClosestNodes?: boolean
    concurrency?: number
    /** 5. */
    retries?: number
    force?: boolean
  }

  export interface AnnouncedPeer {
    publicKey: Uint8Array
    relayAddresses: Address[]
  }

  export interface Reply {
    token: Uint8Array | null
    from: Node
    to: Address
  }

  export interface LookupReply extends Reply {
    peers: AnnouncedPeer[]
    bump: number
  }

  export interface FindPeerReply extends Reply {
    peer: AnnouncedPeer
  }

  export interface ImmutableReply extends Reply {
    value: Uint8Array
  }

  export interface MutableReply extends Reply {
    seq: number
    value: Uint8Array
    signature: Uint8Array
  }

  export interface Query<R> extends Readable<R> {
    readonly closestNodes: Node[]
    finished(): Promise<void>
  }

  export interface MutableGetOptions extends QueryOptions {
    /** The lowest that is accepted; 0. */
    seq?: number
    /** True waits for all answers and takes the highest `seq`. */
    latest?: boolean
    refresh?: (result: MutableReply) => boolean
  }

  export interface RawStreamOptions {
    framed?: boolean
    firewall?: (socket: unknown, port: number, host: string) => boolean
  }

  export interface DhtEvents {
    listening: []
    ready: []
    close: []
    suspend: []
    resume: []
    wakeup: []
    ephemeral: []
    persistent: []
    'nat-update': [host: string | null, port: number]
    'network-change': [interfaces: unknown[]]
    'network-update': []
    'add-node': [node: Node]
    'remove-node': [node: Node]
  }
}
