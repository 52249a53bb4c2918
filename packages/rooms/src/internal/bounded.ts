import { withTimeout, type TimeoutOptions } from '@covey/core'

/** Waits for a promise no longer than its caller would, however many there are one after another. */
export type Bounded = <Value>(work: Promise<Value>) => Promise<Value>

/** @param closed rejects when nobody waits any more, whatever their time. */
export function boundedBy({ timeoutMs, ...options }: TimeoutOptions, closed: Promise<never>): Bounded {
  const deadline = Date.now() + timeoutMs
  return (work) => withTimeout(Promise.race([work, closed]), { ...options, timeoutMs: Math.max(0, deadline - Date.now()) })
}
