/** A bucket of tokens that fills again with time. */
export interface RateLimit {
  /** Takes a token, or says that there is none. */
  take(): boolean
}

export function createRateLimit({ burst, perSecond }: { burst: number; perSecond: number }): RateLimit {
  let tokens = burst
  let filledAt = Date.now()
  return {
    take() {
      const now = Date.now()
      // A clock that is set back must not empty the bucket for as long as it was set back.
      tokens = Math.min(burst, tokens + (Math.max(0, now - filledAt) / 1_000) * perSecond)
      filledAt = now
      if (tokens < 1) return false
      tokens -= 1
      return true
    }
  }
}
