import { concatBytes, encodeUtf8, equalBytes, readBytes } from '@covey/core'
import { hash, openNumbered, randomBytes, sealNumbered, TAG_BYTES } from '../crypto.js'

const MAGIC = encodeUtf8('covey/bundle')
const VERSION = 1
const SALT_BYTES = 32
const ROOM_BYTES = 16

/** What a bundle begins with, in the clear. */
export const HEADER_BYTES = MAGIC.length + 1 + SALT_BYTES + ROOM_BYTES

/** By how much a sealed frame is longer than what is in it. */
export const SEAL_BYTES = TAG_BYTES

/** The clear beginning of a bundle: it names the room only to those who know the room's key. */
export interface BundleHeader {
  readonly bytes: Uint8Array
  readonly salt: Uint8Array
  readonly room: Uint8Array
}

/** Seals the frames of one bundle, and opens them: each has its number, so that none is elsewhere than it was. */
export interface BundleSeal {
  seal(frame: Uint8Array, number: number): Uint8Array
  /** `undefined` for what is not the frame of this number. */
  open(sealed: Uint8Array, number: number): Uint8Array | undefined
}

export function makeHeader(roomKey: Uint8Array, salt = randomBytes(SALT_BYTES)): BundleHeader {
  const room = roomTag(roomKey, salt)
  return { bytes: concatBytes(MAGIC, Uint8Array.of(VERSION), salt, room), salt, room }
}

/** Of the first bytes of a file; a text says why it is none. */
export function readHeader(bytes: Uint8Array): BundleHeader | 'malformed' | 'unsupported' {
  const header = readBytes(bytes, (reader) => {
    if (!equalBytes(reader.bytes(MAGIC.length), MAGIC)) reader.fail('This is no bundle.')
    const version = reader.uint8()
    return { version, bytes, salt: reader.bytes(SALT_BYTES), room: reader.bytes(ROOM_BYTES) }
  })
  if (!header.ok) return 'malformed'
  const { version, ...rest } = header.value
  return version === VERSION ? rest : 'unsupported'
}

/** Whether a bundle was made by somebody who has the key of this room. */
export function isOfRoom({ salt, room }: BundleHeader, roomKey: Uint8Array): boolean {
  return equalBytes(room, roomTag(roomKey, salt))
}

export function sealOf(roomKey: Uint8Array, { salt, bytes }: BundleHeader): BundleSeal {
  const key = hash('covey/rooms/bundle-key/1', roomKey, salt)
  return {
    seal: (frame, number) => sealNumbered(frame, bytes, key, number),
    open: (sealed, number) => openNumbered(sealed, bytes, key, number)
  }
}

function roomTag(roomKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return hash('covey/rooms/bundle-room/1', roomKey, salt).slice(0, ROOM_BYTES)
}
