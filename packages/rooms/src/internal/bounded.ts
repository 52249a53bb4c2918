import { withTimeout, type TimeoutOptions } from '@covey/core'

/** Waits for a promise no longer than its caller would, however many there are one after another. */
export type Bounded = <Value>(work: Promise<Value>) => Promise<Value>

export function boundedBy({ timeoutMs, ...options }: TimeoutOptions): Bounded {
  const deadline = Date.now() + timeoutMs
  return (work) => withTimeout(work, { ...options, timeoutMs: Math.max(0, deadline - Date.now()) })
}
