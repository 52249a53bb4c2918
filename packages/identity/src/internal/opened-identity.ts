import { assertBytes, assertOptions, assertString, concatBytes, encodeUtf8, encodeZ32, equalBytes } from '@covey/core'
import { MAX_LABEL_LENGTH } from '../constants.js'
import { decodeDeviceRequest, makeDeviceRequest } from '../device-request.js'
import { IdentityError } from '../errors.js'
import type { BackupOptions, CertifyDeviceOptions, Device, Identity, LocalIdentity } from '../local-identity.js'
import { phraseFromEntropy } from '../phrase.js'
import { chooseProtection, PROTECTION_OPTIONS, type ProtectionOptions } from '../protection.js'
import { makeRevocation, verifyRevocation } from '../revocation.js'
import type { SecretStore } from '../secret-store.js'
import { makeStatement } from '../statement.js'
import { domain, seal, unseal, wipeBytes, type KeyPair } from './crypto.js'
import { registerDeviceKeys } from './device-secrets.js'
import { nextEpoch } from './epochs.js'
import { acceptOwnCertificate, issueAsDevice, issueAsIdentity, subjectOf } from './issue-certificate.js'
import { createLock, type Lock } from './sealed-file.js'
import { sealBackup, writeSecrets, type DeviceKeys, type Secrets } from './secrets.js'

const LOCAL = domain('local-seal/1')

/** Everything that `wipe` overwrites. */
export interface OpenState {
  lock: Lock
  secrets: Secrets & { readonly identity: Uint8Array }
  keys: DeviceKeys
  /** `null` on a device without the phrase. */
  identityKeys: KeyPair | null
}

export class OpenedIdentity implements LocalIdentity {
  readonly isNew: boolean
  readonly identity: Identity
  readonly #store: SecretStore
  readonly #keys: DeviceKeys
  #state: OpenState | null
  #device: Device
  #epoch: number
  #isSealed: boolean
  #hasPhrase: boolean
  #writing: Promise<unknown> = Promise.resolve()

  constructor(store: SecretStore, state: OpenState, isNew: boolean) {
    const { identity, name, epoch, entropy } = state.secrets
    this.isNew = isNew
    this.identity = Object.freeze({ id: encodeZ32(identity), publicKey: Uint8Array.from(identity), name })
    this.#store = store
    this.#state = state
    this.#keys = state.keys
    this.#device = describeDevice(state.secrets, this.#keys)
    this.#epoch = epoch
    this.#isSealed = state.lock.mode !== 0
    this.#hasPhrase = entropy !== null
    registerDeviceKeys(this, () => {
      this.#open()
      return this.#keys
    })
  }

  get device(): Device {
    return this.#device
  }

  get epoch(): number {
    return this.#epoch
  }

  get isSealed(): boolean {
    return this.#isSealed
  }

  get hasPhrase(): boolean {
    return this.#hasPhrase
  }

  signStatement(purpose: string, context: Uint8Array, data: Uint8Array): Uint8Array {
    this.#open()
    return makeStatement({ domain: purpose, context, data }, this.#keys.signing.secretKey)
  }

  seal(label: string, plaintext: Uint8Array): Uint8Array {
    const { secrets } = this.#open()
    assertBytes(plaintext, 'plaintext')
    return seal(secrets.storageKey, labelled(label), plaintext)
  }

  unseal(label: string, sealed: Uint8Array): Uint8Array {
    const { secrets } = this.#open()
    assertBytes(sealed, 'sealed')
    const plaintext = unseal(secrets.storageKey, labelled(label), sealed)
    if (plaintext !== undefined) return plaintext
    throw new IdentityError('IDENTITY_UNSEAL_FAILED', 'The sealed bytes do not open on this device under this label.')
  }

  revealPhrase(): string {
    return phraseFromEntropy(this.#withPhrase().entropy)
  }

  async changePassphrase(next: ProtectionOptions): Promise<void> {
    this.#open()
    assertOptions(next, 'next', PROTECTION_OPTIONS)
    const lock = await createLock(chooseProtection(next))
    try {
      await this.#write(() => ({}), lock)
    } catch (error) {
      wipeBytes(lock.key)
      throw error
    }
  }

  async exportBackup(options: BackupOptions): Promise<Uint8Array> {
    this.#withPhrase()
    assertOptions(options, 'options', ['passphrase', 'passphraseStrength'])
    assertString(options.passphrase, 'passphrase', { minLength: 1 })
    const lock = await createLock(chooseProtection(options))
    try {
      const { entropy, secrets } = this.#withPhrase()
      return sealBackup(lock, { entropy, epoch: secrets.epoch, name: secrets.name })
    } finally {
      wipeBytes(lock.key)
    }
  }

  createDeviceRequest(): Uint8Array {
    const { secrets } = this.#open()
    return requestOf(secrets, this.#keys)
  }

  async acceptCertificate(certificate: Uint8Array): Promise<void> {
    await this.#write(({ identity, epoch: minEpoch }) => {
      const { epoch } = acceptOwnCertificate(certificate, this.#keys, { identity, minEpoch })
      return { certificate: Uint8Array.from(certificate), epoch }
    })
  }

  certifyDevice(request: Uint8Array, options?: CertifyDeviceOptions): Uint8Array {
    const { secrets, identityKeys } = this.#open()
    const subject = decodeDeviceRequest(request)
    if (!subject.ok) throw subject.error
    return identityKeys === null
      ? issueAsDevice(secrets.certificate, this.#keys.signing, subject.value, options)
      : issueAsIdentity(identityKeys, secrets.epoch, subject.value, options)
  }

  async revokeDevice(device: Uint8Array): Promise<Uint8Array> {
    this.#withPhrase()
    assertBytes(device, 'device', 32)
    if (equalBytes(device, this.#keys.signing.publicKey)) {
      throw new TypeError('device must be another one: a device cannot revoke itself')
    }
    const revoked = Uint8Array.from(device)
    let statement: Uint8Array = new Uint8Array()
    await this.#write((secrets) => {
      const epoch = nextEpoch(secrets.epoch)
      const { identityKeys } = this.#withPhrase()
      const { identity } = secrets
      statement = makeRevocation({ identity, device: revoked, epoch, atMs: Date.now() }, identityKeys.secretKey)
      return this.#atEpoch(epoch)
    })
    return statement
  }

  async acceptRevocation(revocation: Uint8Array): Promise<void> {
    this.#open()
    const result = verifyRevocation(revocation, { identity: this.identity.publicKey })
    if (!result.ok) throw result.error
    const { device, epoch } = result.value
    if (equalBytes(device, this.#keys.signing.publicKey)) {
      throw new IdentityError('IDENTITY_DEVICE_REVOKED', 'This device has been revoked.', {
        hint: 'Remove the storage and link the device anew.'
      })
    }
    await this.#write((secrets) => (epoch > secrets.epoch ? this.#atEpoch(epoch) : null))
  }

  wipe(): void {
    const state = this.#state
    if (state === null) return
    this.#state = null
    const { entropy, deviceSeed, boxSecretKey, storageKey } = state.secrets
    wipeBytes(entropy, deviceSeed, boxSecretKey, storageKey, state.lock.key, state.identityKeys?.secretKey)
    wipeBytes(this.#keys.signing.secretKey, this.#keys.box.secretKey)
  }

  async close(): Promise<void> {
    await this.#writing
    this.wipe()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #atEpoch(epoch: number): Partial<Secrets> {
    const { identityKeys } = this.#open()
    if (identityKeys === null) return { epoch }
    return { epoch, certificate: issueAsIdentity(identityKeys, epoch, subjectOf(this.#keys)) }
  }

  /** Memory follows the disk, one change after another; `null` changes nothing. */
  #write(change: (secrets: OpenState['secrets']) => Partial<Secrets> | null, lock?: Lock): Promise<void> {
    const work = this.#writing.then(async () => {
      const state = this.#open()
      const changes = change(state.secrets)
      if (changes === null) return
      const secrets = { ...state.secrets, ...changes, identity: state.secrets.identity }
      // Sealed before the first await: a wipe in the meantime cannot put zeros on the disk.
      await writeSecrets(this.#store, lock ?? state.lock, secrets)
      if (lock !== undefined) {
        wipeBytes(state.lock.key)
        state.lock = lock
        this.#isSealed = lock.mode !== 0
        if (this.#state === null) wipeBytes(lock.key)
      }
      state.secrets = secrets
      this.#epoch = secrets.epoch
      this.#device = describeDevice(secrets, this.#keys)
    })
    this.#writing = work.catch(() => {})
    return work
  }

  #open(): OpenState {
    if (this.#state !== null) return this.#state
    throw wiped()
  }

  #withPhrase() {
    const { secrets, identityKeys } = this.#open()
    if (secrets.entropy !== null && identityKeys !== null) return { secrets, identityKeys, entropy: secrets.entropy }
    throw new IdentityError('IDENTITY_NO_PHRASE', 'The recovery phrase is not on this device.', {
      hint: 'Do this on a device that has the phrase.'
    })
  }
}

export function wiped(): IdentityError {
  return new IdentityError('IDENTITY_WIPED', 'The identity was wiped from memory or closed.', {
    hint: 'Open it again.'
  })
}

export function requestOf(secrets: Secrets, keys: DeviceKeys): Uint8Array {
  return makeDeviceRequest({ ...subjectOf(keys), name: secrets.deviceName }, keys.signing.secretKey)
}

/** Copies: what callers do to them changes nothing here. */
function describeDevice(secrets: Secrets, { signing, box }: DeviceKeys): Device {
  return Object.freeze({
    id: encodeZ32(signing.publicKey),
    publicKey: Uint8Array.from(signing.publicKey),
    boxPublicKey: Uint8Array.from(box.publicKey),
    name: secrets.deviceName,
    certificate: Uint8Array.from(secrets.certificate)
  })
}

function labelled(label: string): Uint8Array {
  assertString(label, 'label', { minLength: 1, maxLength: MAX_LABEL_LENGTH })
  return concatBytes(LOCAL, encodeUtf8(label))
}
