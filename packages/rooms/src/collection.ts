import type { ContentCodec } from '@covey/core'
import type { Role } from './roles.js'
import type { CallOptions } from './room.js'

/** How {@link Room.collection} reads and writes. */
export interface CollectionOptions<Value> {
  /** How values become bytes, {@link MAX_VALUE_BYTES} at most. What it decodes may be of any member who may write. */
  readonly codec: ContentCodec<Value>
  /** From 1 on; to be raised with each change that older apps would misread. Default 1. */
  readonly version?: number
  /**
   * Who may write, from this role up. The room keeps it, and everybody's device holds to what the room says: this is
   * what an admin's app says when it is the first to write. Default `member`.
   */
  readonly write?: Role
}

/** What a room says of a collection. */
export interface CollectionRules {
  /** The least role that may write. */
  readonly write: Role
  /** How many entries there are, of 10,000 at most. */
  readonly entries: number
  /** How much they take, of 16 MiB at most. */
  readonly bytes: number
}

/** A record of a collection. Plain data. */
export interface CollectionEntry<Value> {
  readonly key: string
  readonly value: Value
  /** The id of the identity whose device put it there: proven, not claimed. */
  readonly author: string
  /** What that device's clock said, in milliseconds since 1970, and never later than this device's clock. */
  readonly sentAt: number
}

/** What became of a key. */
export type CollectionChange<Value> =
  | { readonly type: 'put'; readonly key: string; readonly entry: CollectionEntry<Value> }
  | { readonly type: 'del'; readonly key: string }

/** Which entries {@link Collection.range} gives: all, unless told otherwise. */
export interface RangeOptions {
  /** Those from this key on. */
  readonly gte?: string
  /** Those after this key. */
  readonly gt?: string
  /** Those up to this key. */
  readonly lte?: string
  /** Those before this key. */
  readonly lt?: string
  /** The last first. Default `false`. */
  readonly reverse?: boolean
  /** At most so many. */
  readonly limit?: number
  /** Ends the iteration with its reason. */
  readonly signal?: AbortSignal
}

/**
 * Records by key. Of one key the entry holds that is last in the order of the room, the same on every device. Entries
 * that this version cannot read, and those of somebody whose admission turned out to be void, are as if there were none.
 */
export interface Collection<Value> {
  readonly name: string
  /** What the room says of it, or `undefined` while no admin has said who may write. */
  rules(): Promise<CollectionRules | undefined>
  /**
   * Says who may write from now on. What is there stays.
   *
   * @param write not above one's own role.
   * @throws {RoomError} ROOM_FORBIDDEN for members below admin, and where it was reserved for those above;
   *   COLLECTION_FULL where the room has 64 collections; ROOM_CLOSED, ROOM_NOT_WRITABLE, ROOM_STORAGE_FAILED
   */
  setWrite(write: Role, options?: CallOptions): Promise<void>
  /** @throws {RoomError} ENTRY_UNREADABLE while this device has not been given the key, ROOM_CLOSED */
  get(key: string): Promise<Value | undefined>
  /**
   * Writes an entry, in place of the one before. Resolves when it is durable, and read by {@link get}, on this device.
   *
   * @param key 1 byte to {@link MAX_ENTRY_KEY_BYTES} as UTF-8.
   * @throws {RoomError} ROOM_FORBIDDEN for those who may not write here, and the muted; COLLECTION_NOT_FOUND where no
   *   admin has written or said who may; COLLECTION_FULL, ROOM_CLOSED, ROOM_NOT_WRITABLE, ROOM_STORAGE_FAILED
   * @throws {TypeError} for a value of more than {@link MAX_VALUE_BYTES}; what the codec throws
   */
  put(key: string, value: Value, options?: CallOptions): Promise<void>
  /** Takes an entry away, if there is one. @throws {RoomError} as {@link put} does */
  del(key: string, options?: CallOptions): Promise<void>
  /**
   * The entries in the order of their keys, as JavaScript compares strings. What changes meanwhile is there or not;
   * what cannot be read yet is not.
   *
   * @throws {RoomError} as it is iterated: ROOM_CLOSED
   */
  range(options?: RangeOptions): AsyncIterable<CollectionEntry<Value>>
  /**
   * What is there, in the order of the keys, and then every change, until the room closes. Of what changes while
   * nobody reads, the last is given.
   */
  watch(options?: { readonly signal?: AbortSignal }): AsyncIterable<CollectionChange<Value>>
}
