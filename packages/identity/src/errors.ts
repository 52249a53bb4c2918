import { CoveyError } from '@covey/core'

/** What `@covey/identity` can fail with, for reasons other than a wrong argument. */
export type IdentityErrorCode =
  /** The recovery phrase is not 24 English BIP-39 words with a matching checksum. */
  | 'IDENTITY_INVALID_PHRASE'
  /** The phrase, the backup or the certificate belongs to another identity than the one stored. */
  | 'IDENTITY_MISMATCH'
  /** The secrets are sealed, and what would open them was not given. */
  | 'IDENTITY_SEALED'
  /** A passphrase or key provider was given for secrets that are stored unsealed. */
  | 'IDENTITY_NOT_SEALED'
  /** The passphrase, or the key of the key provider, does not open the file. */
  | 'IDENTITY_WRONG_PASSPHRASE'
  /** The file is truncated, altered or of another kind. It was left as it is. */
  | 'IDENTITY_FILE_DAMAGED'
  /** The file was written by a newer version. It was left as it is. */
  | 'IDENTITY_FILE_TOO_NEW'
  /** The secrets could not be read from or written to their store; `cause` says why. */
  | 'IDENTITY_STORE_FAILED'
  /** What was sealed is altered, was sealed under another label, or on another device. */
  | 'IDENTITY_UNSEAL_FAILED'
  /** This device does not hold the recovery phrase. */
  | 'IDENTITY_NO_PHRASE'
  /** This device may not certify others: its own certificate already has two links, or has ended. */
  | 'IDENTITY_CANNOT_CERTIFY'
  /** The storage holds a device that waits for its certificate: open it with `openPendingDevice`. */
  | 'IDENTITY_PENDING'
  /** The storage already holds an identity: open it with `openIdentity`. */
  | 'IDENTITY_EXISTS'
  /** The device request is malformed, or its signature is not the device's. */
  | 'IDENTITY_REQUEST_INVALID'
  /** This very device has been revoked. */
  | 'IDENTITY_DEVICE_REVOKED'
  /** The other side's X25519 key is one that gives away the shared secret. */
  | 'IDENTITY_WEAK_KEY'
  /** The identity was wiped from memory or closed. */
  | 'IDENTITY_WIPED'
  /** The certificate does not follow the format, or has bytes after its end. */
  | 'CERTIFICATE_MALFORMED'
  /** The certificate has a version that this package does not know. */
  | 'CERTIFICATE_TOO_NEW'
  /** The chain has no link, or more than two. */
  | 'CERTIFICATE_CHAIN_LENGTH'
  /** A link was not issued by whom it must be: the identity, then the device of the first link. */
  | 'CERTIFICATE_FOREIGN_ISSUER'
  /** The second link speaks of another identity or epoch, another context, or a longer time. */
  | 'CERTIFICATE_EXCEEDS_ISSUER'
  /** A signature does not match. */
  | 'CERTIFICATE_BAD_SIGNATURE'
  /** The X25519 key is one that gives away shared secrets. */
  | 'CERTIFICATE_WEAK_KEY'
  /** The certificate is another device's. */
  | 'CERTIFICATE_WRONG_DEVICE'
  /** The certificate is another identity's. */
  | 'CERTIFICATE_WRONG_IDENTITY'
  /** The certificate is for another context. */
  | 'CERTIFICATE_WRONG_CONTEXT'
  /** The certificate was not yet valid at the time to judge by. */
  | 'CERTIFICATE_NOT_YET_VALID'
  /** The certificate was no longer valid at the time to judge by. */
  | 'CERTIFICATE_EXPIRED'
  /** The certificate is from before a revocation: its epoch is below the smallest one allowed. */
  | 'CERTIFICATE_OLD_EPOCH'
  /** The revocation does not follow the format. */
  | 'REVOCATION_MALFORMED'
  /** The revocation has a version that this package does not know. */
  | 'REVOCATION_TOO_NEW'
  /** The revocation is another identity's. */
  | 'REVOCATION_WRONG_IDENTITY'
  /** The revocation was not signed by the identity. */
  | 'REVOCATION_BAD_SIGNATURE'

/**
 * The error class of `@covey/identity`. No message, hint or cause contains a secret.
 *
 * @example
 * ```ts
 * import { isCoveyError } from '@covey/core'
 * import { createMemorySecretStore, openIdentity, type IdentityErrorCode } from '@covey/identity'
 *
 * try {
 *   await openIdentity({ storage: createMemorySecretStore(), phrase: 'not a phrase' })
 * } catch (error) {
 *   if (!isCoveyError<IdentityErrorCode>(error, 'IDENTITY_INVALID_PHRASE')) throw error
 *   console.log(error.hint)
 * }
 * ```
 */
export class IdentityError extends CoveyError<IdentityErrorCode> {
  override readonly name = 'IdentityError'
}
