import { steadyNow } from '../steady-clock.js'
import { TokenBucket } from '../token-bucket.js'
import { MAX_ADDRESSES, PACKETS_PER_SECOND, PACKETS_PER_SECOND_OF_ONE } from './constants.js'

/** How many packets are read: of each address, so that one that floods drowns no other, and of all together. */
export class Meter {
  readonly #all = new TokenBucket(PACKETS_PER_SECOND, steadyNow())
  /** The one that was not heard for longest is the first to be forgotten. */
  readonly #each = new Map<string, TokenBucket>()

  /** How many addresses are remembered. */
  get size(): number {
    return this.#each.size
  }

  /** Whether a packet of this address is to be read. */
  take(host: string, now: number): boolean {
    const one = this.#each.get(host) ?? new TokenBucket(PACKETS_PER_SECOND_OF_ONE, now)
    this.#each.delete(host)
    this.#each.set(host, one)
    if (this.#each.size > MAX_ADDRESSES) this.#each.delete(this.#each.keys().next().value!)
    if (one.waitMs(now) > 0 || this.#all.waitMs(now) > 0) return false
    one.spend(1, now)
    this.#all.spend(1, now)
    return true
  }
}
