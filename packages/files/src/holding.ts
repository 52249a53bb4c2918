import { assertInteger, assertOptions } from '@covey/core'

/**
 * How long this device has, and gives to others, what it has fetched of a file that somebody else shared:
 * - `keep`: until it is forgotten; what the budget has no room for goes, and is fetched again.
 * - `{ forMs }`: for so long after it was last read, played or saved here, also over restarts.
 * - `none`: only while it is read, played or saved here.
 *
 * What was saved stays where it was saved, and is the user's; only it is given to others no longer than that. In
 * a directory that mirrors a folder, it is given for as long as it is there.
 */
export type Holding = 'keep' | 'none' | { readonly forMs: number }

/** @throws {TypeError} that names the field. */
export function assertHolding(holding: Holding, field: string): void {
  if (holding === 'keep' || holding === 'none') return
  if (typeof holding !== 'object') throw new TypeError(`${field} must be 'keep', 'none' or { forMs }`)
  assertOptions(holding, field, ['forMs'])
  assertInteger(holding.forMs, `${field}.forMs`, { min: 1 })
}
