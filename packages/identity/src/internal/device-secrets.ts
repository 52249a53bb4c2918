import type { LocalIdentity } from '../local-identity.js'
import type { DeviceKeys } from './secrets.js'

const keysOf = new WeakMap<LocalIdentity, () => DeviceKeys>()

/** `keys` throws once the identity is wiped. */
export function registerDeviceKeys(local: LocalIdentity, keys: () => DeviceKeys): void {
  keysOf.set(local, keys)
}

export function findDeviceKeys(local: LocalIdentity): DeviceKeys {
  const keys = keysOf.get(local)
  if (keys === undefined) throw new TypeError('local must be an identity that openIdentity has opened')
  return keys()
}
