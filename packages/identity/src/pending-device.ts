import { assertBytes, assertOptions, assertSignal, encodeZ32, raceSignal, throwIfAborted } from '@covey/core'
import { IdentityError } from './errors.js'
import { wipeBytes } from './internal/crypto.js'
import { acceptOwnCertificate } from './internal/issue-certificate.js'
import { OpenedIdentity, requestOf, wiped } from './internal/opened-identity.js'
import { createLock, damaged, type Lock } from './internal/sealed-file.js'
import { createSecrets, deviceKeys, newDeviceSecrets, readSecrets, writeSecrets, type DeviceKeys, type Secrets } from './internal/secrets.js'
import type { LocalIdentity } from './local-identity.js'
import { chooseNames, chooseStore, type OpenIdentityInit } from './open-identity.js'
import { chooseProtection } from './protection.js'
import type { SecretStore } from './secret-store.js'

/** As for `openIdentity`, without a phrase: the person is whoever certifies the device. */
export type OpenPendingDeviceInit = Omit<OpenIdentityInit, 'phrase' | 'backup'>

/** What the device is to check of a certificate besides that it is its own. */
export interface AcceptCertificateOptions {
  /** The person that the device is to belong to, where already known: 32 bytes. */
  identity?: Uint8Array | undefined
}

/** A new device that waits to be certified by another one of the person. It survives a restart. */
export interface PendingDevice extends AsyncDisposable {
  /** The signing key as z-base-32, for the person to compare on both screens. */
  readonly id: string
  /** The signing key: Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array

  /**
   * The request for `certifyDevice` of the other device. It is not secret, but must reach that device
   * unchanged: whose request is certified becomes a device of the person.
   *
   * @throws {IdentityError} IDENTITY_WIPED
   */
  createDeviceRequest(): Uint8Array

  /**
   * Makes this the device of the person who certified it, and resolves to the open identity once that
   * is durable. Anyone can make such a certificate: give the expected `identity`, or show the
   * identity to the person before going on.
   *
   * @throws {IdentityError} CERTIFICATE_… when it is refused, IDENTITY_STORE_FAILED, IDENTITY_WIPED
   */
  acceptCertificate(certificate: Uint8Array, options?: AcceptCertificateOptions): Promise<LocalIdentity>

  /** Overwrites the secrets in memory. The stored device goes on waiting. May be called twice. */
  close(): Promise<void>
}

/**
 * Opens a storage as a device without the recovery phrase, and makes the device on the first run. It
 * waits for its certificate; from then on `openIdentity` opens the storage.
 *
 * @throws {IdentityError} IDENTITY_EXISTS when the storage already holds an identity, IDENTITY_SEALED,
 * IDENTITY_NOT_SEALED, IDENTITY_WRONG_PASSPHRASE, IDENTITY_FILE_DAMAGED, IDENTITY_FILE_TOO_NEW,
 * IDENTITY_STORE_FAILED
 * @throws {TypeError} when an option is wrong.
 * @throws the signal's `reason` when it is aborted.
 * @example
 * ```ts
 * import { createMemorySecretStore, openIdentity, openPendingDevice } from '@covey/identity'
 *
 * const laptop = await openIdentity({ storage: createMemorySecretStore(), name: 'Alice' })
 * const phone = await openPendingDevice({ storage: createMemorySecretStore(), deviceName: 'Phone' })
 *
 * const certificate = laptop.certifyDevice(phone.createDeviceRequest())
 * const linked = await phone.acceptCertificate(certificate, { identity: laptop.identity.publicKey })
 * console.log(linked.identity.id === laptop.identity.id, linked.hasPhrase)
 * ```
 */
export async function openPendingDevice(init: OpenPendingDeviceInit): Promise<PendingDevice> {
  assertOptions(init, 'init', [
    'storage', 'name', 'deviceName', 'passphrase', 'passphraseStrength', 'keyProvider', 'signal'
  ])
  const { signal } = init
  assertSignal(signal)
  throwIfAborted(signal)
  const store = chooseStore(init.storage)
  const protection = chooseProtection(init)
  const fresh = { name: '', deviceName: '', ...chooseNames(init) }

  const opening = (async () => {
    let found = await readSecrets(store, protection)
    if (found === null) {
      const lock = await createLock(protection)
      const secrets = { ...fresh, ...newDeviceSecrets(), entropy: null, identity: null, epoch: 0, certificate: new Uint8Array() }
      throwIfAborted(signal)
      found = (await createSecrets(store, lock, secrets)) ? { lock, secrets } : await readSecrets(store, protection)
    }
    if (found === null) throw damaged('It appeared and vanished.')
    if (found.secrets.identity !== null) {
      throw new IdentityError('IDENTITY_EXISTS', 'The storage already holds an identity.', {
        hint: 'Open it with openIdentity, or use another folder.'
      })
    }
    const pending = new WaitingDevice(store, found.lock, found.secrets)
    if (signal?.aborted) await pending.close()
    return pending
  })()
  return raceSignal(opening, signal)
}

class WaitingDevice implements PendingDevice {
  readonly id: string
  readonly publicKey: Uint8Array
  readonly #store: SecretStore
  readonly #keys: DeviceKeys
  #state: { lock: Lock; secrets: Secrets } | null

  constructor(store: SecretStore, lock: Lock, secrets: Secrets) {
    this.#store = store
    this.#keys = deviceKeys(secrets)
    this.#state = { lock, secrets }
    this.publicKey = Uint8Array.from(this.#keys.signing.publicKey)
    this.id = encodeZ32(this.publicKey)
  }

  createDeviceRequest(): Uint8Array {
    return requestOf(this.#open().secrets, this.#keys)
  }

  async acceptCertificate(bytes: Uint8Array, options: AcceptCertificateOptions = {}): Promise<LocalIdentity> {
    const { lock, secrets } = this.#open()
    assertOptions(options, 'options', ['identity'])
    assertBytes(bytes, 'bytes')
    const { identity, epoch } = acceptOwnCertificate(bytes, this.#keys, { identity: options.identity, minEpoch: 0 })
    const certified = { ...secrets, identity, epoch, certificate: Uint8Array.from(bytes) }
    // From here on the secrets are the opened identity's, to be wiped by it.
    this.#state = null
    try {
      await writeSecrets(this.#store, lock, certified)
    } catch (error) {
      this.#state = { lock, secrets }
      throw error
    }
    return new OpenedIdentity(this.#store, { lock, secrets: certified, keys: this.#keys, identityKeys: null }, true)
  }

  async close(): Promise<void> {
    if (this.#state === null) return
    const { lock, secrets } = this.#state
    this.#state = null
    wipeBytes(lock.key, secrets.deviceSeed, secrets.boxSecretKey, secrets.storageKey, this.#keys.signing.secretKey)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #open(): { lock: Lock; secrets: Secrets } {
    if (this.#state !== null) return this.#state
    throw wiped()
  }
}
