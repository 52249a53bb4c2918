import { encodeZ32, equalBytes } from '@covey/core'
import type { Node } from '@covey/transport'
import type { OpenRoom } from '../open-room.js'
import { mapKey } from '../map-key.js'
import type { DeviceRow } from '../view.js'
import type { LocalContacts } from './contacts.js'

/** How many devices of one identity are kept out below the protocols; it can certify any number of them. */
export const MAX_BLOCKED_DEVICES = 256

/** Keeps this device from being connected with those of people who are blocked. */
export interface BlockedDevices {
  /** A device has proven to be of somebody. Whether they are blocked, and so is it from now on. */
  met(device: Uint8Array, identity: string): boolean
  /** The people of a room may be other. */
  look(opened: OpenRoom): Promise<void>
  /** These are people of a room that is asleep. */
  lookAt(devices: Iterable<KnownDevice>): void
}

/** A device, and whose it is. */
export type KnownDevice = Pick<DeviceRow, 'device' | 'identity' | 'removed'>

/**
 * @param rooms those that are open.
 * @param asleep the devices that are in those that are not. What they know of devices is proven by certificates, both ways, so that nobody
 *   gets the device of somebody else blocked.
 */
export function createBlockedDevices(node: Pick<Node, 'publicKey' | 'block' | 'unblock'>, contacts: LocalContacts, rooms: () => Iterable<OpenRoom>, asleep: () => Iterable<KnownDevice>, onerror: (error: unknown) => void): BlockedDevices {
  /** The devices that are blocked, by the id of their identity. */
  const blocked = new Map<string, Map<string, Uint8Array>>()

  function met(device: Uint8Array, identity: string): boolean {
    if (!contacts.isBlocked(identity)) return false
    const devices = blocked.get(identity) ?? new Map<string, Uint8Array>()
    if (devices.has(mapKey(device)) || devices.size >= MAX_BLOCKED_DEVICES || equalBytes(device, node.publicKey)) return true
    blocked.set(identity, devices.set(mapKey(device), device))
    node.block(device)
    return true
  }

  async function look({ roster }: OpenRoom): Promise<void> {
    if (contacts.blocked().length > 0) lookAt((await roster.devices()).values())
  }

  function lookAt(devices: Iterable<KnownDevice>): void {
    if (contacts.blocked().length === 0) return
    for (const { device, identity, removed } of devices) if (!removed) met(device, encodeZ32(identity))
  }

  contacts.onblock((identity) => {
    if (contacts.isBlocked(identity)) {
      for (const opened of rooms()) look(opened).catch(onerror)
      lookAt(asleep())
      return
    }
    for (const device of blocked.get(identity)?.values() ?? []) node.unblock(device)
    blocked.delete(identity)
  })

  return { met, look, lookAt }
}
