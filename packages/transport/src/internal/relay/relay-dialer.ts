import type { SwarmConnection } from 'hyperswarm'
import { MAX_PAUSE_MS, MAX_PAUSE_UNMET_MS } from '../session/constants.js'
import type { Hop } from './hop.js'
import type { Relays } from './relays.js'

const FIRST_PAUSE_MS = 250

interface RelayDialerInit {
  readonly relays: Relays
  readonly publicKey: Uint8Array
  readonly onopen: (stream: SwarmConnection) => void
  readonly onfail: (cause: Error) => void
}

/** Dials one peer through all relays at once, and takes the first that leads to it. */
export class RelayDialer {
  readonly #init: RelayDialerInit
  readonly #dials = new Set<SwarmConnection>()
  /** The connections that were dialled through in this round. */
  #tried = new Set<Hop>()
  #failed = 0
  #startAt = 0

  constructor(init: RelayDialerInit) {
    this.#init = init
  }

  /** To be called while a connection is wanted. `isMet` when a session waits for it. */
  tick(isMet: boolean, now: number): void {
    if (this.#dials.size === 0 && now >= this.#startAt) this.#tried = new Set()
    for (const hop of this.#init.relays.hops(isMet)) {
      if (this.#tried.has(hop)) continue
      this.#tried.add(hop)
      this.#startAt = now + Math.min(FIRST_PAUSE_MS * 2 ** this.#failed, isMet ? MAX_PAUSE_MS : MAX_PAUSE_UNMET_MS)
      this.#dial(hop)
    }
  }

  reset(): void {
    this.#failed = 0
    this.#startAt = 0
  }

  close(): void {
    for (const stream of this.#dials) stream.destroy()
  }

  #dial(hop: Hop): void {
    const { relays, publicKey, onopen, onfail } = this.#init
    const stream = relays.connect(hop, publicKey)
    this.#dials.add(stream)
    let cause: Error | undefined
    stream.on('error', (error: Error) => (cause = error))
    stream.once('open', () => {
      if (!this.#dials.delete(stream) || stream.destroying) return
      this.#failed = 0
      this.close()
      onopen(stream)
    })
    stream.once('close', () => {
      if (!this.#dials.delete(stream)) return
      if (this.#dials.size > 0) return
      this.#failed++
      onfail(cause ?? new Error('The relay closed the way before it opened.'))
    })
  }
}
