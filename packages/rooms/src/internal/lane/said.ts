import { concatBytes } from '@covey/core'
import { hash, KEY_BYTES, sign, verifySignature } from '../crypto.js'

/** What a device says on the fast lane: an op that will be in its core, and that it says so. */
export interface Said {
  readonly writer: Uint8Array
  readonly signature: Uint8Array
  readonly op: Uint8Array
}

const DOMAIN = 'covey/lane/1'
const VERSION = 1
const SIGNATURE_BYTES = 64

/** The largest op that goes ahead of the log: a long text. Files and floods take the log alone. */
export const MAX_SAID_OP_BYTES = 8_192

/** What is heard of one peer: a burst of talk, and then what a quota lets the log have for good. */
export const HEARD_RATE = { burst: 128, perSecond: 64 }

export const MAX_SAID_BYTES = 1 + SIGNATURE_BYTES + KEY_BYTES + MAX_SAID_OP_BYTES

/**
 * Signs an op for the fast lane, which no block does yet.
 *
 * @param id of the op: a hash over the room, the writer and all of its bytes.
 * @param secretKey of the device.
 */
export function sayOp({ id, writer, op }: { id: Uint8Array; writer: Uint8Array; op: Uint8Array }, secretKey: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(VERSION), sign(hash(DOMAIN, id), secretKey), writer, op)
}

/** `version | signature | writer | op`, or `undefined` for anything else. */
export function readSaid(bytes: Uint8Array): Said | undefined {
  const start = 1 + SIGNATURE_BYTES + KEY_BYTES
  if (bytes[0] !== VERSION || bytes.length <= start || bytes.length > MAX_SAID_BYTES) return undefined
  return {
    signature: bytes.slice(1, 1 + SIGNATURE_BYTES),
    writer: bytes.slice(1 + SIGNATURE_BYTES, start),
    op: bytes.slice(start)
  }
}

export function isSaidBy({ signature }: Said, id: Uint8Array, device: Uint8Array): boolean {
  return verifySignature(hash(DOMAIN, id), signature, device)
}
