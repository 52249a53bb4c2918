import type { Rate } from '../limits.js'

/** A token bucket. A clock that is set back adds nothing. */
export interface Bucket {
  /** Takes a token, if there is one. */
  take(): boolean
  /** How long until there is a token, in milliseconds. */
  waitMs(): number
  isFull(): boolean
}

export function createBucket({ burst, perMinute }: Rate, now: () => number = Date.now): Bucket {
  const perMs = perMinute / 60_000
  let tokens = burst
  let at = now()

  function refill(): void {
    const time = now()
    tokens = Math.min(burst, tokens + Math.max(0, time - at) * perMs)
    at = time
  }

  return {
    take() {
      refill()
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
    waitMs() {
      refill()
      return tokens >= 1 ? 0 : Math.ceil((1 - tokens) / perMs)
    },
    isFull() {
      refill()
      return tokens >= burst
    }
  }
}
