import type HyperDHT from 'hyperdht'
import type Hyperswarm from 'hyperswarm'
import type { SwarmConnection } from 'hyperswarm'
import { encodeZ32 } from '@covey/core'
import { TICK_MS } from './constants.js'
import { PeerState, type PathState, type PathWatcher } from './peer-state.js'
import { Probe } from './probe.js'
import type { Session } from './session.js'

export interface SessionsInit {
  readonly dht: HyperDHT
  readonly keyPair: Hyperswarm['keyPair']
  readonly maxPeers: number
  readonly onsession: (session: Session, peer: string) => void
  readonly onclose: (session: Session, peer: string) => void
  readonly onpath: (peer: string, path: PathState) => void
}

/** All peers that this device is in session with, or wants to be. */
export class Sessions {
  readonly #init: SessionsInit
  readonly #peers = new Map<string, PeerState>()
  readonly #blocked = new Set<string>()
  #timer: ReturnType<typeof setInterval>
  readonly #probe: Probe
  #isClosed = false
  #isSuspended = false

  constructor(init: SessionsInit) {
    this.#init = init
    this.#probe = new Probe(init.dht, () => this.#onchange())
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    init.dht.on('network-change', this.#onmove)
    init.dht.on('network-update', this.#onnetwork)
  }

  /** The peers that can be reached now. */
  get reachable(): string[] {
    return [...this.#peers].filter(([, peer]) => peer.path !== 'offline').map(([id]) => id)
  }

  get(id: string): PeerState | undefined {
    return this.#peers.get(id)
  }

  /** Has a peer dialled whenever it is out of reach, until the returned function is called. */
  want(publicKey: Uint8Array): () => void {
    const peer = this.#peerOf(publicKey)
    const wish = {}
    peer.wishes.add(wish)
    if (!this.#isSuspended) peer.tick(Date.now())
    return () => void peer.wishes.delete(wish)
  }

  /** Tells how a peer is reached, now and at each change; `closed` when it will never be told again. */
  watch(id: string, watcher: PathWatcher): () => void {
    const peer = this.#peers.get(id)
    peer?.watchers.add(watcher)
    watcher(peer?.path ?? 'closed')
    return () => void peer?.watchers.delete(watcher)
  }

  /** Takes on a connection that is open, whoever dialled. */
  accept(stream: SwarmConnection): void {
    // A stream that breaks is an everyday thing: the session above it looks for another path.
    stream.on('error', () => undefined)
    const id = encodeZ32(stream.remotePublicKey)
    const isFull = !this.#peers.has(id) && this.#peers.size >= this.#init.maxPeers && !this.#makeRoom() && !this.#forgetOne()
    if (this.#isClosed || this.#isSuspended || isFull || this.#blocked.has(id)) stream.destroy()
    else if (!stream.destroying) this.#peerOf(stream.remotePublicKey).accept(stream)
  }

  /** Tells the peers and lets go of all connections, keeping the sessions. */
  async suspend(): Promise<void> {
    this.#isSuspended = true
    clearInterval(this.#timer)
    await Promise.all([...this.#peers.values()].map((peer) => peer.suspend()))
  }

  /** Dials everyone that it is in session with, or wants to be. */
  resume(): void {
    if (this.#isClosed) return
    this.#isSuspended = false
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    for (const peer of this.#peers.values()) peer.resume()
    this.#tick()
  }

  isBlocked(id: string): boolean {
    return this.#blocked.has(id)
  }

  block(id: string): void {
    this.#blocked.add(id)
    void this.#peers.get(id)?.close()
    this.#peers.delete(id)
  }

  unblock(id: string): void {
    this.#blocked.delete(id)
  }

  /** Ends all sessions, and resolves when their peers were told, or were not to be reached. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#init.dht.off('network-change', this.#onmove)
    this.#init.dht.off('network-update', this.#onnetwork)
    await Promise.all([...this.#peers.values()].map((peer) => peer.close()))
    this.#peers.clear()
  }

  /** The network is better, or worse: what failed may not fail now. */
  readonly #onnetwork = (): void => {
    for (const peer of this.#peers.values()) peer.onnetwork()
  }

  /** The network is another one, so that no path can be trusted. */
  readonly #onmove = (): void => {
    if (this.#isSuspended) return
    for (const peer of this.#peers.values()) peer.onmove()
  }

  /** The DHT has noticed nothing: it is told, so that this device is announced where it is now. */
  #onchange(): void {
    if (this.#isClosed || this.#isSuspended) return
    const { dht } = this.#init
    if (!dht.online) dht.health.reset()
    for (const server of dht.listening) server.refresh()
    this.#onmove()
  }

  #peerOf(publicKey: Uint8Array): PeerState {
    const id = encodeZ32(publicKey)
    const peer = this.#peers.get(id) ?? new PeerState(publicKey, id, this.#init, (stream) => this.accept(stream))
    this.#peers.set(id, peer)
    return peer
  }

  /** A peer that sleeps gives way to one that is there. */
  #makeRoom(): boolean {
    const asleep = [...this.#peers].find(([, peer]) => peer.isAsleep)
    if (asleep === undefined) return false
    void asleep[1].close()
    return this.#peers.delete(asleep[0])
  }

  #tick(): void {
    const now = Date.now()
    for (const [id, peer] of this.#peers) {
      peer.tick(now)
      if (peer.isIdle && !peer.isMissed) this.#forget(id, peer)
    }
    const isAsked = (peer: PeerState): boolean => peer.isDoubted || (peer.isMissed && this.#probe.isLost)
    if ([...this.#peers.values()].some(isAsked)) this.#probe.tick(now)
  }

  /** Makes room for a peer that is there, at the cost of one that is missed. */
  #forgetOne(): boolean {
    const missed = [...this.#peers].find(([, peer]) => peer.isIdle)
    if (missed !== undefined) this.#forget(...missed)
    return missed !== undefined
  }

  #forget(id: string, peer: PeerState): void {
    this.#peers.delete(id)
    void peer.close()
  }
}
