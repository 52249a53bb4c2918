import { readBytes, writeBytes, type Result } from '@covey/core'
import type { ChannelCloseCode } from '../../channel.js'

/** What each side says first on a channel. */
export interface ChannelHello {
  /** The largest message that it takes. */
  readonly maxMessageBytes: number
  /** By which number it wants its datagrams called. */
  readonly datagramId: number
}

export function encodeHello({ maxMessageBytes, datagramId }: ChannelHello): Uint8Array {
  return writeBytes((writer) => writer.varint(maxMessageBytes).varint(datagramId))
}

export function decodeHello(bytes: Uint8Array): Result<ChannelHello> {
  return readBytes(bytes, (reader) => {
    const hello = { maxMessageBytes: reader.varint(), datagramId: reader.varint(MAX_DATAGRAM_ID) }
    // Fields of a later version.
    reader.rest()
    return hello
  }, { maxBytes: 256 })
}

export function encodeNumber(value: number): Uint8Array {
  return writeBytes((writer) => writer.varint(value))
}

export function decodeNumber(bytes: Uint8Array, max: number): Result<number> {
  return readBytes(bytes, (reader) => reader.varint(max), { maxBytes: 9 })
}

/** The reasons that are told, by their numbers. */
const CODES: readonly ChannelCloseCode[] = ['CHANNEL_CLOSED', 'CHANNEL_FLOODED', 'MESSAGE_TOO_LARGE', 'MESSAGE_INVALID']

export function encodeCode(code: ChannelCloseCode): Uint8Array {
  return encodeNumber(Math.max(0, CODES.indexOf(code)))
}

/** A reason that is not known is as good as none. */
export function decodeCode(bytes: Uint8Array): ChannelCloseCode {
  const number = decodeNumber(bytes, 255)
  return (number.ok ? CODES[number.value] : undefined) ?? 'CHANNEL_CLOSED'
}

/** A number is used once in a session, or so long ago that nothing of it is under way. */
export const MAX_DATAGRAM_ID = 2 ** 24 - 1
export const DATAGRAM_TAG_BYTES = 4
const DATAGRAM_HEADER_BYTES = DATAGRAM_TAG_BYTES + 3 + 6

/** `tag (4) | id (3) | sequence (6) | bytes`, numbers little end first. */
export function encodeDatagram(tag: Uint8Array, id: number, sequence: number, bytes: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(DATAGRAM_HEADER_BYTES + bytes.length)
  datagram.set(tag)
  const view = new DataView(datagram.buffer)
  view.setUint16(4, id & 0xffff, true)
  view.setUint8(6, id >>> 16)
  view.setUint32(7, sequence >>> 0, true)
  view.setUint16(11, Math.floor(sequence / 2 ** 32), true)
  datagram.set(bytes, DATAGRAM_HEADER_BYTES)
  return datagram
}

export interface DatagramFrame {
  readonly id: number
  readonly sequence: number
  /** Not a copy. */
  readonly bytes: Uint8Array
}

/** `null` for what is none, or one of another session. */
export function decodeDatagram(datagram: Uint8Array, tag: Uint8Array, maxBytes: number): DatagramFrame | null {
  if (datagram.length < DATAGRAM_HEADER_BYTES || datagram.length > DATAGRAM_HEADER_BYTES + maxBytes) return null
  if (tag.some((byte, i) => byte !== datagram[i])) return null
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length)
  const id = view.getUint16(4, true) + view.getUint8(6) * 2 ** 16
  const sequence = view.getUint32(7, true) + view.getUint16(11, true) * 2 ** 32
  return { id, sequence, bytes: datagram.subarray(DATAGRAM_HEADER_BYTES) }
}
