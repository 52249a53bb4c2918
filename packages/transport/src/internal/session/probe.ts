import type HyperDHT from 'hyperdht'
import { PROBE_LOST_MS, PROBE_MS } from './constants.js'

/**
 * Notices that the network is back, or is another one, by asking nodes of the DHT at which address they
 * hear this device. The system says nothing where it is the router that lost its line or its address,
 * and the DHT itself takes minutes.
 */
export class Probe {
  readonly #dht: HyperDHT
  readonly #onchange: () => void
  #host: string | null = null
  #asked = 0
  #answered = 0
  #startAt = 0
  #isLost = false

  constructor(dht: HyperDHT, onchange: () => void) {
    this.#dht = dht
    this.#onchange = onchange
  }

  /** Whether the last that was asked did not answer. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** To be called while there is reason to ask. */
  tick(now: number): void {
    if (now < this.#startAt) return
    this.#startAt = now + (this.#isLost ? PROBE_LOST_MS : PROBE_MS)
    const nodes = this.#dht.toArray()
    if (nodes.length === 0) nodes.push(...this.#dht.bootstrapNodes)
    const node = nodes[Math.floor(Math.random() * nodes.length)]
    if (node !== undefined) void this.#ask(node, ++this.#asked)
  }

  async #ask(node: { host: string; port: number }, number: number): Promise<void> {
    this.#host ??= this.#dht.host
    try {
      const { to } = await this.#dht.ping(node, { retry: false })
      const isChanged = this.#isLost || (this.#host !== null && this.#host !== to.host)
      this.#answered = Math.max(this.#answered, number)
      this.#isLost = false
      this.#host = to.host
      if (isChanged) this.#onchange()
    } catch {
      // One node that is gone says nothing, while a later one answers.
      if (number > this.#answered) {
        this.#isLost = true
        this.#startAt = 0
      }
    }
  }
}
