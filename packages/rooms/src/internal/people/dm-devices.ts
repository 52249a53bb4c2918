import type { Channel } from '@covey/transport'
import { isCoveyError } from '@covey/core'
import { createRateLimit, type RateLimit } from '../guards/rate-limit.js'
import type { DmMessage } from './dm-message.js'

/** A device that the channel is open with. */
export interface DmDevice {
  readonly id: string
  /** The id of its identity, when that has been proven, and the epoch of what proved it. */
  person?: string
  epoch: number
  /** That it wants a direct room, and which it says there is. */
  wish?: { readonly room: Uint8Array | null | undefined }
  /** Of whom it has been asked whether it is theirs. */
  readonly sought: Set<string>
  /** Whether it has been told that this device's person wants one. */
  isTold: boolean
  /** Resolves what it was asked for, by the id of a room. */
  readonly asked: Map<string, { resolve(message: DmMessage): void; reject(reason: Error): void }>
  readonly rate: RateLimit
  /** How fast it is asked about people. */
  readonly seekRate: RateLimit
  /** How many messages to it are not on their way yet. */
  unsent: number
  /** What it says is answered in its order. */
  turn: Promise<void>
}

/** Whoever makes a direct room says a handful of things. */
const RATE = { burst: 24, perSecond: 0.5 }
/** Below that: what a device does not listen to is lost, and all else that it is told needs a place too. */
const SEEK_RATE = { burst: 12, perSecond: 0.4 }
/** How much waits for a device that takes nothing: whoever is looked for, and what it has asked. */
const MAX_UNSENT = 512

/** The devices that the channel is open with, and what is known of each while it is. */
export interface DmDevices {
  get(id: string): DmDevice
  forget(id: string, reason: Error): void
  of(person: string): DmDevice[]
  all(): Iterable<DmDevice>
  /** Does not wait: a device that gives no credit keeps nobody else from anything. Whether the message is on its way. */
  send(device: DmDevice, message: DmMessage): boolean
}

export function createDmDevices(channel: Channel<DmMessage>, onerror: (error: unknown) => void): DmDevices {
  const devices = new Map<string, DmDevice>()
  return {
    get(id) {
      const known = devices.get(id)
      if (known !== undefined) return known
      const rates = { rate: createRateLimit(RATE), seekRate: createRateLimit(SEEK_RATE) }
      const device = { id, sought: new Set<string>(), isTold: false, epoch: 0, asked: new Map(), ...rates, unsent: 0, turn: Promise.resolve() }
      devices.set(id, device)
      return device
    },
    forget(id, reason) {
      for (const { reject } of devices.get(id)?.asked.values() ?? []) reject(reason)
      devices.delete(id)
    },
    of: (person) => [...devices.values()].filter((device) => device.person === person),
    all: () => devices.values(),
    send(device, message) {
      if (device.unsent >= MAX_UNSENT) return false
      device.unsent++
      channel
        .send(device.id, message)
        .catch((error: unknown) => {
          // It has gone, and is told when it is met again; or takes no such message.
          if (!isCoveyError(error, 'CHANNEL_CLOSED') && !isCoveyError(error, 'MESSAGE_TOO_LARGE')) onerror(error)
        })
        .finally(() => device.unsent--)
      return true
    }
  }
}
