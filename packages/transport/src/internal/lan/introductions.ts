import sodium from 'sodium-universal'
import { concatBytes, encodeUtf8 } from '@covey/core'
import { ENTRIES, MAX_PACKETS } from './constants.js'

const SALT_BYTES = 16
const TAG_BYTES = 8
const KEY_BYTES = 32
const ENTRY_BYTES = TAG_BYTES + KEY_BYTES + sodium.crypto_aead_xchacha20poly1305_ietf_ABYTES
/** What is sealed under one key is sealed once, for the salt is never used again. */
const NONCE = new Uint8Array(sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)

/** Where a device can be dialled. */
export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Names that only some understand. Each of `entries` tells the key of the device to whoever knows one secret
 * of it: a topic, or the key itself. To all others they are noise, and cannot be told from those that are.
 */
export interface Introductions {
  /** Random, another one each time: nothing can be recognised again. */
  readonly salt: Uint8Array
  /** As many as fill a packet, in no order. */
  readonly entries: readonly Uint8Array[]
}

/**
 * Introduces a device that can be dialled at `address`: to those who know its key, and to those who know any of
 * `topics`. One for each packet.
 */
export function introduce(publicKey: Uint8Array, topics: readonly Uint8Array[], address: Address): Introductions[] {
  // Who is looked for by key has no other way to be found; a topic has to wait for its turn if there are too many.
  const secrets = [publicKey, ...shuffled(topics).slice(0, ENTRIES * MAX_PACKETS - 1)]
  return Array.from({ length: Math.ceil(secrets.length / ENTRIES) }, (_, i) => {
    const salt = randomBytes(SALT_BYTES)
    const occasion = occasionOf(salt, address)
    const some = secrets.slice(i * ENTRIES, (i + 1) * ENTRIES).map((secret) => seal(publicKey, secret, occasion))
    const noise = Array.from({ length: ENTRIES - some.length }, () => randomBytes(ENTRY_BYTES))
    return { salt, entries: shuffled([...some, ...noise]) }
  })
}

/** The keys that are told to whoever knows `secrets`, by a device that can be dialled at `address`. */
export function recognise({ salt, entries }: Introductions, secrets: Iterable<Uint8Array>, address: Address): Uint8Array[] {
  const sealed = new Map(entries.map((entry) => [tagOf(entry), entry.subarray(TAG_BYTES)]))
  const occasion = occasionOf(salt, address)
  const derived = new Uint8Array(TAG_BYTES + KEY_BYTES)
  const found: Uint8Array[] = []
  for (const secret of secrets) {
    derive(derived, secret, occasion)
    const box = sealed.get(tagOf(derived))
    const publicKey = box === undefined ? null : open(box, derived.subarray(TAG_BYTES))
    if (publicKey !== null) found.push(publicKey)
  }
  return found
}

export function encodeIntroductions({ salt, entries }: Introductions): Uint8Array {
  return concatBytes(Uint8Array.of(VERSION), salt, ...entries)
}

/** Null where it is none, or of a later version. */
export function decodeIntroductions(bytes: Uint8Array): Introductions | null {
  if (bytes.length !== ENCODED_BYTES || bytes[0] !== VERSION) return null
  const start = 1 + SALT_BYTES
  const entryAt = (_: unknown, i: number): Uint8Array => bytes.subarray(start + i * ENTRY_BYTES, start + (i + 1) * ENTRY_BYTES)
  return { salt: bytes.subarray(1, start), entries: Array.from({ length: ENTRIES }, entryAt) }
}

const VERSION = 1
const ENCODED_BYTES = 1 + SALT_BYTES + ENTRIES * ENTRY_BYTES
const CONTEXT = encodeUtf8('covey/lan/1')

/**
 * The address is part of it: who repeats what it has heard, from elsewhere, is not recognised, and nobody can be
 * had to dial it.
 */
function occasionOf(salt: Uint8Array, { host, port }: Address): Uint8Array {
  return concatBytes(CONTEXT, salt, encodeUtf8(`${host}:${port}`))
}

/** The tag of a secret, by which its entry is found, and the key that opens it. */
function derive(into: Uint8Array, secret: Uint8Array, occasion: Uint8Array): void {
  sodium.crypto_generichash(into, occasion, secret)
}

function tagOf(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)
}

function seal(publicKey: Uint8Array, secret: Uint8Array, occasion: Uint8Array): Uint8Array {
  const derived = new Uint8Array(TAG_BYTES + KEY_BYTES)
  derive(derived, secret, occasion)
  const sealed = new Uint8Array(ENTRY_BYTES - TAG_BYTES)
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, publicKey, null, null, NONCE, derived.subarray(TAG_BYTES))
  return concatBytes(derived.subarray(0, TAG_BYTES), sealed)
}

function open(sealed: Uint8Array, key: Uint8Array): Uint8Array | null {
  const publicKey = new Uint8Array(KEY_BYTES)
  try {
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(publicKey, null, sealed, null, NONCE, key)
    return publicKey
  } catch {
    // Noise that has the tag, or somebody who knows the salt and not the secret.
    return null
  }
}

function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  sodium.randombytes_buf(bytes)
  return bytes
}

function shuffled<Value>(values: readonly Value[]): Value[] {
  const result = [...values]
  for (let i = result.length - 1; i > 0; i--) {
    const j = sodium.randombytes_uniform(i + 1)
    ;[result[i], result[j]] = [result[j]!, result[i]!]
  }
  return result
}
