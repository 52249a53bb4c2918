import { assertBytes, assertOptions, assertSignal, assertString, equalBytes, raceSignal, throwIfAborted } from '@covey/core'
import { MAX_NAME_BYTES } from './constants.js'
import { IdentityError } from './errors.js'
import { randomBytes } from './internal/crypto.js'
import { restoredEpoch } from './internal/epochs.js'
import { isOwnCertificate, issueAsIdentity, needsRenewal, subjectOf } from './internal/issue-certificate.js'
import { OpenedIdentity } from './internal/opened-identity.js'
import { createLock, damaged } from './internal/sealed-file.js'
import { createSecrets, deviceKeys, newDeviceSecrets, openBackup, readSecrets, writeSecrets, type BackupContent } from './internal/secrets.js'
import type { LocalIdentity } from './local-identity.js'
import { deriveIdentity, entropyFromPhrase } from './phrase.js'
import { chooseProtection, type Protection, type ProtectionOptions } from './protection.js'
import { createFileSecretStore, type SecretStore } from './secret-store.js'

/** What {@link openIdentity} needs and may be told. */
export interface OpenIdentityInit extends ProtectionOptions {
  /** A folder, or a store of the app's own. */
  storage: string | SecretStore
  /** The person's display name, at most 256 bytes of UTF-8. Default: the one stored, at first none. */
  name?: string | undefined
  /** What this device calls itself, likewise. */
  deviceName?: string | undefined
  /** Makes the device one of this person's. Default: the person stored, at first a new one. */
  phrase?: string | undefined
  /** Instead of a phrase: a backup that `exportBackup` has made, and its passphrase. */
  backup?: { bytes: Uint8Array; passphrase: string } | undefined
  /** Rejects with its reason when aborted. */
  signal?: AbortSignal | undefined
}

/**
 * Opens the identity in a storage, and makes it on the first run: the person from the phrase or the
 * backup, otherwise a new one; the device always new. Without a passphrase or a key provider the
 * secrets are stored in the clear, and `isSealed` says so.
 *
 * Whoever can read the storage and open the seal is the person. Open a folder once at a time.
 * A storage that cannot be opened is left as it is.
 *
 * @throws {IdentityError} IDENTITY_INVALID_PHRASE, IDENTITY_MISMATCH (another person is stored),
 * IDENTITY_SEALED, IDENTITY_NOT_SEALED, IDENTITY_WRONG_PASSPHRASE, IDENTITY_FILE_DAMAGED,
 * IDENTITY_FILE_TOO_NEW, IDENTITY_PENDING, IDENTITY_STORE_FAILED
 * @throws {TypeError} when an option is wrong.
 * @throws the signal's `reason` when it is aborted.
 * @example
 * ```ts
 * import { createMemorySecretStore, openIdentity } from '@covey/identity'
 *
 * const alice = await openIdentity({
 *   storage: createMemorySecretStore(), // or a folder: './alice'
 *   name: 'Alice',
 *   passphrase: 'a long one that only Alice knows'
 * })
 * console.log(alice.identity.id, alice.device.id, alice.isSealed)
 * await alice.close()
 * ```
 */
export async function openIdentity(init: OpenIdentityInit): Promise<LocalIdentity> {
  assertOptions(init, 'init', [
    'storage', 'name', 'deviceName', 'phrase', 'backup', 'passphrase', 'passphraseStrength', 'keyProvider', 'signal'
  ])
  const { storage, phrase, backup, signal } = init
  assertSignal(signal)
  throwIfAborted(signal)
  const store = chooseStore(storage)
  const protection = chooseProtection(init)
  const names = chooseNames(init)
  if (phrase !== undefined && backup !== undefined) throw new TypeError('phrase and backup exclude each other')
  const person = phrase === undefined ? null : { entropy: entropyFromPhrase(phrase), epoch: 0, name: '' }
  const reading = person ?? (backup === undefined ? null : readBackup(backup))

  const opening = (async () => {
    const wanted = await reading
    const opened =
      (await openStored(store, protection, wanted, names)) ??
      (await createStored(store, protection, wanted, names, signal)) ??
      // Someone else was faster: theirs it is.
      (await openStored(store, protection, wanted, names))
    if (opened === null) throw damaged('It appeared and vanished.')
    if (signal?.aborted) opened.wipe()
    return opened
  })()
  return raceSignal(opening, signal)
}

/** The names that a caller gives; what is missing stays as it is stored. */
export interface Names {
  name?: string
  deviceName?: string
}

export function chooseStore(storage: string | SecretStore): SecretStore {
  if (typeof storage === 'string') return createFileSecretStore(storage)
  if (typeof storage?.read === 'function' && typeof storage.create === 'function') return storage
  throw new TypeError('storage must be a folder or a SecretStore')
}

export function chooseNames({ name, deviceName }: { name?: string | undefined; deviceName?: string | undefined }): Names {
  const limits = { maxBytes: MAX_NAME_BYTES }
  if (name !== undefined) assertString(name, 'name', limits)
  if (deviceName !== undefined) assertString(deviceName, 'deviceName', limits)
  return { ...(name !== undefined && { name }), ...(deviceName !== undefined && { deviceName }) }
}

async function readBackup(backup: { bytes: Uint8Array; passphrase: string }): Promise<BackupContent> {
  assertOptions(backup, 'backup', ['bytes', 'passphrase'])
  assertBytes(backup.bytes, 'backup.bytes')
  assertString(backup.passphrase, 'backup.passphrase', { minLength: 1 })
  return openBackup(backup.bytes, chooseProtection({ passphrase: backup.passphrase }))
}

async function createStored(
  store: SecretStore,
  protection: Protection,
  wanted: BackupContent | null,
  names: Names,
  signal: AbortSignal | undefined
): Promise<OpenedIdentity | null> {
  const { name } = wanted ?? { name: '' }
  const epoch = wanted === null ? 0 : restoredEpoch(wanted.epoch)
  // A copy: what is wanted is needed once more when someone else is faster.
  const entropy = wanted === null ? randomBytes(32) : Uint8Array.from(wanted.entropy)
  const identityKeys = await deriveIdentity(entropy)
  const identity = identityKeys.publicKey
  const device = newDeviceSecrets()
  const keys = deviceKeys(device)
  const certificate = issueAsIdentity(identityKeys, epoch, subjectOf(keys))
  const secrets = { entropy, identity, epoch, certificate, name, deviceName: '', ...names, ...device }
  const lock = await createLock(protection)
  throwIfAborted(signal)
  const opened = new OpenedIdentity(store, { lock, secrets, keys, identityKeys }, true)
  let isCreated = false
  try {
    isCreated = await createSecrets(store, lock, secrets)
  } finally {
    if (!isCreated) opened.wipe()
  }
  return isCreated ? opened : null
}

async function openStored(
  store: SecretStore,
  protection: Protection,
  wanted: BackupContent | null,
  names: Names
): Promise<OpenedIdentity | null> {
  const found = await readSecrets(store, protection)
  if (found === null) return null
  const { lock, secrets: stored } = found
  const { identity } = stored
  if (identity === null) {
    throw new IdentityError('IDENTITY_PENDING', 'The device waits for its certificate.', {
      hint: 'Open it with openPendingDevice.'
    })
  }
  const entropy = wanted?.entropy ?? stored.entropy
  const identityKeys = entropy === null ? null : await deriveIdentity(entropy)
  if (identityKeys !== null && !equalBytes(identityKeys.publicKey, identity)) {
    if (wanted === null) throw damaged('Its phrase and its identity do not belong together.')
    throw new IdentityError('IDENTITY_MISMATCH', 'The storage holds another identity than the one asked for.', {
      hint: 'Use another folder for the other person.'
    })
  }
  const keys = deviceKeys(stored)
  if (!isOwnCertificate(stored.certificate, keys, identity)) {
    throw damaged('Its certificate and its keys do not belong together.')
  }
  const epoch = Math.max(stored.epoch, wanted?.epoch ?? 0)
  const isRenewed = identityKeys !== null && needsRenewal(stored.certificate, epoch)
  const certificate = isRenewed ? issueAsIdentity(identityKeys, epoch, subjectOf(keys)) : stored.certificate
  const secrets = { ...stored, identity, entropy, epoch, certificate, ...names }
  const isChanged =
    isRenewed ||
    epoch !== stored.epoch ||
    (entropy !== null && stored.entropy === null) ||
    secrets.name !== stored.name ||
    secrets.deviceName !== stored.deviceName
  if (isChanged) await writeSecrets(store, lock, secrets)
  return new OpenedIdentity(store, { lock, secrets, keys, identityKeys }, false)
}
