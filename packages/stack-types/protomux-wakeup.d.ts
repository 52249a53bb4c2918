declare module 'protomux-wakeup' {
  import type NoiseSecretStream from '@hyperswarm/secret-stream'
  import type Protomux from 'protomux'

  export interface WakeupHint {
    key: Uint8Array
    length: number
  }

  export interface WakeupRequest {
    hash: Uint8Array | null
  }

  export interface WakeupPeer {
    userData: unknown
    clock: number
    readonly pending: boolean
    readonly removed: boolean
    readonly active: boolean
    readonly stream: NoiseSecretStream
  }

  export interface WakeupHandlers {
    discoveryKey?: Uint8Array | null
    /** True. */
    active?: boolean
    onpeeradd?: (peer: WakeupPeer, session: WakeupSession) => void
    onpeerremove?: (peer: WakeupPeer, session: WakeupSession) => void
    onpeeractive?: (peer: WakeupPeer, session: WakeupSession) => void
    onpeerinactive?: (peer: WakeupPeer, session: WakeupSession) => void
    onlookup?: (request: WakeupRequest, peer: WakeupPeer, session: WakeupSession) => void
    onannounce?: (hints: WakeupHint[], peer: WakeupPeer, session: WakeupSession) => void
    ondestroy?: (session: WakeupSession) => void
  }

  export interface WakeupSession {
    readonly isActive: boolean
    readonly destroyed: boolean
    readonly peers: readonly WakeupPeer[]
    hasStream(stream: NoiseSecretStream): boolean
    addStream(stream: NoiseSecretStream): void
    getPeer(stream: NoiseSecretStream): WakeupPeer | null
    broadcastLookup(request?: WakeupRequest): void
    lookup(peer: WakeupPeer, request?: WakeupRequest): void
    lookupByStream(stream: NoiseSecretStream, request?: WakeupRequest): void
    announce(peer: WakeupPeer, hints: readonly WakeupHint[]): void
    announceByStream(stream: NoiseSecretStream, hints: readonly WakeupHint[]): void
    active(): void
    inactive(): void
    destroy(): void
  }

  export interface WakeupOptions {
    /** 2,000 ms; a topic without peers and sessions goes after five ticks. */
    gcTickTime?: number
  }

  /** A stream, or what wraps one: `swarm` connections and `store.replicate()` results both work. */
  export type WakeupStream = NoiseSecretStream | { readonly noiseStream: NoiseSecretStream }

  export default class ProtomuxWakeup {
    /** `onwakeup` hears of topics that nobody here has a session for. */
    constructor(
      onwakeup?: (topicId: Uint8Array, muxer: Protomux) => void | Promise<void>,
      options?: WakeupOptions
    )
    /** The capability is proven to peers, never sent: it is the secret that a topic's peers share. */
    session(capability: Uint8Array, handlers?: WakeupHandlers): WakeupSession
    getSessions(
      capability: Uint8Array,
      options?: Pick<WakeupHandlers, 'discoveryKey'>
    ): readonly WakeupSession[]
    hasStream(
      stream: WakeupStream,
      capability?: Uint8Array | null,
      options?: Pick<WakeupHandlers, 'discoveryKey'>
    ): boolean
    addStream(stream: WakeupStream): void
    destroy(): void
  }
}
