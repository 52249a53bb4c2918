import type { SwarmConnection } from 'hyperswarm'
import { equalBytes } from '@covey/core'
import type { RelayTarget } from '../../relay.js'
import { Circuit } from '../relay/circuit.js'
import { RelayDialer } from '../relay/relay-dialer.js'
import { steadyNow } from '../steady-clock.js'
import { TcpUpgrade } from '../tcp/tcp-upgrade.js'
import { Dialer } from './dialer.js'
import { LINGER_MS, MAX_LINKS, MEET_MS, MISS_MS, OFFLINE_MS, SLEEP_MS } from './constants.js'
import { NO_NONCE, randomNonce, type Greeting } from './greeting.js'
import { Link } from './link.js'
import { Session } from './session.js'
import type { SessionsInit } from './sessions.js'

/** How often a connection may be greeted before somebody is taken to be at play. */
const MAX_GREETINGS = 4

/** How the peer is reached now. */
export type PathState = 'direct' | 'relayed' | 'offline'
/** Which ways to a peer are used: no relay, what there is, or nothing that shows it our address. */
export type Policy = 'direct' | 'auto' | 'relay-only'
export type PathWatcher = (path: PathState | 'closed' | 'suspended') => void

export interface PeerStateInit extends SessionsInit {
  /** The peer says where it can be met. A throw ends the connection. */
  readonly onhints: (id: string, hints: Uint8Array) => void
}

/** One other device: the session with it, the connections to it, and the wish for one. */
export class PeerState {
  /** Each asks for a connection to this peer to be made and kept. */
  readonly wishes: Set<object>
  readonly watchers = new Set<PathWatcher>()
  session: Session | null = null
  /** Where the peer may be met, beside our own relays. */
  relays: readonly RelayTarget[] = []
  /** The same, as it says itself. */
  hinted: readonly RelayTarget[] = []
  /** Null: that of the node. */
  ownPolicy: Policy | null = null
  /** What the last dial failed with. */
  failure: Error | null = null
  readonly publicKey: Uint8Array
  readonly #id: string
  readonly #init: PeerStateInit
  readonly #dialer: Dialer
  readonly #relayDialer: RelayDialer | null
  readonly #upgrade: TcpUpgrade | null
  /** All of them, those that no session has yet too. */
  readonly #links = new Set<Link>()
  readonly #greetings = new WeakMap<Link, { count: number; nonce: Uint8Array }>()
  readonly #isLeader: boolean
  #missedUntil = 0
  #nonce = randomNonce()
  #metUntil = 0
  /** Something has come by the session, so that the peer is there. */
  #isMet = false
  #path: PathState = 'offline'

  constructor(publicKey: Uint8Array, id: string, wishes: Set<object>, init: PeerStateInit, onopen: (stream: SwarmConnection) => void) {
    this.publicKey = publicKey
    this.#id = id
    this.wishes = wishes
    this.#init = init
    this.#isLeader = isAbove(init.keyPair.publicKey, publicKey)
    const { dht, keyPair, earlyNonces } = init
    const onfail = (cause: Error): void => void (this.failure = cause)
    this.#dialer = new Dialer({ dht, keyPair, publicKey, earlyNonces, onopen, onfail })
    const { relays } = init
    this.#relayDialer = relays === undefined ? null : new RelayDialer({ relays, publicKey, onopen, onfail })
    this.#upgrade = init.tcp === undefined ? null : new TcpUpgrade({ tcp: init.tcp, publicKey, links: this.#links })
  }

  get path(): PathState {
    const active = this.session?.active ?? null
    if (active === null || active.isEarly) return 'offline'
    return active.isRelayed ? 'relayed' : 'direct'
  }

  get policy(): Policy {
    return this.ownPolicy ?? this.#init.policy ?? 'auto'
  }

  /** Whether there is a session, and no path that can be trusted. */
  get isDoubted(): boolean {
    return this.session !== null && (this.session.active === null || this.session.active.isDoubted)
  }

  /** Whether there is a direct path that can be trusted. */
  get isWellMet(): boolean {
    return this.path === 'direct' && !this.isDoubted
  }

  /** Whether it would be dialled if it were known where. */
  get isSought(): boolean {
    return !this.isWellMet && (this.wishes.size > 0 || this.session !== null || this.isMissed)
  }

  /** Whether its session ran out not long ago: nobody said that it was over. */
  get isMissed(): boolean {
    return steadyNow() < this.#missedUntil
  }

  /** Whether it may come without having been wished for. */
  get isExpected(): boolean {
    return this.isMissed || steadyNow() < this.#metUntil
  }

  /** Whether nothing is at stake but that it may come back. */
  get isIdle(): boolean {
    return this.wishes.size === 0 && this.session === null && this.#links.size === 0
  }

  /** It sleeps, and nobody here insists on it. */
  get isAsleep(): boolean {
    return this.wishes.size === 0 && this.session !== null && this.session.isPeerAsleep && this.session.active === null
  }

  /** What it may be told in the handshake of a dial: this side's half of a new session. */
  nonceFor(now: number): Uint8Array | null {
    if (this.session !== null) return null
    this.#metUntil = now + MEET_MS
    return this.#nonce
  }

  /** @param early What the peer has said in the handshake, where it has dialled. */
  accept(stream: SwarmConnection, early: Uint8Array | null): void {
    if (!this.#allows({ isRelayed: stream.rawStream instanceof Circuit }) || !this.#makeRoom()) return stream.destroy()
    const link = new Link({
      stream,
      ongreeting: (_, greeting) => this.#settle(link, greeting),
      onhints: (hints) => this.#init.onhints(this.#id, hints),
      ontcp: (_, offer) => this.#upgrade?.onoffer(link, offer),
      onclose: () => this.#onclose(link)
    })
    this.#links.add(link)
    this.#greet(link)
    if (early === null || this.session !== null || equalBytes(early, NO_NONCE)) return
    // It is spoken to, and not taken to be there before something has come.
    link.isEarly = true
    this.#carry(link, { ...this.#held, [this.#isLeader ? 'follower' : 'leader']: early })
  }

  /** Handshakes that somebody repeats bring nothing after them: they give way, and keep nobody out. */
  #makeRoom(): boolean {
    if (this.#links.size < MAX_LINKS) return true
    const links = [...this.#links]
    const silent = links.find(({ receiver }) => receiver === null) ?? links.find(({ isEarly }) => isEarly)
    silent?.stream.destroy()
    return silent !== undefined && this.#links.delete(silent)
  }

  /** Looks after the paths, and dials when there is none that can be trusted. */
  tick(now: number): void {
    const { session } = this
    session?.choosePath()
    if (session !== null) this.#prune(session, now)
    const isAsleep = session?.isPeerAsleep === true
    if (session !== null && session.active === null && now - session.offlineSince > (isAsleep ? SLEEP_MS : OFFLINE_MS)) {
      if (!isAsleep) this.#missedUntil = now + MISS_MS
      this.#drop(session)
    }
    this.#tellPath()
    const isAwaited = session !== null && !isAsleep
    const isNeeded = isAwaited ? this.isDoubted : (this.wishes.size > 0 || this.isMissed) && this.path === 'offline'
    if (isNeeded || (session === null && now < this.#metUntil)) this.#dialRelayed(isAwaited, now)
    // A relayed path will do until there is a better one, which is looked for in peace.
    if (this.policy !== 'relay-only' && isNeeded) this.#dialer.tick(isAwaited, now)
    else if (this.policy === 'auto' && session?.active?.isRelayed) this.#dialer.tick(false, now)
  }

  /** Whoever dials it now may come to it through a relay first. */
  meet(now: number): void {
    this.#metUntil = now + MEET_MS
    this.tick(now)
  }

  /** Ends what the policy does not allow any more. */
  enforce(): void {
    for (const link of this.#links) if (!this.#allows(link)) link.close()
  }

  onnetwork(): void {
    for (const link of this.#links) link.stream.sendKeepAlive()
    this.#dialer.reset()
  }

  /** Says that this device sleeps, and lets go of all connections. */
  async suspend(): Promise<void> {
    this.#dialer.close()
    this.#relayDialer?.close()
    for (const watcher of this.watchers) watcher('suspended')
    const streams = [...this.#links].map(({ stream }) => stream)
    for (const link of this.#links) link.end(true)
    await allClosed(streams)
  }

  resume(): void {
    this.#dialer.reset()
    this.#relayDialer?.reset()
    if (this.session === null) return
    // It had no chance to come back, and who slept at the time may be awake.
    this.session.offlineSince = steadyNow()
    this.session.isPeerAsleep = false
  }

  onmove(): void {
    for (const link of this.#links) link.doubt()
    this.#dialer.reset()
    this.#relayDialer?.reset()
    this.tick(steadyNow())
  }

  async close(): Promise<void> {
    this.#dialer.close()
    this.#relayDialer?.close()
    for (const watcher of this.watchers) watcher('closed')
    const streams = [...this.#links].map(({ stream }) => stream)
    if (this.session !== null) this.#drop(this.session)
    // The peer may have settled on a session of which nothing has arrived here yet: it is told too.
    for (const link of this.#links) if (link.receiver === null) link.end()
    await allClosed(streams)
  }

  #allows({ isRelayed }: { isRelayed: boolean }): boolean {
    return this.policy !== (isRelayed ? 'direct' : 'relay-only')
  }

  #dialRelayed(isAwaited: boolean, now: number): void {
    const { relays } = this.#init
    if (relays === undefined || this.policy === 'direct') return
    const active = this.session?.active
    if (active?.isRelayed && !active.isHeard) relays.blame(active.stream)
    // One that the peer has chosen may be its own, and would see the address that is not to be shown to it.
    relays.borrow(this.policy === 'relay-only' ? this.relays : [...this.relays, ...this.hinted])
    this.#relayDialer!.tick(isAwaited, now)
  }

  /** The session that is held here, or this side's half of the next one. */
  get #held(): Greeting {
    if (this.session !== null) return { ...this.session.nonces, received: this.session.received }
    const [follower, leader] = this.#isLeader ? [NO_NONCE, this.#nonce] : [this.#nonce, NO_NONCE]
    return { follower, leader, received: 0 }
  }

  #greet(link: Link): void {
    const count = (this.#greetings.get(link)?.count ?? 0) + 1
    this.#greetings.set(link, { count, nonce: this.#nonce })
    if (count > MAX_GREETINGS) return link.close('Greeted too often.')
    link.greet(this.#held)
  }

  /**
   * Both sides greet at once and come to the same end, so that data may follow the greeting: what each
   * says is a session, or half of one, and where the two do not fit, who holds a session lets it go and
   * greets again.
   */
  #settle(link: Link, theirs: Greeting): void {
    if (link.receiver !== null && !link.isEarly) throw new Error('It greeted again.')
    if (equalBytes(this.#isLeader ? theirs.follower : theirs.leader, NO_NONCE)) throw new Error('It named no nonce.')
    if (link.isEarly) return this.#confirm(link, theirs)
    if (this.session !== null && !isFitting(this.#held, theirs)) this.#drop(this.session)
    if (!equalBytes(this.#greetings.get(link)!.nonce, this.#nonce)) this.#greet(link)
    if (isFitting(this.#held, theirs)) this.#carry(link, theirs)
  }

  /** What came in the handshake was not an old one: the peer is there. */
  #confirm(link: Link, theirs: Greeting): void {
    if (link.receiver !== this.session || !isFitting(this.#held, theirs)) throw new Error('It greets as another than it did.')
    link.confirm()
    this.#meet()
    this.session!.choosePath()
    this.#tellPath()
  }

  /** Has a connection carry the session of the two greetings, which begins with it if there is none. */
  #carry(link: Link, theirs: Greeting): void {
    const mine = this.#held
    const [follower, leader] = this.#isLeader ? [theirs.follower, mine.leader] : [mine.follower, theirs.leader]
    const isNew = this.session === null
    const session = this.session ?? this.#open({ follower, leader })
    if (!link.isEarly) this.#meet()
    session.attach(link, theirs.received)
    const { hints } = this.#init
    if (isNew && hints !== undefined) link.sendHints(hints)
  }

  #meet(): void {
    if (this.#isMet) return
    this.#isMet = true
    this.failure = null
    this.#missedUntil = 0
    this.#dialer.reset()
    this.#relayDialer?.reset()
    this.#init.onmet(this.#id)
  }

  #onclose(link: Link): void {
    this.#links.delete(link)
    if (link.isEarly && !this.#isMet && this.session !== null) this.#drop(this.session)
  }

  #open(nonces: Omit<Greeting, 'received'>): Session {
    const session = new Session({
      publicKey: this.#init.keyPair.publicKey,
      remotePublicKey: this.publicKey,
      isLeader: this.#isLeader,
      nonces,
      onpath: () => this.#tellPath(),
      onbulk: (link) => this.#upgrade?.onbulk(link),
      onend: () => this.#close(session)
    })
    this.session = session
    this.#init.onsession(session, this.#id)
    return session
  }

  /** At once: a stream would tell of its end only later. */
  #drop(session: Session): void {
    session.destroy()
    this.#close(session)
  }

  #close(session: Session): void {
    if (this.session !== session) return
    const wasMet = this.#isMet
    this.session = null
    this.#isMet = false
    this.#nonce = randomNonce()
    this.#tellPath()
    this.#init.onclose(session, this.#id, wasMet)
  }

  #tellPath(): void {
    if (this.#path === this.path) return
    this.#path = this.path
    this.#init.onpath(this.#id, this.#path)
    for (const watcher of this.watchers) watcher(this.#path)
  }

  /** One side alone closes what is not used, or each might close what the other uses. */
  #prune(session: Session, now: number): void {
    if (!this.#isLeader || session.active === null) return
    for (const link of session.links) {
      if (link !== session.active && link !== session.datagrams && now - session.activeSince > LINGER_MS) link.close()
    }
  }
}

async function allClosed(streams: SwarmConnection[]): Promise<void> {
  const isOpen = (stream: SwarmConnection): boolean => !stream.destroyed
  await Promise.all(streams.filter(isOpen).map((stream) => new Promise<void>((resolve) => stream.once('close', resolve))))
}

/** Whether two greetings can be of one session: what both name is the same. */
function isFitting(a: Greeting, b: Greeting): boolean {
  const isSame = (x: Uint8Array, y: Uint8Array): boolean => equalBytes(x, y) || equalBytes(x, NO_NONCE) || equalBytes(y, NO_NONCE)
  return isSame(a.follower, b.follower) && isSame(a.leader, b.leader)
}

function isAbove(a: Uint8Array, b: Uint8Array): boolean {
  const at = a.findIndex((byte, i) => byte !== b[i])
  return at !== -1 && a[at]! > b[at]!
}
