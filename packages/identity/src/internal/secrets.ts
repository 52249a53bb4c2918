import { readBytes, writeBytes, type ByteReader } from '@covey/core'
import { MAX_EPOCH, MAX_NAME_BYTES } from '../constants.js'
import type { SecretStore } from '../secret-store.js'
import { boxPublicKey, randomBytes, signingKeyPair, wipeBytes, type KeyPair } from './crypto.js'
import { BACKUP_FILE, damaged, openSealedFile, SECRETS_FILE, writeSealedFile, type Lock } from './sealed-file.js'
import type { Protection } from '../protection.js'

const FILE_NAME = 'identity'
const MAX_CERTIFICATE_BYTES = 512

/** What a device is made of. Each is 32 random bytes. */
export interface DeviceSeeds {
  readonly deviceSeed: Uint8Array
  readonly boxSecretKey: Uint8Array
  /** For what is sealed on this device. */
  readonly storageKey: Uint8Array
}

/** What lies in the file of an identity. */
export interface Secrets extends DeviceSeeds {
  /** The phrase, as BIP-39 entropy; `null` on a device that was linked without it. */
  readonly entropy: Uint8Array | null
  /** `null` while the device waits for its certificate. */
  readonly identity: Uint8Array | null
  readonly certificate: Uint8Array
  readonly epoch: number
  readonly name: string
  readonly deviceName: string
}

/** What lies in a backup: the person, and no device. */
export interface BackupContent {
  readonly entropy: Uint8Array
  readonly epoch: number
  readonly name: string
}

export interface DeviceKeys {
  readonly signing: KeyPair
  readonly box: KeyPair
}

export function newDeviceSecrets(): DeviceSeeds {
  return { deviceSeed: randomBytes(32), boxSecretKey: randomBytes(32), storageKey: randomBytes(32) }
}

export function deviceKeys(secrets: DeviceSeeds): DeviceKeys {
  const box = { publicKey: boxPublicKey(secrets.boxSecretKey), secretKey: secrets.boxSecretKey }
  return { signing: signingKeyPair(secrets.deviceSeed), box }
}

export async function readSecrets(
  store: SecretStore,
  protection: Protection
): Promise<{ lock: Lock; secrets: Secrets } | null> {
  const bytes = await store.read(FILE_NAME)
  if (bytes === null) return null
  const { lock, plaintext } = await openSealedFile(SECRETS_FILE, bytes, protection)
  return { lock, secrets: decodeWith(plaintext, decodeSecrets) }
}

export function createSecrets(store: SecretStore, lock: Lock, secrets: Secrets): Promise<boolean> {
  return store.create(FILE_NAME, sealSecrets(lock, secrets))
}

export function writeSecrets(store: SecretStore, lock: Lock, secrets: Secrets): Promise<void> {
  return store.write(FILE_NAME, sealSecrets(lock, secrets))
}

export function sealBackup(lock: Lock, { entropy, epoch, name }: BackupContent): Uint8Array {
  const plaintext = writeBytes((writer) => writer.bytes(entropy).varint(epoch).text(name, MAX_NAME_BYTES))
  return sealAndWipe(BACKUP_FILE, lock, plaintext)
}

export async function openBackup(bytes: Uint8Array, protection: Protection): Promise<BackupContent> {
  const { lock, plaintext } = await openSealedFile(BACKUP_FILE, bytes, protection)
  wipeBytes(lock.key)
  return decodeWith(plaintext, (reader) => ({
    entropy: reader.bytes(32),
    epoch: reader.varint(MAX_EPOCH),
    name: reader.text(MAX_NAME_BYTES)
  }))
}

function sealSecrets(lock: Lock, secrets: Secrets): Uint8Array {
  const plaintext = writeBytes((writer) =>
    writer
      .prefixedBytes(secrets.entropy ?? new Uint8Array(), 32)
      .prefixedBytes(secrets.identity ?? new Uint8Array(), 32)
      .bytes(secrets.deviceSeed)
      .bytes(secrets.boxSecretKey)
      .bytes(secrets.storageKey)
      .prefixedBytes(secrets.certificate, MAX_CERTIFICATE_BYTES)
      .varint(secrets.epoch)
      .text(secrets.name, MAX_NAME_BYTES)
      .text(secrets.deviceName, MAX_NAME_BYTES)
  )
  return sealAndWipe(SECRETS_FILE, lock, plaintext)
}

function decodeSecrets(reader: ByteReader): Secrets {
  return {
    entropy: decodeOptionalKey(reader),
    identity: decodeOptionalKey(reader),
    deviceSeed: reader.bytes(32),
    boxSecretKey: reader.bytes(32),
    storageKey: reader.bytes(32),
    certificate: reader.prefixedBytes(MAX_CERTIFICATE_BYTES),
    epoch: reader.varint(MAX_EPOCH),
    name: reader.text(MAX_NAME_BYTES),
    deviceName: reader.text(MAX_NAME_BYTES)
  }
}

function decodeOptionalKey(reader: ByteReader): Uint8Array | null {
  const bytes = reader.prefixedBytes(32)
  if (bytes.length !== 0 && bytes.length !== 32) reader.fail('A key has the wrong length.')
  return bytes.length === 0 ? null : bytes
}

function sealAndWipe(purpose: number, lock: Lock, plaintext: Uint8Array): Uint8Array {
  try {
    return writeSealedFile(purpose, lock, plaintext)
  } finally {
    wipeBytes(plaintext)
  }
}

function decodeWith<Value>(plaintext: Uint8Array, decode: (reader: ByteReader) => Value): Value {
  const decoded = readBytes(plaintext, decode)
  wipeBytes(plaintext)
  if (!decoded.ok) throw damaged(decoded.error.message)
  return decoded.value
}
