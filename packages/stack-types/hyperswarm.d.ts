declare module 'hyperswarm' {
  import type HyperDHT from 'hyperdht'
  import type { Address, DhtOptions, HandshakePayload, LogOptions, Server } from 'hyperdht'
  import type NoiseSecretStream from '@hyperswarm/secret-stream'
  import type { KeyPair } from 'hypercore-crypto'
  import { TypedEmitter } from '@covey/stack-types/emitter'

  export type SwarmConnection = NoiseSecretStream

  export type SwarmRelayThrough =
    | Uint8Array
    | readonly Uint8Array[]
    | ((force: boolean, swarm: Hyperswarm) => Uint8Array | readonly Uint8Array[] | null)

  /** The DHT options below are read only when no `dht` is given. */
  export interface SwarmOptions
    extends Pick<
      DhtOptions,
      'bootstrap' | 'nodes' | 'port' | 'deferRandomPunch' | 'randomPunchInterval'
    > {
    /** Destroyed with the swarm. */
    dht?: HyperDHT
    keyPair?: KeyPair
    seed?: Uint8Array
    /** True refuses, and bans the peer for as long as the swarm lives. No payload when we dial. */
    firewall?: (remotePublicKey: Uint8Array, payload: HandshakePayload | null) => boolean
    /** A key or keys: used when a NAT is random or after failures. A function: at every connect. */
    relayThrough?: SwarmRelayThrough | null
    /** 64; one explicit peer divides it by 2, four by 4. */
    maxPeers?: number
    maxClientConnections?: number
    maxServerConnections?: number
    /** 3 connects at a time. */
    maxParallel?: number
    /** Milliseconds for each retry. */
    backoffs?: readonly number[]
    jitter?: number
    handshakeClearWait?: number
  }

  export interface JoinOptions {
    /** True. */
    server?: boolean
    /** True. */
    client?: boolean
    limit?: number
    onerror?: (error: Error) => void
  }

  export interface PeerInfoEvents {
    topic: [topic: Uint8Array]
  }

  export interface PeerInfo extends TypedEmitter<PeerInfoEvents> {
    readonly publicKey: Uint8Array
    readonly relayAddresses: readonly Address[] | null
    /** Empty on the side that was dialled. */
    readonly topics: readonly Uint8Array[]
    readonly client: boolean
    readonly server: boolean
    readonly banned: boolean
    readonly explicit: boolean
    readonly proven: boolean
    readonly tried: boolean
    readonly queued: boolean
    readonly waiting: boolean
    readonly forceRelaying: boolean
    readonly attempts: number
    readonly priority: number
    readonly prioritized: boolean
    readonly reconnecting: boolean
    readonly connectedTime: number
    readonly disconnectedTime: number
    /** False: no more retries by the swarm (explicit peers are still dialled). */
    reconnect(reconnect: boolean): void
    ban(banned: boolean): void
  }

  /** What `join` returns: one of the sessions on a topic. */
  export interface PeerDiscoverySession {
    readonly discovery: PeerDiscovery
    readonly isClient: boolean
    readonly isServer: boolean
    readonly destroyed: boolean
    readonly swarm: Hyperswarm
    readonly topic: Uint8Array
    /** Announced, and looked up, once. False when that failed. */
    flushed(): Promise<boolean>
    refresh(options?: { client?: boolean; server?: boolean; limit?: number }): Promise<boolean>
    destroy(): Promise<void>
  }

  /** What the sessions on a topic share. */
  export interface PeerDiscovery {
    readonly topic: Uint8Array
    readonly isClient: boolean
    readonly isServer: boolean
    readonly destroyed: boolean
    readonly suspended: boolean
    flushed(): Promise<boolean>
    refresh(): Promise<boolean>
    destroy(): Promise<void>
  }

  export interface SwarmEvents {
    connection: [connection: SwarmConnection, peer: PeerInfo]
    update: []
    ban: [peer: PeerInfo, error: Error]
  }

  export default class Hyperswarm extends TypedEmitter<SwarmEvents> {
    constructor(options?: SwarmOptions)
    readonly keyPair: KeyPair
    readonly dht: HyperDHT
    readonly server: Server
    readonly destroyed: boolean
    readonly suspended: boolean
    /** How many are being dialled. */
    readonly connecting: number
    readonly connections: ReadonlySet<SwarmConnection>
    /** By public key in hex. */
    readonly peers: ReadonlyMap<string, PeerInfo>
    readonly explicitPeers: ReadonlySet<PeerInfo>
    readonly listening: Promise<Server> | null
    maxPeers: number
    maxParallel: number
    maxClientConnections: number
    maxServerConnections: number
    relayThrough: ((force: boolean, swarm: Hyperswarm) => Uint8Array | readonly Uint8Array[] | null) | null
    readonly stats: {
      readonly updates: number
      readonly connects: {
        readonly client: { opened: number; closed: number; attempted: number }
        readonly server: { opened: number; closed: number }
      }
      readonly bannedPeers: number
    }

    join(topic: Uint8Array, options?: JoinOptions): PeerDiscoverySession
    leave(topic: Uint8Array): Promise<void>
    /** Connects, and reconnects, to one peer: without `listen` or `join` we cannot be dialled back. */
    joinPeer(publicKey: Uint8Array): void
    /** Stops reconnecting; an open connection stays. */
    leavePeer(publicKey: Uint8Array): void
    listen(): Promise<Server>
    /** Every topic announced, and every pending connect done. False when destroyed meanwhile. */
    flush(): Promise<boolean>
    status(topic: Uint8Array): PeerDiscovery | null
    topics(): IterableIterator<PeerDiscovery>
    clear(): Promise<unknown>
    suspend(options?: LogOptions): Promise<void>
    resume(options?: LogOptions): Promise<void>
    destroy(options?: { force?: boolean }): Promise<void>
  }
}
