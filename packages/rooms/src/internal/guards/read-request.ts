import { readBytes } from '@covey/core'

/** A join request of ours takes less than 2 KiB, and what goes by the DHT less than 1 KiB. */
const MAX_REQUEST_BYTES = 4_096

/** A response seals two keys, and what the inviter signed. */
const MAX_RESPONSE_BYTES = 4_096

const KEY_BYTES = 32
const SIGNATURE_BYTES = 64
/** crypto_aead_xchacha20poly1305_ietf_ABYTES */
const TAG_BYTES = 16

/**
 * Whether bytes have the shape of a pairing request, `invite id | session | sealed`, with nothing
 * after it (blind-pairing-core, lib/messages.js:146). It says nothing about who made it.
 */
export function isRequest(bytes: Uint8Array): boolean {
  const parts = readBytes(
    bytes,
    (reader) => ({
      invite: reader.bytes(KEY_BYTES),
      session: reader.prefixedBytes(KEY_BYTES),
      sealed: reader.prefixedBytes(MAX_REQUEST_BYTES)
    }),
    { maxBytes: MAX_REQUEST_BYTES }
  )
  if (!parts.ok) return false
  const { session, sealed } = parts.value
  return session.length === KEY_BYTES && sealed.length > SIGNATURE_BYTES + TAG_BYTES
}

/** The sealed part of a pairing response, `id | sealed`, or `undefined` for anything else. */
export function readResponse(bytes: Uint8Array): Uint8Array | undefined {
  const parts = readBytes(
    bytes,
    (reader) => ({ id: reader.bytes(KEY_BYTES), sealed: reader.prefixedBytes(MAX_RESPONSE_BYTES) }),
    { maxBytes: MAX_RESPONSE_BYTES }
  )
  return parts.ok && parts.value.sealed.length > TAG_BYTES ? parts.value.sealed : undefined
}
