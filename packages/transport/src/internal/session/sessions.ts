import type HyperDHT from 'hyperdht'
import type Hyperswarm from 'hyperswarm'
import type { SwarmConnection } from 'hyperswarm'
import { encodeZ32 } from '@covey/core'
import { TICK_MS } from './constants.js'
import type { RelayTarget } from '../../relay.js'
import { decodeHints } from '../relay/hints.js'
import type { Relays } from '../relay/relays.js'
import { steadyNow } from '../steady-clock.js'
import type { Tcp } from '../tcp/tcp.js'
import { PeerState, type PathState, type PathWatcher, type Policy } from './peer-state.js'
import type { EarlyNonces } from './early-nonces.js'
import { Probe } from './probe.js'
import type { Session } from './session.js'

/** What peers said of themselves is kept of so many, also while they are away. */
const MAX_HINTED = 1_024

export interface SessionsInit {
  readonly dht: HyperDHT
  readonly keyPair: Hyperswarm['keyPair']
  readonly maxPeers: number
  readonly earlyNonces: EarlyNonces
  /** None: what is direct. */
  readonly relays?: Relays
  /** None: UDP alone. */
  readonly tcp?: Tcp
  /** What peers are told of where this device can be met; see relay/hints.ts. */
  readonly hints?: Uint8Array
  /** Whether they may name relays on this machine and in its network. */
  readonly isLocal?: boolean
  /** Where a peer has none of its own. Default `auto`. */
  readonly policy?: Policy
  /** It may be one that nothing has come by yet: see {@link onmet}. */
  readonly onsession: (session: Session, peer: string) => void
  /** The peer of a session is there. Once for each, if at all. */
  readonly onmet: (peer: string) => void
  readonly onclose: (session: Session, peer: string, wasMet: boolean) => void
  readonly onpath: (peer: string, path: PathState) => void
}

/** All peers that this device is in session with, or wants to be. */
export class Sessions {
  readonly #init: SessionsInit
  readonly #peers = new Map<string, PeerState>()
  /** By id, with who it was, where there are wishes for it still. */
  readonly #blocked = new Map<string, PeerState | undefined>()
  readonly #policies = new Map<string, Policy>()
  readonly #relays = new Map<string, readonly RelayTarget[]>()
  /** The one that was heard of longest ago is the first to be forgotten. */
  readonly #hinted = new Map<string, readonly RelayTarget[]>()
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

  /** The keys of those that are to be dialled wherever they turn up; each is the same object as long as it is. */
  get sought(): Uint8Array[] {
    return [...this.#peers.values()].filter((peer) => peer.isSought).map(({ publicKey }) => publicKey)
  }

  /** Whether a device that turned up is to be dialled where it is. */
  isWelcome(publicKey: Uint8Array): boolean {
    const id = encodeZ32(publicKey)
    if (this.#isClosed || this.#isSuspended || this.#blocked.has(id) || this.policyOf(id) === 'relay-only') return false
    return this.#peers.get(id)?.isWellMet === false || (!this.#peers.has(id) && this.#hasRoom(id))
  }

  get(id: string): PeerState | undefined {
    return this.#peers.get(id)
  }

  /** Has a peer dialled whenever it is out of reach, until the returned function is called. */
  want(publicKey: Uint8Array): () => void {
    const peer = this.#peerOf(publicKey)
    const wish = {}
    peer.wishes.add(wish)
    if (!this.#isSuspended) peer.tick(steadyNow())
    return () => void peer.wishes.delete(wish)
  }

  /** A peer is dialled by another part: it may be met at a relay sooner. */
  meet(publicKey: Uint8Array): void {
    const id = encodeZ32(publicKey)
    const { relays } = this.#init
    const isNone = relays?.isNone !== false && !this.#relays.has(id) && !this.#hinted.has(id)
    if (isNone || this.#isClosed || this.#isSuspended) return
    if (this.#blocked.has(id) || !this.#hasRoom(id)) return
    const peer = this.#peerOf(publicKey)
    if (peer.session === null) peer.meet(steadyNow())
  }

  /** How a peer may be reached from now on, and where it may be met. */
  configure(publicKey: Uint8Array, { policy, relays }: { policy?: Policy | undefined; relays?: readonly RelayTarget[] | undefined }): void {
    const id = encodeZ32(publicKey)
    if (policy !== undefined) this.#policies.set(id, policy)
    if (relays !== undefined) this.#relays.set(id, relays)
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    this.#apply(peer, id)
    peer.enforce()
  }

  /** Where a peer can be met, as it says, or a link about it. False when it says nothing that can be read. */
  hint(id: string, hints: Uint8Array): boolean {
    const relays = decodeHints(hints, this.#init.isLocal ?? false)
    if (!relays.ok) return false
    this.#hinted.delete(id)
    this.#hinted.set(id, relays.value)
    if (this.#hinted.size > MAX_HINTED) this.#hinted.delete(this.#hinted.keys().next().value!)
    const peer = this.#peers.get(id)
    if (peer !== undefined) peer.hinted = relays.value
    return true
  }

  policyOf(id: string): Policy {
    return this.#policies.get(id) ?? this.#init.policy ?? 'auto'
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
    const isFull = !this.#hasRoom(id) && !this.#makeRoom() && !this.#forgetOne()
    if (this.#isClosed || this.#isSuspended || isFull || this.#blocked.has(id)) stream.destroy()
    else if (!stream.destroying) this.#peerOf(stream.remotePublicKey).accept(stream, this.#init.earlyNonces.of(stream))
  }

  /** What a device that is dialled is told in the handshake, if anything. */
  nonceFor(publicKey: Uint8Array): Uint8Array | null {
    if (this.#isClosed || this.#isSuspended || !this.#hasRoom(encodeZ32(publicKey))) return null
    return this.#peerOf(publicKey).nonceFor(steadyNow())
  }

  /** Tells the peers and lets go of all connections, keeping the sessions. */
  async suspend(): Promise<void> {
    this.#isSuspended = true
    clearInterval(this.#timer)
    this.#init.tcp?.close()
    await Promise.all([...this.#peers.values()].map((peer) => peer.suspend()))
    this.#init.relays?.suspend()
  }

  /** Dials everyone that it is in session with, or wants to be. */
  resume(): void {
    if (this.#isClosed) return
    this.#isSuspended = false
    this.#init.tcp?.open()
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    for (const peer of this.#peers.values()) peer.resume()
    this.#tick()
  }

  /** A relay was reached: whoever waits for one is dialled through it at once. */
  onrelay(): void {
    if (!this.#isClosed && !this.#isSuspended) this.#tick()
  }

  isBlocked(id: string): boolean {
    return this.#blocked.has(id)
  }

  block(id: string): void {
    if (this.#blocked.has(id)) return
    const peer = this.#peers.get(id)
    this.#blocked.set(id, peer)
    this.#peers.delete(id)
    void peer?.close()
  }

  /** Whoever was to be dialled before is again. */
  unblock(id: string): void {
    const before = this.#blocked.get(id)
    this.#blocked.delete(id)
    if (this.#isClosed || before === undefined || before.wishes.size === 0) return
    const peer = this.#peerOf(before.publicKey, before.wishes)
    if (!this.#isSuspended) peer.tick(steadyNow())
  }

  /** Ends all sessions, and resolves when their peers were told, or were not to be reached. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#init.dht.off('network-change', this.#onmove)
    this.#init.dht.off('network-update', this.#onnetwork)
    this.#init.tcp?.close()
    await Promise.all([...this.#peers.values()].map((peer) => peer.close()))
    this.#init.relays?.close()
    this.#peers.clear()
  }

  readonly #onhints = (id: string, hints: Uint8Array): void => {
    if (!this.hint(id, hints)) throw new Error('Its relays cannot be read.')
  }

  /** The network is better, or worse: what failed may not fail now. */
  readonly #onnetwork = (): void => {
    if (this.#isSuspended) return
    this.#init.relays?.onnetwork()
    for (const peer of this.#peers.values()) peer.onnetwork()
  }

  /** The network is another one, so that no path can be trusted. */
  readonly #onmove = (): void => {
    if (this.#isSuspended) return
    this.#init.relays?.onnetwork()
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

  #peerOf(publicKey: Uint8Array, wishes = new Set<object>()): PeerState {
    const id = encodeZ32(publicKey)
    const known = this.#peers.get(id)
    if (known !== undefined) return known
    const peer = new PeerState(publicKey, id, wishes, { ...this.#init, onhints: this.#onhints }, (stream) => this.accept(stream))
    this.#apply(peer, id)
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

  #apply(peer: PeerState, id: string): void {
    peer.ownPolicy = this.#policies.get(id) ?? null
    peer.relays = this.#relays.get(id) ?? []
    peer.hinted = this.#hinted.get(id) ?? []
  }

  #hasRoom(id: string): boolean {
    return this.#peers.has(id) || this.#peers.size < this.#init.maxPeers
  }

  #tick(): void {
    const now = steadyNow()
    this.#init.relays?.tick(now)
    for (const [id, peer] of this.#peers) {
      peer.tick(now)
      if (peer.isIdle && !peer.isExpected) this.#forget(id, peer)
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
