import type { ProtectionOptions } from './protection.js'

/** A person. */
export interface Identity {
  /** The public key as z-base-32, 52 characters. */
  readonly id: string
  /** Ed25519, 32 bytes; derived from the recovery phrase as Keet derives it. */
  readonly publicKey: Uint8Array
  /** The display name, kept on this machine only. Empty when none was given. */
  readonly name: string
}

/** A machine of a person. Its secret keys were made on it and never leave it. */
export interface Device {
  /** The signing key as z-base-32, 52 characters. */
  readonly id: string
  /** The signing key: Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
  /** X25519, 32 bytes. */
  readonly boxPublicKey: Uint8Array
  /** What the device calls itself. Empty when no name was given. */
  readonly name: string
  /** The newest certificate of the device, valid in all rooms. */
  readonly certificate: Uint8Array
}

/** What {@link LocalIdentity.certifyDevice} may vary. Times are milliseconds since 1970. */
export interface CertifyDeviceOptions {
  /** Certify for this room alone: a 32-byte key. Default: for all rooms. */
  context?: Uint8Array | undefined
  /** The first moment of validity. Default: a day ago. */
  notBeforeMs?: number | undefined
  /** The first moment after validity. Default: in ten years. */
  expiresMs?: number | undefined
}

/** Options of {@link LocalIdentity.exportBackup}: a passphrase is needed. */
export type BackupOptions = Pick<ProtectionOptions, 'passphraseStrength'> & { passphrase: string }

/**
 * An identity that is open on this machine: the person's, as far as the phrase is here, and the
 * device's. It holds secrets in memory until {@link LocalIdentity.wipe} or
 * {@link LocalIdentity.close}; after that, every method fails with IDENTITY_WIPED, while
 * `identity` and `device`, which are public, can still be read.
 */
export interface LocalIdentity extends AsyncDisposable {
  /** The person. */
  readonly identity: Identity
  /** This machine. */
  readonly device: Device
  /**
   * The epoch of the identity, as far as this device knows: 0 at first. A revocation begins a newer one, and so does coming back by
   * the phrase or a backup: the second since 1970 in which it was.
   */
  readonly epoch: number
  /** Whether this call of `openIdentity` has made the device. */
  readonly isNew: boolean
  /** Whether the secrets at rest are sealed by a passphrase or a key provider. */
  readonly isSealed: boolean
  /** Whether the recovery phrase is on this device. A linked device does not have it. */
  readonly hasPhrase: boolean

  /**
   * Signs, as this device, that `data` holds for the use `domain` (1 to 256 characters, unique to that
   * use) in the surroundings `context` (a room key or a handshake hash, at most 64 bytes). `data` is
   * at most 65,536 bytes. Checked by `verifyStatement`, which says what a statement does not prove.
   *
   * @throws {IdentityError} IDENTITY_WIPED
   * @throws {TypeError} when an argument has the wrong type or length.
   */
  signStatement(domain: string, context: Uint8Array, data: Uint8Array): Uint8Array

  /**
   * Seals `plaintext` for keeping on this machine, under a `label` of 1 to 256 characters that says
   * what it is. 40 bytes longer than the plaintext; different at every call.
   *
   * @throws {IdentityError} IDENTITY_WIPED
   */
  seal(label: string, plaintext: Uint8Array): Uint8Array

  /**
   * Opens what {@link LocalIdentity.seal} has sealed on this device under the same label.
   *
   * @throws {IdentityError} IDENTITY_UNSEAL_FAILED, IDENTITY_WIPED
   */
  unseal(label: string, sealed: Uint8Array): Uint8Array

  /**
   * The recovery phrase, to be shown to the person and to nobody else.
   *
   * @throws {IdentityError} IDENTITY_NO_PHRASE, IDENTITY_WIPED
   */
  revealPhrase(): string

  /**
   * Seals the secrets at rest anew: by a passphrase, by a key provider, or, with neither, not at all.
   * After a crash the file opens with either the former or the new one. Remnants of the former file
   * may stay on the medium: where the old passphrase has leaked, revoke the device too.
   *
   * @throws {IdentityError} IDENTITY_STORE_FAILED, IDENTITY_WIPED
   */
  changePassphrase(next: ProtectionOptions): Promise<void>

  /**
   * An encrypted backup of the person, for a file: phrase, name and epoch, and nothing of this device.
   * `openIdentity({ backup })` takes it.
   *
   * @throws {IdentityError} IDENTITY_NO_PHRASE, IDENTITY_WIPED
   */
  exportBackup(options: BackupOptions): Promise<Uint8Array>

  /** This device's request to be certified again, by a device that has the phrase. */
  createDeviceRequest(): Uint8Array

  /**
   * Takes a new certificate for this device, in place of the present one: the same identity, all
   * rooms, not of an older epoch.
   *
   * @throws {IdentityError} CERTIFICATE_… when it is refused, IDENTITY_STORE_FAILED, IDENTITY_WIPED
   */
  acceptCertificate(certificate: Uint8Array): Promise<void>

  /**
   * Certifies another device of the same person from its request, as the identity where the phrase is
   * here, otherwise as this device. Ask the person first: who is certified can act as them. A
   * certificate by this device lies within its own: neither for more rooms nor for longer.
   *
   * @throws {IdentityError} IDENTITY_REQUEST_INVALID, IDENTITY_CANNOT_CERTIFY, IDENTITY_WIPED
   */
  certifyDevice(request: Uint8Array, options?: CertifyDeviceOptions): Uint8Array

  /**
   * Revokes another device and begins a new epoch; resolves to the revocation, for
   * `verifyRevocation`, once the new epoch is durable. All other devices need new certificates;
   * this one has renewed its own.
   *
   * @throws {IdentityError} IDENTITY_NO_PHRASE, IDENTITY_STORE_FAILED, IDENTITY_WIPED
   */
  revokeDevice(device: Uint8Array): Promise<Uint8Array>

  /**
   * Takes note of a revocation that another device of the person has made: begins its epoch here, and
   * renews this device's certificate where the phrase is here. Without it, have the device certified
   * again. An older or known revocation changes nothing.
   *
   * @throws {IdentityError} REVOCATION_… when it is refused, IDENTITY_DEVICE_REVOKED when it names
   * this device, IDENTITY_STORE_FAILED, IDENTITY_WIPED
   */
  acceptRevocation(revocation: Uint8Array): Promise<void>

  /** Overwrites the secrets in memory, at once. What is being written may be lost, never damaged. */
  wipe(): void

  /** Waits for what is being written, then wipes. May be called twice. */
  close(): Promise<void>
}
