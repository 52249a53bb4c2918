import NoiseSecretStream from '@hyperswarm/secret-stream'
import type HyperDHT from 'hyperdht'
import type Hyperswarm from 'hyperswarm'
import { encodeZ32, equalBytes } from '@covey/core'
import type { RelayTarget } from '../../relay.js'
import { steadyNow } from '../steady-clock.js'
import type { Circuit } from './circuit.js'
import { dialRelay } from './dial-relay.js'
import { Hop } from './hop.js'
import { OPEN_TIMEOUT_MS } from './wire.js'

/** The pause before a relay is dialled again doubles from here… */
const FIRST_PAUSE_MS = 250
/** …to here. */
const MAX_PAUSE_MS = 30_000
/** How long a relay on which a connection went wrong is only used where there is no other. */
const BLAME_MS = 30_000
/** While a session waits for its path, another dial is begun so often beside those that go on: they may wait for a lost packet. */
const URGENT_PAUSE_MS = 1_000
const MAX_DIALS = 3
/** How long a connection to a relay that is only a peer's is kept after its last circuit. */
const LINGER_MS = 10_000
/** Relays of peers, beside our own, at a time. */
const MAX_BORROWED = 16
/** Addresses of a kind that are tried for one of them. */
const MAX_JOINED = 8
/** Devices that one relay says want to talk, and that have not proven who they are. */
const MAX_OFFERS = 16

interface RelaysInit {
  readonly dht: HyperDHT
  readonly keyPair: Hyperswarm['keyPair']
  /** Those that this device keeps a connection to, and can be reached through. */
  readonly relays: readonly RelayTarget[]
  /** Whether a device may come through a relay. */
  readonly isAllowed: (id: string) => boolean
  /** A device that came through a relay has proven its key. */
  readonly onconnection: (stream: NoiseSecretStream) => void
  /** There is a connection to a relay where there was none. */
  readonly onhop: () => void
}

interface Entry {
  relay: RelayTarget
  readonly isOwn: boolean
  hop: Hop | null
  /** Told when there is one. */
  readonly waiting: Set<() => void>
  readonly dials: Set<{ close(): void }>
  /** When it was first named, of late. */
  readonly since: number
  failed: number
  startAt: number
  /** When the last dial was begun, and until when a session waits for a path. */
  dialledAt: number
  urgentUntil: number
  usedAt: number
  blamedAt: number
  offers: number
}

export interface RelayMeasure {
  readonly id: string
  readonly isReachable: boolean
  readonly roundTripMs: number | null
  readonly clockAheadMs: number | null
}

/** The relays of a device, and those of peers while they are needed. */
export class Relays {
  readonly #init: RelaysInit
  readonly #entries = new Map<string, Entry>()
  readonly #entryOf = new WeakMap<object, Entry>()

  constructor(init: RelaysInit) {
    this.#init = init
    for (const relay of init.relays) this.#entryFor(relay, true)
  }

  /** Whether there is no relay to ask, now or later. */
  get isNone(): boolean {
    return this.#entries.size === 0
  }

  /** By id, those that there is a connection to. */
  get open(): string[] {
    return this.#usable().map(({ relay }) => relay.id)
  }

  /** Whether our own relays are there, how far, and what their clocks say. */
  measure(timeoutMs: number): Promise<RelayMeasure[]> {
    const own = [...this.#entries.values()].filter(({ isOwn }) => isOwn)
    return Promise.all(
      own.map(async (entry) => {
        const hop = await opened(entry, timeoutMs)
        const answer = (await hop?.measure(timeoutMs)) ?? null
        return { id: entry.relay.id, isReachable: answer !== null, roundTripMs: answer?.roundTripMs ?? null, clockAheadMs: answer?.clockAheadMs ?? null }
      })
    )
  }

  /** To be called now and then. */
  tick(now: number): void {
    for (const entry of this.#entries.values()) {
      const { hop } = entry
      if (hop !== null && hop.size > 0) entry.usedAt = now
      if (!entry.isOwn && now - entry.usedAt > LINGER_MS) this.#remove(entry)
      // The silent one is given up when there is another: it may yet be heard.
      else if (isBad(entry, now) && isDue(entry, now)) this.#dial(entry, now)
    }
  }

  /** The network is another one: whatever was open may be dead. */
  onnetwork(): void {
    for (const entry of this.#entries.values()) {
      entry.failed = 0
      entry.startAt = 0
      entry.hop?.ask()
    }
  }

  /** Has relays of a peer connected to. */
  borrow(relays: readonly RelayTarget[]): void {
    for (const relay of relays) {
      const entry = this.#entryFor(relay, false)
      if (entry !== null) entry.usedAt = steadyNow()
    }
  }

  /**
   * The connections through which a device can be dialled now, those that went wrong lately only where there
   * are no others. `isUrgent` when a session waits for it.
   */
  hops(isUrgent: boolean): Hop[] {
    if (isUrgent) for (const entry of this.#entries.values()) entry.urgentUntil = steadyNow() + URGENT_PAUSE_MS
    const usable = this.#usable()
    const good = usable.filter(({ blamedAt }) => steadyNow() - blamedAt > BLAME_MS)
    return (good.length > 0 ? good : usable).map(({ hop }) => hop!)
  }

  /** Dials a device through one relay. The stream opens when the device has proven its key, or breaks. */
  connect(hop: Hop, publicKey: Uint8Array): NoiseSecretStream {
    const circuit = hop.open(publicKey)
    hop.ask()
    return this.#secure(hop, circuit, publicKey, true)
  }

  /** A connection that came by this stream's relay went silent. */
  blame(stream: { readonly rawStream: object }): void {
    const entry = this.#entryOf.get(stream.rawStream)
    if (entry === undefined) return
    entry.blamedAt = steadyNow()
    entry.hop?.ask()
  }

  /** Lets go of all connections, until it is ticked again. */
  suspend(): void {
    for (const entry of this.#entries.values()) {
      for (const dial of entry.dials) dial.close()
      entry.dials.clear()
      entry.hop?.close()
      entry.failed = 0
      entry.startAt = 0
    }
  }

  close(): void {
    for (const entry of this.#entries.values()) this.#remove(entry)
  }

  #usable(): Entry[] {
    return [...this.#entries.values()].filter(({ hop }) => hop !== null)
  }

  /** Null: as many relays of peers as may be are in use. */
  #entryFor(relay: RelayTarget, isOwn: boolean): Entry | null {
    const known = this.#entries.get(relay.id)
    if (known !== undefined) {
      // What one peer says of a relay is not to keep others from it.
      if (!known.isOwn) known.relay = joinTargets(relay, known.relay)
      return known
    }
    const borrowed = [...this.#entries.values()].filter((entry) => !entry.isOwn)
    if (!isOwn && borrowed.length >= MAX_BORROWED) {
      // One that has just been named has the time to be reached: else those that are more than find room would take each other's, without end.
      const before = steadyNow() - OPEN_TIMEOUT_MS
      const idle = borrowed.find(({ hop, since }) => since < before && (hop === null || hop.size === 0))
      if (idle === undefined) return null
      this.#remove(idle)
    }
    const times = { since: steadyNow(), startAt: 0, dialledAt: 0, urgentUntil: 0, usedAt: steadyNow(), blamedAt: 0, offers: 0 }
    const entry: Entry = { relay, isOwn, hop: null, waiting: new Set(), dials: new Set(), failed: 0, ...times }
    this.#entries.set(relay.id, entry)
    this.#dial(entry, steadyNow())
    return entry
  }

  #dial(entry: Entry, now: number): void {
    const { dht, keyPair } = this.#init
    entry.startAt = now + Math.min(FIRST_PAUSE_MS * 2 ** entry.failed++, MAX_PAUSE_MS)
    entry.dialledAt = now
    const dial = dialRelay({
      dht,
      keyPair,
      relay: entry.relay,
      onopen: (stream) => this.#onopen(entry, stream),
      onfail: () => void entry.dials.delete(dial)
    })
    entry.dials.add(dial)
  }

  #onopen(entry: Entry, stream: NoiseSecretStream): void {
    const former = entry.hop
    const hop: Hop = new Hop({
      stream,
      onoffer: (circuit, publicKey) => this.#onoffer(entry, hop, circuit, publicKey),
      onclose: () => {
        if (entry.hop === hop) entry.hop = null
      }
    })
    for (const dial of entry.dials) dial.close()
    entry.dials.clear()
    entry.failed = 0
    entry.hop = hop
    this.#entryOf.set(hop, entry)
    former?.close()
    for (const go of entry.waiting) go()
    this.#init.onhop()
  }

  #onoffer(entry: Entry, hop: Hop, circuit: Circuit, publicKey: Uint8Array): boolean {
    if (entry.offers >= MAX_OFFERS || !this.#init.isAllowed(encodeZ32(publicKey))) return false
    entry.offers++
    const stream = this.#secure(hop, circuit, publicKey, false)
    let isPending = true
    const settle = (): void => {
      if (isPending) entry.offers--
      isPending = false
    }
    stream.once('close', settle)
    stream.once('open', () => {
      settle()
      if (!stream.destroying) this.#init.onconnection(stream)
    })
    return true
  }

  /** Noise with the device at the other end: whatever a relay says, only the key that was named is let through. */
  #secure(hop: Hop, circuit: Circuit, publicKey: Uint8Array, isInitiator: boolean): NoiseSecretStream {
    const entry = this.#entryOf.get(hop)
    if (entry !== undefined) this.#entryOf.set(circuit, entry)
    const stream = new NoiseSecretStream(isInitiator, circuit, { keyPair: this.#init.keyPair })
    const timeout = setTimeout(() => stream.destroy(new Error('No handshake within the time.')), OPEN_TIMEOUT_MS)
    let isOpen = false
    stream.on('error', () => {
      // What was open and broke while the relay is there, the relay has broken.
      if (isOpen && entry !== undefined && !hop.stream.destroying) entry.blamedAt = steadyNow()
    })
    stream.once('close', () => clearTimeout(timeout))
    // Before anybody else is told that it is open.
    stream.once('handshake', () => {
      clearTimeout(timeout)
      isOpen = true
      if (!equalBytes(stream.remotePublicKey, publicKey)) stream.destroy(new Error('The relay led to another device.'))
    })
    return stream
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.relay.id)
    for (const dial of entry.dials) dial.close()
    entry.hop?.close()
  }
}

/** One relay, with the addresses that both name: the newest first, and no more than a few of each kind. */
function joinTargets(newer: RelayTarget, older: RelayTarget): RelayTarget {
  const join = <Address>(a: readonly Address[], b: readonly Address[]): Address[] =>
    [...new Map([...a, ...b].map((address) => [JSON.stringify(address), address])).values()].slice(0, MAX_JOINED)
  return { ...older, webSockets: join(newer.webSockets, older.webSockets), udp: join(newer.udp, older.udp) }
}

/** The connection to a relay, where there is one within the time. */
function opened(entry: Entry, timeoutMs: number): Promise<Hop | null> {
  if (entry.hop !== null) return Promise.resolve(entry.hop)
  return new Promise((resolve) => {
    const go = (): void => {
      clearTimeout(timer)
      entry.waiting.delete(go)
      resolve(entry.hop)
    }
    const timer = setTimeout(go, timeoutMs)
    entry.waiting.add(go)
  })
}

/** Whether another connection to the relay is needed: at once where a session waits for a path, and an answer of the relay is late. */
function isBad({ hop, urgentUntil }: Entry, now: number): boolean {
  return hop === null || hop.isSilent || (now < urgentUntil && hop.isLate)
}

function isDue({ dials, startAt, dialledAt, urgentUntil }: Entry, now: number): boolean {
  if (now < urgentUntil) return dials.size < MAX_DIALS && now - dialledAt >= URGENT_PAUSE_MS
  return dials.size === 0 && now >= startAt
}
