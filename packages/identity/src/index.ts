/**
 * Who a person is, and which machines speak for them: recovery phrase, identity, devices and their
 * certificates, statements, revocation, and secrets at rest.
 *
 * @example
 * ```ts
 * import { createMemorySecretStore, openIdentity, verifyCertificate } from '@covey/identity'
 *
 * const alice = await openIdentity({ storage: createMemorySecretStore(), name: 'Alice' })
 * const result = verifyCertificate(alice.device.certificate, {
 *   device: alice.device.publicKey,
 *   context: new Uint8Array(32),
 *   atMs: Date.now()
 * })
 * console.log(result.ok)
 * await alice.close()
 * ```
 *
 * @packageDocumentation
 */
export { decodeCertificate, verifyCertificate, type Certificate, type ExpectedCertificate } from './certificate.js'
export {
  CERTIFICATE_BACKDATE_MS,
  DEFAULT_CERTIFICATE_VALIDITY_MS,
  MAX_CONTEXT_BYTES,
  MAX_EPOCH,
  MAX_LABEL_LENGTH,
  MAX_NAME_BYTES,
  MAX_STATEMENT_BYTES
} from './constants.js'
export { decodeDeviceRequest, type DeviceRequest } from './device-request.js'
export { IdentityError, type IdentityErrorCode } from './errors.js'
export type { BackupOptions, CertifyDeviceOptions, Device, Identity, LocalIdentity } from './local-identity.js'
export { openIdentity, type OpenIdentityInit } from './open-identity.js'
export {
  openPendingDevice,
  type AcceptCertificateOptions,
  type OpenPendingDeviceInit,
  type PendingDevice
} from './pending-device.js'
export { generatePhrase, isPhrase } from './phrase.js'
export type { KeyProvider, PassphraseStrength, ProtectionOptions } from './protection.js'
export { verifyRevocation, type ExpectedRevocation, type Revocation } from './revocation.js'
export { createFileSecretStore, createMemorySecretStore, type SecretStore } from './secret-store.js'
export { verifyStatement, type ExpectedStatement, type StatementBody } from './statement.js'
