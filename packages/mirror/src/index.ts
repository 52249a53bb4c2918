/**
 * Blind relays: a meeting place for devices that have no other way to each other, which can read nothing of
 * what they say.
 *
 * @example
 * ```ts
 * import { createRelay } from '@covey/mirror'
 *
 * const relay = await createRelay({ storage: './relay', host: '203.0.113.7', port: 443 })
 * console.log(relay.line)
 * ```
 *
 * @packageDocumentation
 */
export { createMirror, type Mirror, type MirrorCharge, type MirrorEvents, type MirrorInit } from './create-mirror.js'
export { createRelay, type Relay, type RelayInit } from './create-relay.js'
export type { RelayStats } from './internal/switchboard.js'
export type { MirrorMeter } from './internal/holding/charges.js'
export type { HolderStats as MirrorStats, HolderUsage as MirrorUsage } from './internal/holding/holder.js'
export type { MirrorLimits, RelayLimits } from './limits.js'
export { MirrorError, type MirrorErrorCode } from './errors.js'
