/** So much of what was not used is there at once. */
const BURST_MS = 1_000

/** What may be spent in a second. More can be spent than there is: then it has to be waited for. */
export class TokenBucket {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #at: number

  constructor(perSecond: number, now: number) {
    this.#perMs = perSecond / 1_000
    this.#burst = this.#perMs * BURST_MS
    this.#tokens = this.#burst
    this.#at = now
  }

  spend(tokens: number, now: number): void {
    this.#refill(now)
    this.#tokens -= tokens
  }

  /** Milliseconds until nothing is owed. */
  waitMs(now: number): number {
    this.#refill(now)
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMs
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, now - this.#at) * this.#perMs)
    this.#at = now
  }
}
