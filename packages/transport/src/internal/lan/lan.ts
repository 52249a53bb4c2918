import sodium from 'sodium-universal'
import type HyperDHT from 'hyperdht'
import type Hyperswarm from 'hyperswarm'
import type { PeerDiscovery, SwarmConnection } from 'hyperswarm'
import { encodeZ32, equalBytes } from '@covey/core'
import { steadyNow } from '../steady-clock.js'
import { ANSWER_DELAY_MS, ANSWER_PAUSE_MS, FIRST_QUERY_PAUSE_MS, LOOK_MS, MAX_QUERY_PAUSE_MS } from './constants.js'
import { introduce, recognise, type Address, type Introductions } from './introductions.js'
import { LanDialer } from './lan-dialer.js'
import { Meter } from './meter.js'
import { openMulticast, type Multicast } from './multicast.js'
import { isNear, nearAddresses } from './near.js'
import { decodeMessage, encodeAnnouncement, encodeGoodbye, encodeQuery, isRelevant } from './packet.js'

export interface LanInit {
  readonly dht: HyperDHT
  readonly keyPair: Hyperswarm['keyPair']
  /** The topics that this device is in. */
  readonly topics: () => Iterable<PeerDiscovery>
  /** The keys of the devices that are looked for; each is the same object as long as it is. */
  readonly sought: () => readonly Uint8Array[]
  /** Whether a device that was found is to be dialled. */
  readonly isWanted: (publicKey: Uint8Array) => boolean
  readonly onconnection: (stream: SwarmConnection) => void
  readonly onerror: (cause: Error) => void
}

/**
 * Finds devices in the same network, and is found by them, with no other help: over multicast DNS. What is said
 * there, anybody in the network may hear, repeat and make up; see {@link introduce} for what they learn.
 */
export class Lan {
  readonly #init: LanInit
  readonly #dialer: LanDialer
  readonly #meter = new Meter()
  #isOn = false
  #work: Promise<void> = Promise.resolve()
  #multicast: Multicast | null = null
  /** Random, and another one in each network. */
  #instance = ''
  #timers: { look?: ReturnType<typeof setInterval> | undefined; answer?: ReturnType<typeof setTimeout> | undefined } = {}
  #announcedAt = 0
  #isToRepeat = false
  #queryAt = 0
  #queryPauseMs = FIRST_QUERY_PAUSE_MS
  /** Whether somebody else has asked in our place. */
  #isPutOff = false
  /** Whether each was announced, when it was looked at last. */
  readonly #knownTopics = new WeakMap<PeerDiscovery, boolean>()
  #knownSought: ReadonlySet<Uint8Array> = new Set()

  constructor(init: LanInit) {
    this.#init = init
    const { dht, keyPair, onconnection } = init
    this.#dialer = new LanDialer({ dht, keyPair, onopen: onconnection })
    dht.on('network-change', this.#onmove)
  }

  /** Speaks and listens from now on. */
  resume(): Promise<void> {
    this.#isOn = true
    return this.#restart()
  }

  /** Says goodbye, and is silent. */
  suspend(): Promise<void> {
    this.#isOn = false
    return this.#restart()
  }

  close(): Promise<void> {
    this.#init.dht.off('network-change', this.#onmove)
    return this.suspend()
  }

  readonly #onmove = (): void => {
    if (this.#isOn) void this.#restart()
  }

  /** One after the other: what is open is closed first, however often it is asked for. */
  #restart(): Promise<void> {
    return (this.#work = this.#work.then(async () => {
      try {
        await this.#shut()
        if (this.#isOn) await this.#open()
      } catch (cause) {
        this.#init.onerror(cause as Error)
      }
    }))
  }

  async #open(): Promise<void> {
    await this.#init.dht.bind()
    const addresses = nearAddresses(this.#init.dht)
    // A network that this device comes into is told.
    if (addresses.length === 0) return
    const onpacket = (packet: Uint8Array, host: string): void => this.#onpacket(packet, host)
    this.#multicast = await openMulticast({ addresses, onpacket, onerror: this.#init.onerror })
    this.#instance = randomName()
    this.#timers.look = setInterval(() => this.#look(), LOOK_MS)
    this.#announce(true)
    this.#query(steadyNow(), true)
  }

  async #shut(): Promise<void> {
    clearInterval(this.#timers.look)
    clearTimeout(this.#timers.answer)
    this.#timers = {}
    this.#dialer.close()
    const multicast = this.#multicast
    this.#multicast = null
    if (multicast === null) return
    const goodbye = encodeGoodbye(this.#instance)
    await Promise.all(multicast.addresses.map((address) => multicast.send(goodbye, address)))
    await multicast.close()
  }

  /** Whether there is something new to say, or to ask for. */
  #look(): void {
    const now = steadyNow()
    const topics = [...this.#init.topics()]
    const hasNewTopic = topics.some((topic) => this.#knownTopics.get(topic) !== topic.isServer)
    for (const topic of topics) this.#knownTopics.set(topic, topic.isServer)
    const sought = new Set(this.#init.sought())
    const isNew = hasNewTopic || [...sought].some((publicKey) => !this.#knownSought.has(publicKey))
    this.#knownSought = sought
    if (hasNewTopic) this.#announce(true)
    const isSeeking = sought.size > 0 || topics.some(({ isClient }) => isClient)
    if (isNew || (isSeeking && now >= this.#queryAt)) this.#query(now, isNew)
  }

  #query(now: number, isFirst: boolean): void {
    this.#queryPauseMs = isFirst ? FIRST_QUERY_PAUSE_MS : Math.min(this.#queryPauseMs * 2, MAX_QUERY_PAUSE_MS)
    this.#queryAt = now + this.#queryPauseMs
    this.#isPutOff = false
    const query = encodeQuery(this.#instance)
    for (const address of this.#multicast!.addresses) void this.#multicast!.send(query, address)
  }

  /** As soon as may be; once more afterwards if it is news, for a packet gets lost. */
  #announce(isNews: boolean, delayMs = 0): void {
    this.#isToRepeat ||= isNews
    if (this.#timers.answer !== undefined) return
    const now = steadyNow()
    const at = Math.max(now + delayMs, this.#announcedAt + ANSWER_PAUSE_MS)
    this.#timers.answer = setTimeout(() => this.#sendAnnouncements(), at - now)
  }

  #sendAnnouncements(): void {
    this.#timers.answer = undefined
    this.#announcedAt = steadyNow()
    const { dht, keyPair } = this.#init
    const port = dht.io.serverSocket?.address()?.port
    const multicast = this.#multicast
    if (port === undefined || multicast === null) return
    const topics = [...this.#init.topics()].filter(({ isServer }) => isServer).map(({ topic }) => topic)
    for (const host of multicast.addresses) {
      const address = { host, port }
      for (const introductions of introduce(keyPair.publicKey, topics, address)) {
        void multicast.send(encodeAnnouncement(this.#instance, address, introductions), host)
      }
    }
    const isToRepeat = this.#isToRepeat
    this.#isToRepeat = false
    if (isToRepeat) this.#announce(false)
  }

  #onpacket(packet: Uint8Array, host: string): void {
    const now = steadyNow()
    if (this.#multicast === null || !isNear(host, this.#multicast.addresses)) return
    if (!isRelevant(packet) || !this.#meter.take(host, now)) return
    const message = decodeMessage(packet)
    if (message === null || message.from === this.#instance) return
    if (message.kind === 'announcement') return this.#onannouncement({ host, port: message.port }, message.introductions, now)
    // Everybody hears the answers to it. Once, or who asks again and again could keep us from ever asking.
    if (!this.#isPutOff) this.#queryAt = Math.max(this.#queryAt, now + this.#queryPauseMs)
    this.#isPutOff = true
    const [least, most] = ANSWER_DELAY_MS
    this.#announce(false, least + sodium.randombytes_uniform(most - least))
  }

  #onannouncement(address: Address, introductions: Introductions, now: number): void {
    const { keyPair, isWanted } = this.#init
    const topics = [...this.#init.topics()].filter(({ isClient }) => isClient).map(({ topic }) => topic)
    for (const publicKey of recognise(introductions, [...this.#init.sought(), ...topics], address)) {
      if (!equalBytes(publicKey, keyPair.publicKey) && isWanted(publicKey)) this.#dialer.dial(publicKey, address, now)
    }
  }
}

function randomName(): string {
  const bytes = new Uint8Array(10)
  sodium.randombytes_buf(bytes)
  return encodeZ32(bytes)
}
