import type { EventSource } from '@covey/core'
import type { RoomError } from './errors.js'
import type { CallOptions } from './room.js'

/** A device of a person. */
export interface LinkedDevice {
  /** z-base-32. */
  readonly id: string
  /** What the device calls itself; `''` while that is unknown. */
  readonly name: string
  /** Whether it is this one. */
  readonly isThis: boolean
}

/** A device that has come by a link, and waits for the person to compare the codes. */
export interface LinkRequest {
  /** For {@link Devices.confirm} and {@link Devices.decline}. */
  readonly id: string
  /** Six digits. The new device shows the same ones, unless somebody is in between. */
  readonly code: string
  /** The key of the device. z-base-32. */
  readonly device: string
  /** What the device calls itself, and nobody has checked. */
  readonly name: string
}

/** What happens to the devices of a person. */
export interface DevicesEvents {
  /** A device has come by a link: show its code, and ask the person. */
  request: LinkRequest
  /** A request is over: confirmed, declined, or the device has gone. */
  requestEnd: { readonly id: string }
  /** There are other devices, or other names of them. */
  change: undefined
  /** Another device has unlinked this one: it gets nothing more of the person's rooms. */
  unlinked: undefined
  /** Something failed in the background. */
  error: RoomError
}

/** How {@link Devices.createLink} makes a link. */
export interface CreateLinkOptions extends CallOptions {
  /** How long the link can be used, in milliseconds, at most a day. Default {@link DEFAULT_LINK_MS}. */
  readonly expiresInMs?: number
}

/**
 * The devices of a person. They share the person's rooms, how far the person has read in each, contacts, blocks and the
 * profile, by a room of their own that is made when the first device is linked.
 */
export interface Devices extends EventSource<DevicesEvents> {
  /** Whether another device has unlinked this one. For good: remove the folder, and link anew. */
  readonly isUnlinked: boolean
  /** The person's devices, as far as they were linked; this one first. */
  list(): Promise<LinkedDevice[]>
  /**
   * A link for a QR code: whoever comes with it is shown by the `request` event. It is good for one device, as long
   * as this peer is open. Whoever else gets hold of it gets nothing without {@link Devices.confirm}.
   *
   * @throws {RoomError} ROOM_CLOSED
   */
  createLink(options?: CreateLinkOptions): Promise<string>
  /** The devices that wait to be confirmed. */
  requests(): LinkRequest[]
  /**
   * Makes a device one of the person's. **Ask the person first whether the new device shows the same code**: the
   * device can read, write and link as the person can. Resolves when the device has been told; it comes into the
   * rooms by and by, as long as one of the others is online.
   *
   * @throws {RoomError} LINK_REQUEST_NOT_FOUND, ROOM_CLOSED
   * @throws {IdentityError} IDENTITY_CANNOT_CERTIFY on a device that was linked by one without the recovery phrase.
   */
  confirm(requestId: string, options?: CallOptions): Promise<void>
  /** @throws {RoomError} LINK_REQUEST_NOT_FOUND */
  decline(requestId: string, options?: CallOptions): Promise<void>
  /**
   * Takes a device from the person: it is revoked, removed from all rooms, and each room gets a new key. Resolves
   * when that is durable and done in the rooms that are open here; in all others it is done when they are opened
   * on any of the person's devices, and where it fails, which the `error` event tells, when the room changes. A
   * `broadcast` room that the person only reads is not told: nothing of a reader's is read there. What the device has
   * read it keeps.
   *
   * @throws {RoomError} DEVICE_NOT_FOUND, ROOM_CLOSED
   * @throws {IdentityError} IDENTITY_NO_PHRASE on a device without the recovery phrase.
   * @throws {TypeError} for this device itself.
   */
  unlink(deviceId: string, options?: CallOptions): Promise<void>
  /**
   * Resolves when this device is in all the rooms that the person's devices have told of: at once for a person with one
   * device. Rooms that the person only reads, and readers do not write to (`broadcast`), are left out: only the device
   * that has come by an invite is in those.
   *
   * @throws {RoomError} DEVICE_UNLINKED, ROOM_CLOSED
   * @throws the signal's `reason` when it is aborted first.
   */
  synced(options?: CallOptions): Promise<void>
  /** Leaves the other devices. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
