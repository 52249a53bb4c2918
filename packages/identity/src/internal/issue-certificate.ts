import { assertBytes, assertInteger, assertOptions, equalBytes } from '@covey/core'
import { decodeCertificate, verifyCertificate, type Certificate } from '../certificate.js'
import { CERTIFICATE_BACKDATE_MS, DEFAULT_CERTIFICATE_VALIDITY_MS } from '../constants.js'
import { IdentityError } from '../errors.js'
import type { CertifyDeviceOptions } from '../local-identity.js'
import { extendChain, refuse, type LinkBody } from './certificate-format.js'
import type { KeyPair } from './crypto.js'
import type { DeviceKeys } from './secrets.js'

/** The device to certify. */
export interface Subject {
  device: Uint8Array
  boxPublicKey: Uint8Array
}

export function subjectOf({ signing, box }: DeviceKeys): Subject {
  return { device: signing.publicKey, boxPublicKey: box.publicKey }
}

/** A certificate of one link, by the identity. */
export function issueAsIdentity(
  identity: KeyPair,
  epoch: number,
  { device, boxPublicKey }: Subject,
  options: CertifyDeviceOptions = {}
): Uint8Array {
  const { context, notBeforeMs, expiresMs } = readOptions(options)
  const now = Date.now()
  return sign(null, identity.secretKey, {
    identity: identity.publicKey,
    issuer: identity.publicKey,
    device,
    boxPublicKey,
    context,
    notBeforeMs: notBeforeMs ?? Math.max(0, now - CERTIFICATE_BACKDATE_MS),
    expiresMs: expiresMs ?? now + DEFAULT_CERTIFICATE_VALIDITY_MS,
    epoch
  })
}

/** A second link after the one of `parent`, by the device that it certifies. */
export function issueAsDevice(
  parent: Uint8Array,
  issuer: KeyPair,
  { device, boxPublicKey }: Subject,
  options: CertifyDeviceOptions = {}
): Uint8Array {
  const { context, notBeforeMs, expiresMs } = readOptions(options)
  const now = Date.now()
  const own = decodeCertificate(parent)
  if (!own.ok || own.value.links !== 1) throw cannotCertify('It was itself certified by a device.')
  const { identity, epoch } = own.value
  return sign(parent, issuer.secretKey, {
    identity,
    issuer: issuer.publicKey,
    device,
    boxPublicKey,
    context,
    notBeforeMs: notBeforeMs ?? Math.max(own.value.notBeforeMs, now - CERTIFICATE_BACKDATE_MS),
    expiresMs: expiresMs ?? Math.min(own.value.expiresMs, now + DEFAULT_CERTIFICATE_VALIDITY_MS),
    epoch
  })
}

/**
 * Holds a certificate against the device that is to use it: it must be valid now, in all rooms, and
 * for the keys that the device has.
 *
 * @throws {IdentityError} CERTIFICATE_…
 */
export function acceptOwnCertificate(
  bytes: Uint8Array,
  keys: DeviceKeys,
  expected: { identity?: Uint8Array | undefined; minEpoch: number }
): Certificate {
  const result = verifyCertificate(bytes, {
    ...expected,
    device: keys.signing.publicKey,
    // Refused below unless it is for all rooms, and so for this one, which does not exist.
    context: new Uint8Array(32),
    atMs: Date.now()
  })
  if (!result.ok) throw result.error
  if (result.value.context !== null) throw refuse('CERTIFICATE_WRONG_CONTEXT', 'The certificate is for one room.').error
  if (!equalBytes(result.value.boxPublicKey, keys.box.publicKey)) {
    throw refuse('CERTIFICATE_WRONG_DEVICE', 'The certificate has another X25519 key than the device.').error
  }
  return result.value
}

/** Whether the certificate is one for these keys by this person. Time and epoch may have passed it by. */
export function isOwnCertificate(certificate: Uint8Array, keys: DeviceKeys, identity: Uint8Array): boolean {
  const own = decodeCertificate(certificate)
  return (
    own.ok &&
    equalBytes(own.value.identity, identity) &&
    equalBytes(own.value.device, keys.signing.publicKey) &&
    equalBytes(own.value.boxPublicKey, keys.box.publicKey)
  )
}

/** Whether the device had better get a new certificate: another epoch, or half of its time is over. */
export function needsRenewal(certificate: Uint8Array, epoch: number): boolean {
  const own = decodeCertificate(certificate)
  const isOld = own.ok && own.value.expiresMs - Date.now() < DEFAULT_CERTIFICATE_VALIDITY_MS / 2
  return !own.ok || own.value.epoch !== epoch || isOld
}

function readOptions(options: CertifyDeviceOptions) {
  assertOptions(options, 'options', ['context', 'notBeforeMs', 'expiresMs'])
  const { context = null, notBeforeMs, expiresMs } = options
  if (context !== null) assertBytes(context, 'context', 32)
  if (notBeforeMs !== undefined) assertInteger(notBeforeMs, 'notBeforeMs', { min: 0 })
  if (expiresMs !== undefined) assertInteger(expiresMs, 'expiresMs', { min: 1 })
  return { context, notBeforeMs, expiresMs }
}

/** What is signed is read back, so that nothing leaves that others would refuse. */
function sign(parent: Uint8Array | null, secretKey: Uint8Array, body: LinkBody): Uint8Array {
  const certificate = extendChain(parent, body, secretKey)
  const result = decodeCertificate(certificate)
  if (!result.ok) throw cannotCertify(result.error.message)
  return certificate
}

function cannotCertify(detail: string): IdentityError {
  return new IdentityError('IDENTITY_CANNOT_CERTIFY', `The device cannot be certified by this one. ${detail}`)
}
