import type { SwarmConnection } from 'hyperswarm'
import { equalBytes } from '@covey/core'
import { Dialer } from './dialer.js'
import { LINGER_MS, MAX_LINKS, OFFLINE_MS, SLEEP_MS } from './constants.js'
import { NO_NONCE, randomNonce, type Greeting } from './greeting.js'
import { Link } from './link.js'
import { Session } from './session.js'
import type { SessionsInit } from './sessions.js'

/** How often a connection may be greeted before somebody is taken to be at play. */
const MAX_GREETINGS = 4

/** Whether there is a way to the peer now. */
export type PathState = 'online' | 'offline'
export type PathWatcher = (path: PathState | 'closed' | 'suspended') => void

/** One other device: the session with it, the connections to it, and the wish for one. */
export class PeerState {
  /** Each asks for a connection to this peer to be made and kept. */
  readonly wishes = new Set<object>()
  readonly watchers = new Set<PathWatcher>()
  session: Session | null = null
  /** What the last dial failed with. */
  failure: Error | null = null
  readonly #publicKey: Uint8Array
  readonly #id: string
  readonly #init: SessionsInit
  readonly #dialer: Dialer
  /** All of them, those that no session has yet too. */
  readonly #links = new Set<Link>()
  readonly #greetings = new WeakMap<Link, number>()
  readonly #isLeader: boolean
  #nonce = randomNonce()
  #path: PathState = 'offline'

  constructor(publicKey: Uint8Array, id: string, init: SessionsInit, onopen: (stream: SwarmConnection) => void) {
    this.#publicKey = publicKey
    this.#id = id
    this.#init = init
    this.#isLeader = isAbove(init.keyPair.publicKey, publicKey)
    const { dht, keyPair } = init
    const onfail = (cause: Error): void => void (this.failure = cause)
    this.#dialer = new Dialer({ dht, keyPair, publicKey, onopen, onfail })
  }

  get path(): PathState {
    return this.session === null || this.session.active === null ? 'offline' : 'online'
  }

  get isIdle(): boolean {
    return this.wishes.size === 0 && this.session === null && this.#links.size === 0
  }

  /** It sleeps, and nobody here insists on it. */
  get isAsleep(): boolean {
    return this.wishes.size === 0 && this.session !== null && this.session.isPeerAsleep && this.session.active === null
  }

  accept(stream: SwarmConnection): void {
    if (this.#links.size >= MAX_LINKS) return stream.destroy()
    const link = new Link({
      stream,
      onopen: () => {
        if (!this.#isLeader) this.#greet(link)
      },
      ongreeting: (_, greeting) => (this.#isLeader ? this.#lead(link, greeting) : this.#follow(link, greeting)),
      onclose: () => void this.#links.delete(link)
    })
    this.#links.add(link)
  }

  /** Looks after the paths, and dials when there is none that can be trusted. */
  tick(now: number): void {
    const { session } = this
    session?.choosePath()
    if (session !== null) this.#prune(session, now)
    const waitMs = session?.isPeerAsleep === true ? SLEEP_MS : OFFLINE_MS
    if (session !== null && session.active === null && now - session.offlineSince > waitMs) this.#drop(session)
    this.#tellPath()
    const isAwaited = session !== null && !session.isPeerAsleep
    const isNeeded = isAwaited ? session.active === null || !session.active.isHeard : this.wishes.size > 0 && this.path === 'offline'
    if (isNeeded) this.#dialer.tick(isAwaited, now)
  }

  onnetwork(): void {
    for (const link of this.#links) link.stream.sendKeepAlive()
    this.#dialer.reset()
  }

  /** Says that this device sleeps, and lets go of all connections. */
  async suspend(): Promise<void> {
    this.#dialer.close()
    for (const watcher of this.watchers) watcher('suspended')
    const streams = [...this.#links].map(({ stream }) => stream)
    for (const link of this.#links) link.end(true)
    await allClosed(streams)
  }

  resume(): void {
    this.#dialer.reset()
    if (this.session === null) return
    // It had no chance to come back, and who slept at the time may be awake.
    this.session.offlineSince = Date.now()
    this.session.isPeerAsleep = false
  }

  async close(): Promise<void> {
    this.wishes.clear()
    this.#dialer.close()
    for (const watcher of this.watchers) watcher('closed')
    const streams = [...this.#links].map(({ stream }) => stream)
    if (this.session !== null) this.#drop(this.session)
    // The peer may have settled on a session of which nothing has arrived here yet: it is told too.
    for (const link of this.#links) if (link.receiver === null) link.end()
    await allClosed(streams)
  }

  /** Follower: names the session that is held here, or asks for one. */
  #greet(link: Link): void {
    const count = (this.#greetings.get(link) ?? 0) + 1
    this.#greetings.set(link, count)
    if (count > MAX_GREETINGS) return link.close('Greeted too often.')
    const { session } = this
    link.greet({ follower: this.#nonce, leader: session?.nonces.leader ?? NO_NONCE, received: session?.received ?? 0 })
  }

  /** Follower: takes what was decided. */
  #follow(link: Link, { follower, leader, received }: Greeting): void {
    const isStale = !equalBytes(follower, this.#nonce)
    if (isStale) return this.#greet(link)
    if (this.session !== null && !this.session.is({ follower, leader })) this.#drop(this.session)
    if (equalBytes(leader, NO_NONCE)) return this.#greet(link)
    const session = this.session ?? this.#open({ follower: this.#nonce, leader })
    session.attach(link, received)
  }

  /** Leader: goes on with the session that the peer names, or begins another. */
  #lead(link: Link, { follower, leader, received }: Greeting): void {
    const isNew = equalBytes(leader, NO_NONCE)
    const isHeld = this.session !== null && equalBytes(follower, this.session.nonces.follower)
    const isSame = isHeld && (isNew || this.session!.is({ follower, leader }))
    if (!isSame && !isNew) return link.greet({ follower, leader: NO_NONCE, received: 0 })
    if (!isSame && this.session !== null) this.#drop(this.session)
    const session = isSame ? this.session! : this.#open({ follower, leader: randomNonce() })
    link.greet({ ...session.nonces, received: session.received })
    session.attach(link, received)
  }

  #open(nonces: Omit<Greeting, 'received'>): Session {
    const session = new Session({
      publicKey: this.#init.keyPair.publicKey,
      remotePublicKey: this.#publicKey,
      isLeader: this.#isLeader,
      nonces,
      onpath: () => this.#tellPath(),
      onend: () => this.#close(session)
    })
    this.session = session
    this.failure = null
    this.#dialer.reset()
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
    this.session = null
    this.#nonce = randomNonce()
    this.#tellPath()
    this.#init.onclose(session, this.#id)
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
      if (link !== session.active && now - session.activeSince > LINGER_MS) link.close()
    }
  }
}

async function allClosed(streams: SwarmConnection[]): Promise<void> {
  const isOpen = (stream: SwarmConnection): boolean => !stream.destroyed
  await Promise.all(streams.filter(isOpen).map((stream) => new Promise<void>((resolve) => stream.once('close', resolve))))
}

function isAbove(a: Uint8Array, b: Uint8Array): boolean {
  const at = a.findIndex((byte, i) => byte !== b[i])
  return at !== -1 && a[at]! > b[at]!
}
