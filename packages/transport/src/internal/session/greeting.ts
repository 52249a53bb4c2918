import sodium from 'sodium-universal'
import { concatBytes, encodeUtf8, readBytes, writeBytes, type Result } from '@covey/core'

export const NONCE_BYTES = 32
/** In the place of a nonce: there is no session. */
export const NO_NONCE = new Uint8Array(NONCE_BYTES)

/** What each side says first on a connection: which session it holds, and how much of it has arrived. */
export interface Greeting {
  /** Chosen by the side with the lower key, anew for each session. The other says {@link NO_NONCE} when it holds none. */
  readonly follower: Uint8Array
  /** Chosen by the side with the higher key, in the same way. */
  readonly leader: Uint8Array
  /** How many frames of the session have arrived. */
  readonly received: number
}

export function encodeGreeting({ follower, leader, received }: Greeting): Uint8Array {
  return writeBytes((writer) => writer.bytes(follower).bytes(leader).varint(received))
}

export function decodeGreeting(bytes: Uint8Array): Result<Greeting> {
  return readBytes(bytes, (reader) => {
    const greeting = { follower: reader.bytes(NONCE_BYTES), leader: reader.bytes(NONCE_BYTES), received: reader.varint() }
    // Fields of a later version.
    reader.rest()
    return greeting
  }, { maxBytes: 256 })
}

export function randomNonce(): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES)
  sodium.randombytes_buf(nonce)
  return nonce
}

/**
 * What stands for the session where a proof must not be good for another one. Both keys are in it, so
 * that who is one side of two sessions cannot carry a proof from one to the other, and a nonce of each
 * side, so that neither can make a session that has been before.
 */
export function sessionHash(keys: { follower: Uint8Array; leader: Uint8Array }, nonces: Omit<Greeting, 'received'>): Uint8Array {
  const hash = new Uint8Array(32)
  const parts = [keys.follower, keys.leader, nonces.follower, nonces.leader]
  sodium.crypto_generichash(hash, concatBytes(encodeUtf8('covey/session/1'), ...parts))
  return hash
}
