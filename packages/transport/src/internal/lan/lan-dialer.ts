import type HyperDHT from 'hyperdht'
import type Hyperswarm from 'hyperswarm'
import type { SwarmConnection } from 'hyperswarm'
import { encodeZ32 } from '@covey/core'
import { steadyNow } from '../steady-clock.js'
import { TokenBucket } from '../token-bucket.js'
import { DIAL_PAUSE_MS, DIAL_TIMEOUT_MS, DIALS_PER_SECOND, MAX_DIALS, MAX_DIALS_OF_ONE, MAX_REMEMBERED } from './constants.js'
import type { Address } from './introductions.js'

interface LanDialerInit {
  readonly dht: HyperDHT
  readonly keyPair: Hyperswarm['keyPair']
  /** A device has proven its key. */
  readonly onopen: (stream: SwarmConnection) => void
}

/**
 * Dials devices at addresses that were heard: a device that listens answers a handshake for its own key by itself,
 * so that no node of the DHT is needed. What was heard proves nothing, and the handshake everything.
 */
export class LanDialer {
  readonly #init: LanDialerInit
  /** Each with its host. */
  readonly #dials = new Map<SwarmConnection, string>()
  /** When each device may be dialled again where it was; the first to come is the first to be forgotten. */
  readonly #restUntil = new Map<string, number>()
  readonly #begun = new TokenBucket(DIALS_PER_SECOND, steadyNow())

  constructor(init: LanDialerInit) {
    this.#init = init
  }

  dial(publicKey: Uint8Array, address: Address, now: number): void {
    // At each address by itself: somebody else may say that it is the device, and the device is to be found all the same.
    const id = `${encodeZ32(publicKey)}@${address.host}:${address.port}`
    if (!this.#hasRoom(address.host) || now < (this.#restUntil.get(id) ?? 0) || this.#begun.waitMs(now) > 0) return
    this.#begun.spend(1, now)
    this.#rest(id, now)
    const { dht, keyPair, onopen } = this.#init
    const stream = dht.connect(publicKey, { keyPair, relayAddresses: [address] })
    this.#dials.set(stream, address.host)
    // Beyond it the whole DHT would be searched, which whoever looks for the device does anyway.
    const timeout = setTimeout(() => stream.destroy(), DIAL_TIMEOUT_MS)
    stream.on('error', () => undefined)
    stream.once('open', () => {
      clearTimeout(timeout)
      this.#dials.delete(stream)
      onopen(stream)
    })
    stream.once('close', () => {
      clearTimeout(timeout)
      this.#dials.delete(stream)
    })
  }

  close(): void {
    for (const stream of this.#dials.keys()) stream.destroy()
    this.#restUntil.clear()
  }

  #hasRoom(host: string): boolean {
    const ofOne = [...this.#dials.values()].filter((other) => other === host).length
    return this.#dials.size < MAX_DIALS && ofOne < MAX_DIALS_OF_ONE
  }

  #rest(id: string, now: number): void {
    this.#restUntil.delete(id)
    this.#restUntil.set(id, now + DIAL_PAUSE_MS)
    if (this.#restUntil.size > MAX_REMEMBERED) this.#restUntil.delete(this.#restUntil.keys().next().value!)
  }
}
