import { steadyNow } from '../steady-clock.js'
import { MAX_INBOX_COST, MESSAGE_COST } from './constants.js'
import type { Inbox } from './inbox.js'
import { TokenBucket } from '../token-bucket.js'

interface IntakeInit {
  readonly peer: string
  readonly inbox: Inbox<Uint8Array>
  /** What the peer may send ahead of the reader. */
  readonly window: number
  readonly maxMessagesPerSecond: number
  readonly maxBytesPerSecond: number
}

/**
 * How much is taken from one peer of a channel. It outlives the channel with the peer, and the session: opening
 * either anew is no way to be given more.
 */
export class Intake {
  readonly #init: IntakeInit
  readonly #messages: TokenBucket
  readonly #bytes: TokenBucket

  constructor(init: IntakeInit) {
    this.#init = init
    this.#messages = new TokenBucket(init.maxMessagesPerSecond, steadyNow())
    this.#bytes = new TokenBucket(init.maxBytesPerSecond, steadyNow())
  }

  /** What may be under way from the peer, by what waits for the reader already. */
  get room(): number {
    const { inbox, peer, window } = this.#init
    return inbox.cost > MAX_INBOX_COST ? 0 : window - inbox.costOf(peer)
  }

  /** How long the peer has to wait, for what it has sent faster than it may. */
  get waitMs(): number {
    const now = steadyNow()
    return Math.max(this.#messages.waitMs(now), this.#bytes.waitMs(now))
  }

  /** Whether nothing would be different if it were made anew. */
  get isIdle(): boolean {
    return this.#init.inbox.costOf(this.#init.peer) === 0 && this.#messages.isFull(steadyNow()) && this.#bytes.isFull(steadyNow())
  }

  push(bytes: Uint8Array): void {
    const now = steadyNow()
    this.#messages.spend(1, now)
    this.#bytes.spend(bytes.length, now)
    // A copy: a small message may be a part of a large frame, and would keep all of it.
    this.#init.inbox.push(this.#init.peer, new Uint8Array(bytes), bytes.length + MESSAGE_COST)
  }
}
