import type { CallOptions, Room } from './room.js'

/** How {@link Room.exportBundle} writes. */
export interface ExportBundleOptions extends CallOptions {
  /**
   * What the others have already, which is left out: the {@link ImportedBundle.summary} of a bundle of theirs, or what
   * their {@link Room.bundleSummary} gave. Default: nothing is left out.
   */
  readonly since?: Uint8Array
}

/** What {@link Room.exportBundle} has written. */
export interface ExportedBundle {
  /** How many blocks of the members' devices are in it; a message takes one, or a part of one. */
  readonly blocks: number
  /** The size of the file. */
  readonly bytes: number
}

/** What {@link Rooms.importBundle} has read. */
export interface ImportedBundle<R extends Room = Room> {
  /** Whose it is. */
  readonly room: R
  /** How many blocks were not here before. */
  readonly blocks: number
  /**
   * How many devices' writing was left, because this device lacks what comes before it, the room does not know the
   * device, or what is in the bundle is not what it signed. For what comes before, another bundle is needed, without
   * `since` or of somebody who has it.
   */
  readonly skipped: number
  /** What its maker had when it was made: what an answer may leave out, see {@link ExportBundleOptions.since}. */
  readonly summary: Uint8Array
}
