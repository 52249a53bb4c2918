import { assertBytes, assertInteger, assertOptions, equalBytes, type Result } from '@covey/core'
import type { IdentityError } from './errors.js'
import { readChain, refuse } from './internal/certificate-format.js'

/**
 * What a device certificate says: an identity vouches for a device, either itself or through another
 * certified device of the same person. Keys are 32 bytes, times are milliseconds since 1970.
 */
export interface Certificate {
  /** The person: an Ed25519 public key. */
  readonly identity: Uint8Array
  /** Who signed the last link: the identity, or the device that the first link certifies. */
  readonly issuer: Uint8Array
  /** The certified device: an Ed25519 public key. */
  readonly device: Uint8Array
  /** The X25519 public key to seal things to the device with. */
  readonly boxPublicKey: Uint8Array
  /** The one room that the certificate is for, or `null` for all of them. */
  readonly context: Uint8Array | null
  /** The first moment of validity. */
  readonly notBeforeMs: number
  /** The first moment after validity. */
  readonly expiresMs: number
  /** How many revocations the identity had made. */
  readonly epoch: number
  /** 1, or 2 when another device certified this one. */
  readonly links: number
}

/** What a certificate is held against by {@link verifyCertificate}. */
export interface ExpectedCertificate {
  /** The key that the other side has proven to hold, for instance by its connection or its signature. */
  device: Uint8Array
  /** The room where it is used: a 32-byte key. A certificate for all rooms fits too. */
  context: Uint8Array
  /** The time to judge by, in milliseconds since 1970. Nothing here reads a clock. */
  atMs: number
  /** The smallest epoch to accept: that of the newest known revocation. Default 0. */
  minEpoch?: number | undefined
  /** The person, where already known. Default: whoever the certificate names. */
  identity?: Uint8Array | undefined
}

/**
 * Verifies a device certificate: a chain of exactly one or two signed links from an identity to the
 * expected device, for the expected room, at the given time. The answer depends on the arguments
 * alone, so that all who judge the same bytes by the same time agree.
 *
 * `bytes` may come from anyone: whatever they hold, the result says so and nothing is thrown. A good
 * result proves that the identity vouched for the device, not that the sender holds the device's
 * key, and not that the device has not been revoked since: check `minEpoch`, and the revocations
 * that name its device or its issuer.
 *
 * The error's `code` is one of the `CERTIFICATE_…` codes of {@link IdentityErrorCode}.
 *
 * @throws {TypeError} when an argument of the caller has the wrong type or length.
 * @example
 * ```ts
 * import { createMemorySecretStore, openIdentity, verifyCertificate } from '@covey/identity'
 *
 * const alice = await openIdentity({ storage: createMemorySecretStore() })
 * const result = verifyCertificate(alice.device.certificate, {
 *   device: alice.device.publicKey,
 *   context: new Uint8Array(32),
 *   atMs: Date.now()
 * })
 * console.log(result.ok ? result.value.links : result.error.code)
 * ```
 */
export function verifyCertificate(
  bytes: Uint8Array,
  expected: ExpectedCertificate
): Result<Certificate, IdentityError> {
  assertExpected(expected)
  const read = decodeCertificate(bytes)
  if (!read.ok) return read
  const certificate = read.value
  if (expected.identity !== undefined && !equalBytes(certificate.identity, expected.identity)) {
    return refuse('CERTIFICATE_WRONG_IDENTITY', 'The certificate is of another identity.')
  }
  if (!equalBytes(certificate.device, expected.device)) {
    return refuse('CERTIFICATE_WRONG_DEVICE', 'The certificate is for another device.')
  }
  if (certificate.context !== null && !equalBytes(certificate.context, expected.context)) {
    return refuse('CERTIFICATE_WRONG_CONTEXT', 'The certificate is for another context.')
  }
  if (certificate.epoch < (expected.minEpoch ?? 0)) {
    return refuse('CERTIFICATE_OLD_EPOCH', 'The certificate is from before a revocation.')
  }
  if (expected.atMs < certificate.notBeforeMs) {
    return refuse('CERTIFICATE_NOT_YET_VALID', 'The certificate is not valid yet.')
  }
  if (expected.atMs >= certificate.expiresMs) {
    return refuse('CERTIFICATE_EXPIRED', 'The certificate is no longer valid.')
  }
  return read
}

/**
 * Reads a certificate whose device is yet to be learnt. **This is not verification**: form and
 * signatures are sound, but for whom, for which room and for what time is not judged. Anyone can
 * make such a certificate for themselves. Take the device key from it, have the other side prove
 * that key, then call {@link verifyCertificate}.
 *
 * @throws {TypeError} when `bytes` is not a `Uint8Array`.
 * @example
 * ```ts
 * import { createMemorySecretStore, decodeCertificate, openIdentity } from '@covey/identity'
 *
 * const alice = await openIdentity({ storage: createMemorySecretStore() })
 * const claim = decodeCertificate(alice.device.certificate)
 * if (claim.ok) console.log(claim.value.device.length)
 * ```
 */
export function decodeCertificate(bytes: Uint8Array): Result<Certificate, IdentityError> {
  assertBytes(bytes, 'bytes')
  return readChain(bytes)
}

function assertExpected(expected: ExpectedCertificate): void {
  assertOptions(expected, 'expected', ['device', 'context', 'atMs', 'minEpoch', 'identity'])
  assertBytes(expected.device, 'expected.device', 32)
  assertBytes(expected.context, 'expected.context', 32)
  assertInteger(expected.atMs, 'expected.atMs', { min: 0 })
  if (expected.minEpoch !== undefined) assertInteger(expected.minEpoch, 'expected.minEpoch', { min: 0 })
  if (expected.identity !== undefined) assertBytes(expected.identity, 'expected.identity', 32)
}
