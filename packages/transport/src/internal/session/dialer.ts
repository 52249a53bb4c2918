import type HyperDHT from 'hyperdht'
import type Hyperswarm from 'hyperswarm'
import type { SwarmConnection } from 'hyperswarm'
import { steadyNow } from '../steady-clock.js'
import { HEDGE_MS, MAX_DIALS, MAX_PAUSE_MS, MAX_PAUSE_UNMET_MS } from './constants.js'
import type { EarlyNonces } from './early-nonces.js'
import { hasTurn, isOutOfTurn } from './punches.js'

const FIRST_PAUSE_MS = 250

interface DialerInit {
  readonly dht: HyperDHT
  readonly keyPair: Hyperswarm['keyPair']
  readonly publicKey: Uint8Array
  readonly earlyNonces: EarlyNonces
  readonly onopen: (stream: SwarmConnection) => void
  /** A dial failed, and no other is under way. */
  readonly onfail: (cause: Error) => void
}

/** Dials one peer, for as long as it is asked to at each tick. */
export class Dialer {
  readonly #init: DialerInit
  readonly #dials = new Map<SwarmConnection, number>()
  #failed = 0
  #startAt = 0
  #count = 0
  /** It takes a punch through random ports to get there, of which few go on at a time. */
  #isQueued = false

  constructor(init: DialerInit) {
    this.#init = init
  }

  /** To be called while a connection is wanted. `isMet` when a session waits for it. */
  tick(isMet: boolean, now: number): void {
    if (this.#dials.size >= MAX_DIALS || now < this.#startAt) return
    if (this.#isQueued && !hasTurn(this.#init.dht)) return
    const newest = Math.max(...this.#dials.values())
    if (this.#dials.size > 0 && now - newest < HEDGE_MS) return
    this.#startAt = now + Math.min(FIRST_PAUSE_MS * 2 ** this.#failed, isMet ? MAX_PAUSE_MS : MAX_PAUSE_UNMET_MS)
    this.#dial(now)
  }

  /** The network is another one, or the peer was there: what failed before says nothing now. */
  reset(): void {
    this.#failed = 0
    this.#startAt = 0
    this.#count = 0
    this.#isQueued = false
  }

  close(): void {
    for (const stream of this.#dials.keys()) stream.destroy()
  }

  #dial(now: number): void {
    const { dht, keyPair, publicKey, earlyNonces, onopen, onfail } = this.#init
    // Behind one address, a peer may or may not be in the same network: every other dial does not assume it.
    const localConnection = this.#count++ % 2 === 0
    const stream = dht.connect(publicKey, { keyPair, localConnection, createHandshake: earlyNonces.dial })
    this.#dials.set(stream, now)
    let cause: Error | undefined
    stream.on('error', (error: Error) => (cause = error))
    stream.once('open', () => {
      this.#dials.delete(stream)
      this.#failed = 0
      onopen(stream)
    })
    stream.once('close', () => {
      if (!this.#dials.delete(stream)) return
      this.#isQueued = isOutOfTurn(cause, steadyNow() - now)
      if (!this.#isQueued) this.#failed++
      if (this.#dials.size === 0) onfail(cause ?? new Error('The connection was closed before it opened.'))
    })
  }
}
