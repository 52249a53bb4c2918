import { assertInteger, assertOptions } from '@covey/core'

/** A token bucket: so many at once, and so many a minute in the long run. */
export interface Rate {
  /** 1 to 100,000. */
  readonly burst: number
  /** 1 to 1,000,000. */
  readonly perMinute: number
}

/**
 * How fast a bot works. What is over a rate waits; of one person {@link MAX_WAITING_PER_PERSON} messages wait,
 * and the ones on top are passed over, with a `limited` event.
 */
export interface BotLimits {
  /** Messages of one person in one room. Default a burst of 20, and 60 a minute. */
  readonly personIn?: Rate
  /** Messages of one room. Default a burst of 100, and 600 a minute. */
  readonly roomIn?: Rate
  /** Replies to one person in one room. Default a burst of 20, and 120 a minute. */
  readonly personOut?: Rate
  /** Replies in one room. Default a burst of 50, and 300 a minute. */
  readonly roomOut?: Rate
  /** Replies to one message, at most. Default 64. */
  readonly repliesPerMessage?: number
}

/** What a bot keeps to unless told otherwise: more than people type and read, and less than what hurts. */
export const DEFAULT_LIMITS: Required<BotLimits> = {
  personIn: { burst: 20, perMinute: 60 },
  roomIn: { burst: 100, perMinute: 600 },
  personOut: { burst: 20, perMinute: 120 },
  roomOut: { burst: 50, perMinute: 300 },
  repliesPerMessage: 64
}

export function readLimits(limits: BotLimits = {}): Required<BotLimits> {
  assertOptions(limits, 'init.limits', ['personIn', 'roomIn', 'personOut', 'roomOut', 'repliesPerMessage'])
  const all = { ...DEFAULT_LIMITS, ...limits }
  for (const name of ['personIn', 'roomIn', 'personOut', 'roomOut'] as const) {
    assertOptions(all[name], `init.limits.${name}`, ['burst', 'perMinute'])
    assertInteger(all[name].burst, `init.limits.${name}.burst`, { min: 1, max: 100_000 })
    assertInteger(all[name].perMinute, `init.limits.${name}.perMinute`, { min: 1, max: 1_000_000 })
  }
  assertInteger(all.repliesPerMessage, 'init.limits.repliesPerMessage', { min: 1, max: 10_000 })
  return all
}
