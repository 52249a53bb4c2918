/** A device that signs the order of a room: what a quorum of them has signed has its place for ever. */
export interface IndexerHealth {
  /** The id of the identity; `undefined` while this device has not read of it. */
  readonly memberId: string | undefined
  /** The id of the device. */
  readonly device: string | undefined
  /** Whether it is this device, or one that this one is connected with and that has the room, open or asleep. */
  readonly isOnline: boolean
}

/** A device of which something is not read here yet. */
export interface BehindHealth {
  readonly memberId: string
  readonly device: string
  readonly isOnline: boolean
  /** How many blocks of it are known to be there, by its signature, and not read. */
  readonly blocks: number
  /** Whether what somebody else has written waits for blocks of it that are not here. */
  readonly isAwaited: boolean
}

/** A device of which nothing more is read, because of what it wrote. */
export interface FrozenHealth {
  readonly memberId: string
  readonly device: string
  /** What is wrong with it, for a log: see `WRITER_FROZEN`. */
  readonly reason: string
}

/** A device that has signed two pasts, as was proven to the room, which has removed it. */
export interface EquivocationHealth {
  readonly memberId: string
  readonly device: string
}

/** A mirror that holds the room, the peer's own or one that the room names, and what it says to have of this device's writing. */
export interface MirrorHealth {
  readonly id: string
  readonly isConnected: boolean
  /** How many blocks it says to lack; `undefined` while it cannot be asked. */
  readonly missingBlocks: number | undefined
}

/**
 * How a room is, as this device sees it.
 *
 * - `good`: what is written is settled as it comes.
 * - `waiting`: reading and writing go on, but something waits for devices that are away.
 * - `damaged`: a device has written what breaks the log, or the view here is not what was signed.
 */
export type HealthState = 'good' | 'waiting' | 'damaged'

/** What {@link Room.health} tells. */
export interface RoomHealth {
  readonly state: HealthState
  /** All of it in a sentence or two of English, for people. */
  readonly sentence: string
  readonly indexers: readonly IndexerHealth[]
  /** How many of the indexers have to sign. */
  readonly quorum: number
  /** How many of the indexers that are online may go to sleep until nothing is signed any more; below 0, how many are missing. */
  readonly spareIndexers: number
  /** How many messages have their place for ever. */
  readonly signedMessages: number
  /** How many are shown, and may still change their place. */
  readonly unsignedMessages: number
  /** Devices of which something is not read yet; those are many just after a join. */
  readonly behind: readonly BehindHealth[]
  readonly frozen: readonly FrozenHealth[]
  readonly equivocations: readonly EquivocationHealth[]
  /** Whether the view here is not what the indexers signed, and has not been brought to it yet. */
  readonly isSplit: boolean
  /** Those that hold the room, the peer's own and those that the room names; none where nothing tells of any. */
  readonly mirrors: readonly MirrorHealth[]
}
