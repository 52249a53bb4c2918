/**
 * For the other packages of Covey, not for apps: the secrets of a device.
 *
 * @packageDocumentation
 */
import { assertBytes } from '@covey/core'
import { IdentityError } from './errors.js'
import { agree } from './internal/crypto.js'
import { findDeviceKeys } from './internal/device-secrets.js'
import type { LocalIdentity } from './local-identity.js'

/** The secrets of a device, in the shapes that the transport and the rooms need. */
export interface DeviceSecrets {
  /** Ed25519: 32 bytes and, as HyperDHT wants it, 64. Zeroed when the identity is wiped: do not copy. */
  readonly keyPair: { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array }
  /**
   * The X25519 shared secret (32 bytes) with another public key. Hash it before use as a key.
   *
   * @throws {IdentityError} IDENTITY_WEAK_KEY for a key of low order, IDENTITY_WIPED
   */
  agree(theirPublicKey: Uint8Array): Uint8Array
}

/**
 * The secrets of the device of an open identity. Not for apps.
 *
 * @throws {IdentityError} IDENTITY_WIPED
 * @throws {TypeError} when `local` was not made by `openIdentity` of this copy of the package.
 * @example
 * ```ts
 * import { createMemorySecretStore, openIdentity } from '@covey/identity'
 * import { deviceSecrets } from '@covey/identity/internal'
 *
 * const alice = await openIdentity({ storage: createMemorySecretStore() })
 * console.log(deviceSecrets(alice).keyPair.secretKey.length)
 * ```
 */
export function deviceSecrets(local: LocalIdentity): DeviceSecrets {
  return {
    keyPair: findDeviceKeys(local).signing,
    agree(theirPublicKey) {
      assertBytes(theirPublicKey, 'theirPublicKey', 32)
      const shared = agree(findDeviceKeys(local).box.secretKey, theirPublicKey)
      if (shared !== undefined) return shared
      throw new IdentityError('IDENTITY_WEAK_KEY', 'The X25519 key is of low order, so that anyone would know the secret.')
    }
  }
}
