import { assertInteger, assertOptions } from '@covey/core'

/** What a relay gives, to all and to each. */
export interface RelayLimits {
  /** Devices at a time, those that have not proven their key included. Default 4,096. */
  readonly maxClients: number
  /** Circuits at a time: pairs of devices that talk. Default 8,192. */
  readonly maxCircuits: number
  /** Of them, those of one device. Default 64. */
  readonly maxClientCircuits: number
  /** Bytes that are forwarded in a second, in all. Default 128 MiB. */
  readonly maxBytesPerSecond: number
  /** Of them, those from and to one device. Default 16 MiB. */
  readonly maxClientBytesPerSecond: number
  /** Bytes that wait for devices that are slow to take them, in all. Default 512 MiB. */
  readonly maxBufferedBytes: number
}

const MIB = 1024 * 1024

/** What a small server does in its sleep. */
const DEFAULT_LIMITS: RelayLimits = {
  maxClients: 4_096,
  maxCircuits: 8_192,
  maxClientCircuits: 64,
  maxBytesPerSecond: 128 * MIB,
  maxClientBytesPerSecond: 16 * MIB,
  maxBufferedBytes: 512 * MIB
}

export const LIMIT_NAMES = Object.keys(DEFAULT_LIMITS) as (keyof RelayLimits)[]

/** @throws {TypeError} that names the field. */
export function relayLimits(limits: Partial<RelayLimits>, field: string): RelayLimits {
  return chooseLimits(limits, field, DEFAULT_LIMITS, LIMIT_NAMES)
}

function chooseLimits<Limits extends object>(
  limits: Partial<Limits>,
  field: string,
  defaults: Limits,
  names: readonly (keyof Limits & string)[]
): Limits {
  assertOptions(limits as Limits, field, names)
  const chosen = { ...defaults, ...limits } as Limits
  for (const name of names) assertInteger(chosen[name], `${field}.${name}`, { min: 1 })
  return chosen
}

/** What a mirror holds, for all and for each device that asks. */
export interface MirrorLimits {
  /** Bytes of the blocks that are held, in all, and 512 for each block. Default 64 GiB. What nobody wanted for the longest time gives way. */
  readonly maxBytes: number
  /** Of them, those of one device: the first that asked for a core and had the room. Default 1 GiB. */
  readonly maxClientBytes: number
  /** Cores that are held, in all: each writer of a room has one, and each room a few. Default 262,144. */
  readonly maxCores: number
  /** Of them, those of one device, and how many it asks for in one connection. Default 4,096. */
  readonly maxClientCores: number
  /**
   * Bytes that stay free on its disk, for the database and for others: while there are fewer, it fetches nothing. Default
   * 256 MiB.
   */
  readonly minFreeBytes: number
}

const DEFAULT_MIRROR_LIMITS: MirrorLimits = {
  maxBytes: 65_536 * MIB,
  maxClientBytes: 1_024 * MIB,
  maxCores: 262_144,
  maxClientCores: 4_096,
  minFreeBytes: 256 * MIB
}

export const MIRROR_LIMIT_NAMES = Object.keys(DEFAULT_MIRROR_LIMITS) as (keyof MirrorLimits)[]

/** @throws {TypeError} that names the field. */
export function mirrorLimits(limits: Partial<MirrorLimits>, field: string): MirrorLimits {
  return chooseLimits(limits, field, DEFAULT_MIRROR_LIMITS, MIRROR_LIMIT_NAMES)
}
