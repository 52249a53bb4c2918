import type { Channel } from '@covey/transport'
import { isCoveyError } from '@covey/core'
import { createRateLimit, type RateLimit } from '../guards/rate-limit.js'
import type { DmMessage } from './dm-message.js'

/** A device that the channel is open with. */
export interface DmDevice {
  readonly id: string
  /** The id of its identity, when that has been proven. */
  person?: string
  /** That it wants a direct room, and which it says there is. */
  wish?: { readonly room: Uint8Array | null | undefined }
  /** Of whom it has been asked whether it is theirs. */
  readonly sought: Set<string>
  /** Whether it has been told that this device's person wants one. */
  isTold: boolean
  /** Resolves what it was asked for, by the id of a room. */
  readonly asked: Map<string, { resolve(message: DmMessage): void; reject(reason: Error): void }>
  readonly rate: RateLimit
  /** What it says is answered in its order. */
  turn: Promise<void>
}

/** Whoever makes a direct room says a handful of things. */
const RATE = { burst: 24, perSecond: 0.5 }

/** The devices that the channel is open with, and what is known of each while it is. */
export interface DmDevices {
  get(id: string): DmDevice
  forget(id: string, reason: Error): void
  of(person: string): DmDevice[]
  all(): Iterable<DmDevice>
  send(device: DmDevice, message: DmMessage): Promise<void>
}

export function createDmDevices(channel: Channel<DmMessage>): DmDevices {
  const devices = new Map<string, DmDevice>()
  return {
    get(id) {
      const known = devices.get(id)
      if (known !== undefined) return known
      const device = { id, sought: new Set<string>(), isTold: false, asked: new Map(), rate: createRateLimit(RATE), turn: Promise.resolve() }
      devices.set(id, device)
      return device
    },
    forget(id, reason) {
      for (const { reject } of devices.get(id)?.asked.values() ?? []) reject(reason)
      devices.delete(id)
    },
    of: (person) => [...devices.values()].filter((device) => device.person === person),
    all: () => devices.values(),
    async send({ id }, message) {
      try {
        await channel.send(id, message)
      } catch (error) {
        // It has gone: what it is to know, it is told when it is met again.
        if (!isCoveyError(error, 'CHANNEL_CLOSED')) throw error
      }
    }
  }
}
