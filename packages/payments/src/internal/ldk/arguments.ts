import { assertBytes } from '@covey/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'

/** What amounts are counted with in the ledger: 90,000 bitcoins. */
export const MAX_MSAT = BigInt(Number.MAX_SAFE_INTEGER)

/** LDK takes keys as they are, and breaks by those that are no point of the curve. */
export function assertNodeId(value: unknown, field: string): asserts value is Uint8Array {
  assertBytes(value, field, 33)
  if (!secp256k1.utils.isValidPublicKey(value, true)) throw new TypeError(`${field} must be the id of a node`)
}

export function assertAmount(value: unknown, field: string): asserts value is bigint {
  if (typeof value !== 'bigint' || value < 1n || value > MAX_MSAT) throw new TypeError(`${field} must be a bigint from 1 to ${MAX_MSAT}`)
}
