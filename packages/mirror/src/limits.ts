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
  assertOptions(limits, field, LIMIT_NAMES)
  const chosen = { ...DEFAULT_LIMITS, ...limits }
  for (const name of LIMIT_NAMES) assertInteger(chosen[name], `${field}.${name}`, { min: 1 })
  return chosen
}
