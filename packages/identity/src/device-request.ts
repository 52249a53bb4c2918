import { assertBytes, concatBytes, readBytes, writeBytes, type ByteReader, type Result } from '@covey/core'
import { MAX_NAME_BYTES } from './constants.js'
import type { IdentityError } from './errors.js'
import { refuse } from './internal/certificate-format.js'
import { domain, isSignedBy, isWeakBoxKey, sign, SIGNATURE_BYTES } from './internal/crypto.js'

const VERSION = 1
const REQUEST = domain('device-request/1')
const MAX_BYTES = 1 + 32 + 32 + 3 + MAX_NAME_BYTES + SIGNATURE_BYTES

/** A device's request to be certified. Keys are 32 bytes. */
export interface DeviceRequest {
  /** The signing key of the device. That it holds the key is proven. */
  readonly device: Uint8Array
  /** The X25519 public key of the device. */
  readonly boxPublicKey: Uint8Array
  /** What the device calls itself: the other side's words, to be shown as such. */
  readonly name: string
}

/**
 * Reads a device request, so that the person can be asked before `certifyDevice`. Proven is that the
 * sender holds the device key; not who the sender is: compare the device key on both screens, or
 * carry the request from screen to camera.
 *
 * @throws {TypeError} when `bytes` is not a `Uint8Array`.
 * @example
 * ```ts
 * import { createMemorySecretStore, decodeDeviceRequest, openPendingDevice } from '@covey/identity'
 *
 * const phone = await openPendingDevice({ storage: createMemorySecretStore(), deviceName: 'Phone' })
 * const request = decodeDeviceRequest(phone.createDeviceRequest())
 * console.log(request.ok ? request.value.name : request.error.code)
 * ```
 */
export function decodeDeviceRequest(bytes: Uint8Array): Result<DeviceRequest, IdentityError> {
  assertBytes(bytes, 'bytes')
  const decoded = readBytes(bytes, decode, { maxBytes: MAX_BYTES })
  if (!decoded.ok) return refuse('IDENTITY_REQUEST_INVALID', decoded.error.message)
  const { signature, ...request } = decoded.value
  if (!isSignedBy(request.device, REQUEST, encodeBody(request), signature)) {
    return refuse('IDENTITY_REQUEST_INVALID', 'The signature of the device request does not match.')
  }
  if (isWeakBoxKey(request.boxPublicKey)) {
    return refuse('IDENTITY_REQUEST_INVALID', 'The X25519 key in the device request is of low order.')
  }
  return { ok: true, value: request }
}

export function makeDeviceRequest(request: DeviceRequest, deviceSecretKey: Uint8Array): Uint8Array {
  const body = encodeBody(request)
  return concatBytes(Uint8Array.of(VERSION), body, sign(REQUEST, body, deviceSecretKey))
}

function decode(reader: ByteReader): DeviceRequest & { signature: Uint8Array } {
  if (reader.uint8() !== VERSION) reader.fail('The device request has a version that is not known here.')
  return {
    device: reader.bytes(32),
    boxPublicKey: reader.bytes(32),
    name: reader.text(MAX_NAME_BYTES),
    signature: reader.bytes(SIGNATURE_BYTES)
  }
}

function encodeBody(request: DeviceRequest): Uint8Array {
  return writeBytes((writer) =>
    writer.bytes(request.device).bytes(request.boxPublicKey).text(request.name, MAX_NAME_BYTES)
  )
}
