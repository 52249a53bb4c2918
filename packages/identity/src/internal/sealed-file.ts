import { concatBytes, encodeUtf8, equalBytes, readBytes, writeBytes, type ByteReader } from '@covey/core'
import { IdentityError } from '../errors.js'
import { PASSPHRASE_STRENGTHS, type Protection } from '../protection.js'
import { domain, hash, hashPassphrase, randomBytes, seal, unseal, wipeBytes } from './crypto.js'

const MAGIC = encodeUtf8('coveykey')
const VERSION = 1
const SALT_BYTES = 16
const CHECKSUM_BYTES = 32
const PROVIDED = domain('file-key/1')
/** The most that a file may ask for: what the strongest choice writes. */
const { ops: MAX_OPS, memoryBytes: MAX_MEMORY_BYTES } = PASSPHRASE_STRENGTHS.sensitive
const { memoryBytes: MIN_MEMORY_BYTES } = PASSPHRASE_STRENGTHS.minimum

/** What a file holds. In the sealed header, so that one kind is never taken for the other. */
export const SECRETS_FILE = 1
export const BACKUP_FILE = 2

const MODES = { none: 0, passphrase: 1, provider: 2 } as const

/** What opens and seals a file: a key, and what the file must say for it to be found again. */
export interface Lock {
  readonly mode: number
  readonly kdf: Uint8Array
  readonly key: Uint8Array
}

interface Header {
  readonly purpose: number
  readonly mode: number
  readonly kdf: Uint8Array
  readonly derive: Kdf | null
}

interface Kdf {
  ops: number
  memoryBytes: number
  salt: Uint8Array
}

export async function createLock(protection: Protection): Promise<Lock> {
  const mode = MODES[protection.kind]
  if (protection.kind !== 'passphrase') return { mode, kdf: new Uint8Array(), key: await keyOf(protection, null) }
  const { ops, memoryBytes } = PASSPHRASE_STRENGTHS[protection.strength]
  const derive = { ops, memoryBytes, salt: randomBytes(SALT_BYTES) }
  const kdf = writeBytes((writer) => writer.varint(ops).varint(memoryBytes).bytes(derive.salt))
  return { mode, kdf, key: await keyOf(protection, derive) }
}

export function writeSealedFile(purpose: number, lock: Lock, plaintext: Uint8Array): Uint8Array {
  const header = concatBytes(MAGIC, Uint8Array.of(VERSION, purpose, lock.mode), lock.kdf)
  const content = concatBytes(header, seal(lock.key, header, plaintext))
  return concatBytes(content, hash(content))
}

export async function openSealedFile(
  purpose: number,
  bytes: Uint8Array,
  protection: Protection
): Promise<{ lock: Lock; plaintext: Uint8Array }> {
  const { header, headerBytes, sealed } = parse(bytes, purpose)
  checkProtection(header.mode, protection)
  const key = await keyOf(protection, header.derive)
  const plaintext = unseal(key, headerBytes, sealed)
  if (plaintext !== undefined) return { lock: { mode: header.mode, kdf: header.kdf, key }, plaintext }
  wipeBytes(key)
  if (protection.kind === 'none') throw damaged('Its content does not match.')
  throw new IdentityError('IDENTITY_WRONG_PASSPHRASE', 'The secrets do not open with this passphrase or key.', {
    hint: 'Try again with the right one. The file is as it was.'
  })
}

export function damaged(detail: string): IdentityError {
  return new IdentityError('IDENTITY_FILE_DAMAGED', `The file with the secrets is damaged. ${detail}`, {
    hint: 'Restore the file from a copy, or the identity from its phrase in another folder.'
  })
}

function parse(bytes: Uint8Array, purpose: number) {
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC) || bytes.length < MAGIC.length + CHECKSUM_BYTES) {
    throw damaged('It is not a file of this kind, or truncated.')
  }
  if (bytes[MAGIC.length]! > VERSION) {
    throw new IdentityError('IDENTITY_FILE_TOO_NEW', 'The file with the secrets was written by a newer version.', {
      hint: 'Update the app. The file is as it was.'
    })
  }
  const content = bytes.subarray(0, -CHECKSUM_BYTES)
  if (!equalBytes(hash(content), bytes.subarray(-CHECKSUM_BYTES))) throw damaged('Its checksum does not match.')
  const decoded = readBytes(content.subarray(MAGIC.length), (reader) => ({
    header: decodeHeader(reader),
    sealed: reader.rest()
  }))
  if (!decoded.ok) throw damaged(decoded.error.message)
  const { header, sealed } = decoded.value
  if (header.purpose !== purpose) throw damaged('It is a file for another purpose.')
  return { header, sealed, headerBytes: content.subarray(0, content.length - sealed.length) }
}

function decodeHeader(reader: ByteReader): Header {
  if (reader.uint8() !== VERSION) reader.fail('There is no version 0.')
  const purpose = reader.uint8()
  const mode = reader.uint8()
  if (mode > MODES.provider) reader.fail('It is sealed in an unknown way.')
  if (mode !== MODES.passphrase) return { purpose, mode, kdf: new Uint8Array(), derive: null }
  const derive = {
    // Bounded before any of it is spent, so that a tampered file cannot ask for 100 GB.
    ops: reader.varint(MAX_OPS),
    memoryBytes: reader.varint(MAX_MEMORY_BYTES),
    salt: reader.bytes(SALT_BYTES)
  }
  if (derive.ops < 1 || derive.memoryBytes < MIN_MEMORY_BYTES) reader.fail('Its key derivation is too weak.')
  const kdf = writeBytes((writer) => writer.varint(derive.ops).varint(derive.memoryBytes).bytes(derive.salt))
  return { purpose, mode, kdf, derive }
}

function checkProtection(mode: number, protection: Protection): void {
  if (mode === MODES[protection.kind]) return
  if (mode === MODES.none) {
    throw new IdentityError('IDENTITY_NOT_SEALED', 'The secrets are stored unsealed.', {
      hint: 'Open them without a passphrase or key provider, then call changePassphrase.'
    })
  }
  const needed = mode === MODES.passphrase ? 'passphrase' : 'key provider'
  throw new IdentityError('IDENTITY_SEALED', `The secrets are sealed by a ${needed}.`, {
    hint: `Open them with the ${needed}.`
  })
}

async function keyOf(protection: Protection, kdf: Kdf | null): Promise<Uint8Array> {
  // Nobody is kept out by a key of zeros; it makes unsealed files one format with the others.
  if (protection.kind === 'none') return new Uint8Array(32)
  if (protection.kind === 'passphrase') {
    return hashPassphrase(protection.passphrase, kdf!.salt, kdf!.ops, kdf!.memoryBytes)
  }
  const provided = await protection.keyProvider.getKey()
  if (!(provided instanceof Uint8Array) || provided.length !== 32) {
    throw new TypeError('keyProvider.getKey must resolve to a Uint8Array of 32 bytes')
  }
  return hash(PROVIDED, provided)
}
