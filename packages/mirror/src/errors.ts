import { CoveyError } from '@covey/core'

/**
 * - `RELAY_KEY_UNREADABLE`: the file with the relay's key is malformed, or cannot be read or written.
 * - `RELAY_PORT_UNAVAILABLE`: it cannot listen where it was told to.
 * - `MIRROR_FAILED`: a mirror could not keep, remove or tell something that it holds; the cause says what.
 * - `MIRROR_DISK_FULL`: a mirror's disk has less room than is to be left free, and it fetches nothing more until it has.
 * - `TOO_FEW_MIRRORS`: more mirrors were asked for than the peer has, or than are to hold what was asked about.
 */
export type MirrorErrorCode = 'RELAY_KEY_UNREADABLE' | 'RELAY_PORT_UNAVAILABLE' | 'MIRROR_FAILED' | 'MIRROR_DISK_FULL' | 'TOO_FEW_MIRRORS'

/** What `@covey/mirror` throws; see {@link MirrorErrorCode}. */
export class MirrorError extends CoveyError<MirrorErrorCode> {
  override readonly name = 'MirrorError'
}
