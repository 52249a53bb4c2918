import Hyperswarm, { type PeerInfo, type SwarmConnection } from 'hyperswarm'
import type { AnnouncedPeer, LogOptions } from 'hyperdht'
import type { EarlyNonces } from './session/early-nonces.js'

/** Of hyperswarm 4.17.2, index.js, what is overridden and used here. */
interface Upstream extends Omit<Hyperswarm, 'listening' | 'listen' | 'destroy' | 'suspend'> {
  listening: Promise<unknown> | null
  listen(): Promise<unknown>
  destroy(options?: { force?: boolean }): Promise<void>
  suspend(options?: LogOptions): Promise<void>
  readonly _allConnections: { has(publicKey: Uint8Array): boolean }
  _connect(peer: PeerInfo, queued: boolean): void
  _flushMaybe(peer: PeerInfo): void
  _handlePeer(peer: AnnouncedPeer, topic: Uint8Array): void
  _handleServerConnection(stream: SwarmConnection): void
  _shouldRequeue(peer: PeerInfo): boolean
}

/** The second wait is the first of a peer that never answered; the last is not used for those of topics. */
const BACKOFFS_MS = [1_000, 2_000, 5_000, 600_000]

/** How long the network may take to be known before this device listens all the same. */
const BOOTSTRAP_PATIENCE_MS = 1_000

export interface SwarmInit extends NonNullable<ConstructorParameters<typeof Hyperswarm>[0]> {
  /** What is said in the handshakes of those that dial, and heard in those of who is dialled. */
  readonly earlyNonces: EarlyNonces
  /** Whether there is a path to a peer, whoever made it. */
  readonly isMet: (publicKey: Uint8Array) => boolean
  /** A connection that crossed one that is there, or is being dialled. */
  readonly oncrossing: (stream: SwarmConnection) => void
}

/**
 * A Hyperswarm that leaves the choice between connections to the sessions above it. By itself it closes
 * one of two that cross while both are dialled, which may be the only one that gets through; and it
 * dials whom it knows no connection to, though a session has one.
 *
 * It is announced when it knows the network, and so whether others can dial it: then its own address is the first
 * that they try, which spares them the way over a node of the DHT.
 */
export function createSwarm({ earlyNonces, isMet, oncrossing, ...options }: SwarmInit): Hyperswarm {
  class Swarm extends (Hyperswarm as unknown as new (options: object) => Upstream) {
    #hurry = (): void => undefined
    readonly #isInHurry = new Promise<void>((resolve) => (this.#hurry = resolve))

    override listen(): Promise<unknown> {
      return (this.listening ??= this.#listen())
    }

    override destroy(options?: { force?: boolean }): Promise<void> {
      this.#hurry()
      return super.destroy(options)
    }

    override suspend(options?: LogOptions): Promise<void> {
      this.#hurry()
      return super.suspend(options)
    }

    async #listen(): Promise<void> {
      // Where there is no network, the announcement itself says so; and who is near can be met all the same.
      let timer: ReturnType<typeof setTimeout> | undefined
      const late = new Promise((resolve) => (timer = setTimeout(resolve, BOOTSTRAP_PATIENCE_MS)))
      await Promise.race([this.dht.fullyBootstrapped().catch(() => undefined), late, this.#isInHurry])
      clearTimeout(timer)
      if (!this.destroyed) await this.server.listen(this.keyPair)
    }

    /** With a handshake of our own, for which the swarm has no option. */
    #dial(peer: PeerInfo, queued: boolean): void {
      const { dht } = this
      const { connect } = dht
      dht.connect = (publicKey, options) => connect.call(dht, publicKey, { ...options, createHandshake: earlyNonces.dial })
      try {
        super._connect(peer, queued)
      } finally {
        dht.connect = connect
      }
    }

    override _handleServerConnection(stream: SwarmConnection): void {
      const isCrossing = !this.destroyed && !this.suspended && this._allConnections.has(stream.remotePublicKey)
      if (isCrossing) oncrossing(stream)
      else super._handleServerConnection(stream)
    }

    override _connect(peer: PeerInfo, queued: boolean): void {
      if (!isMet(peer.publicKey)) this.#dial(peer, queued)
      else if (queued) this._flushMaybe(peer)
    }

    override _shouldRequeue(peer: PeerInfo): boolean {
      return !isMet(peer.publicKey) && super._shouldRequeue(peer)
    }
  }
  const swarm = new Swarm({ ...options, backoffs: BACKOFFS_MS }) as unknown as Hyperswarm
  swarm.server.createHandshake = earlyNonces.answer
  return swarm
}

/**
 * Looks up who is announced in a topic, and has the swarm dial them as if it had found them. What the
 * swarm does itself is to announce as well, each time, and not before this device has been announced.
 */
export async function lookUp(swarm: Hyperswarm, topic: Uint8Array, isClosed: () => boolean): Promise<void> {
  for await (const { peers } of swarm.dht.lookup(topic)) {
    if (isClosed() || swarm.destroyed) return
    for (const peer of peers) (swarm as unknown as Upstream)._handlePeer(peer, topic)
  }
}
