import { assertBytes, assertOptions, concatBytes, equalBytes, readBytes, writeBytes, type ByteReader, type Result } from '@covey/core'
import { MAX_EPOCH } from './constants.js'
import type { IdentityError } from './errors.js'
import { refuse } from './internal/certificate-format.js'
import { domain, isSignedBy, sign, SIGNATURE_BYTES } from './internal/crypto.js'

const VERSION = 1
const REVOCATION = domain('device-revocation/1')
/** Version, two keys, the longest numbers, signature. */
const MAX_BYTES = 1 + 32 + 32 + 5 + 9 + SIGNATURE_BYTES

/** What a revocation says: the device is no longer the identity's. Keys are 32 bytes. */
export interface Revocation {
  /** The person who revokes. */
  readonly identity: Uint8Array
  /** The signing key of the device that is revoked. */
  readonly device: Uint8Array
  /** The new epoch of the identity. Certificates of an older one need to be renewed. */
  readonly epoch: number
  /** When, in milliseconds since 1970, as the person's clock had it: advice, not proof. */
  readonly atMs: number
}

/** What a revocation is held against by {@link verifyRevocation}. */
export interface ExpectedRevocation {
  /** The person whose revocation it must be: 32 bytes. */
  identity: Uint8Array
}

/**
 * Verifies that `bytes`, which may come from anyone, are a revocation that the expected identity has
 * signed. Pure: no clock is read.
 *
 * From then on hold certificates against `minEpoch: revocation.epoch`, and refuse those whose
 * `device` or `issuer` is the revoked device.
 *
 * The error's `code` is one of the `REVOCATION_…` codes of {@link IdentityErrorCode}.
 *
 * @throws {TypeError} when an argument of the caller has the wrong type or length.
 * @example
 * ```ts
 * import { createMemorySecretStore, openIdentity, verifyRevocation } from '@covey/identity'
 *
 * const alice = await openIdentity({ storage: createMemorySecretStore() })
 * const lostDevice = new Uint8Array(32).fill(7)
 * const bytes = await alice.revokeDevice(lostDevice)
 * const result = verifyRevocation(bytes, { identity: alice.identity.publicKey })
 * console.log(result.ok ? result.value.epoch : result.error.code)
 * ```
 */
export function verifyRevocation(
  bytes: Uint8Array,
  expected: ExpectedRevocation
): Result<Revocation, IdentityError> {
  assertBytes(bytes, 'bytes')
  assertOptions(expected, 'expected', ['identity'])
  assertBytes(expected.identity, 'expected.identity', 32)
  const decoded = readBytes(bytes, decode, { maxBytes: MAX_BYTES })
  if (!decoded.ok) return refuse('REVOCATION_MALFORMED', decoded.error.message)
  if (decoded.value === null) return refuse('REVOCATION_TOO_NEW', 'The revocation is of a newer version.')
  const { signature, ...revocation } = decoded.value
  if (!equalBytes(revocation.identity, expected.identity)) {
    return refuse('REVOCATION_WRONG_IDENTITY', 'The revocation is of another identity.')
  }
  if (!isSignedBy(revocation.identity, REVOCATION, encodeBody(revocation), signature)) {
    return refuse('REVOCATION_BAD_SIGNATURE', 'The signature of the revocation does not match.')
  }
  return { ok: true, value: revocation }
}

export function makeRevocation(revocation: Revocation, identitySecretKey: Uint8Array): Uint8Array {
  const body = encodeBody(revocation)
  return concatBytes(Uint8Array.of(VERSION), body, sign(REVOCATION, body, identitySecretKey))
}

function decode(reader: ByteReader): (Revocation & { signature: Uint8Array }) | null {
  const version = reader.uint8()
  if (version === 0) reader.fail('There is no version 0.')
  if (version > VERSION) {
    reader.rest()
    return null
  }
  return {
    identity: reader.bytes(32),
    device: reader.bytes(32),
    epoch: reader.varint(MAX_EPOCH),
    atMs: reader.varint(),
    signature: reader.bytes(SIGNATURE_BYTES)
  }
}

function encodeBody(revocation: Revocation): Uint8Array {
  return writeBytes((writer) =>
    writer.bytes(revocation.identity).bytes(revocation.device).varint(revocation.epoch).varint(revocation.atMs)
  )
}
