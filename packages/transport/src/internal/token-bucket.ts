/**
 * A rate that may be exceeded for a second and is then paid back. What has arrived is always counted;
 * how long to wait is said afterwards, so that nobody has to guess what comes.
 */
export class TokenBucket {
  readonly #perSecond: number
  #tokens: number
  #at: number

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#tokens = perSecond
    this.#at = nowMs
  }

  spend(count: number, nowMs: number): void {
    // A clock that was set back gives nothing, and takes nothing away.
    const passedMs = Math.max(0, nowMs - this.#at)
    this.#at = nowMs
    this.#tokens = Math.min(this.#perSecond, this.#tokens + (passedMs * this.#perSecond) / 1_000) - count
  }

  /** Until there is no debt any more; 0 when there is none. */
  waitMs(nowMs: number): number {
    this.spend(0, nowMs)
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1_000) / this.#perSecond)
  }

  isFull(nowMs: number): boolean {
    this.spend(0, nowMs)
    return this.#tokens >= this.#perSecond
  }
}
