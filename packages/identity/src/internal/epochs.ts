import { MAX_EPOCH } from '../constants.js'

/** Leaves epochs to count where a clock is far ahead. */
const MAX_EPOCH_BY_CLOCK = MAX_EPOCH - 2 ** 16

/** By how much the clock of a device that was lost may have been ahead, in seconds. */
const AHEAD_S = 300

/** The epoch that a revocation begins: newer than all before it, also of those that were made on devices that this one has not heard of. */
export function nextEpoch(epoch: number): number {
  return Math.max(epoch + 1, epochByClock(0))
}

/** The epoch of somebody who comes back by the phrase or a backup, newer than what they have revoked since it was made. */
export function restoredEpoch(epoch: number): number {
  return Math.max(epoch, epochByClock(AHEAD_S))
}

function epochByClock(aheadS: number): number {
  return Math.min(Math.ceil(Date.now() / 1_000) + aheadS, MAX_EPOCH_BY_CLOCK)
}
