/**
 * What a device and a relay say to each other, one frame a message of the Noise stream between them.
 *
 * A frame is its type (1 byte), the number of a circuit (4 bytes, little endian) and what the type asks
 * for. Who dialled the connection numbers the circuits that it opens below 2^31, the relay from there on.
 * Frames of an unknown type are of a later version, and passed over.
 */
export const FRAME = {
  /** First from both sides. The number is the version. */
  hello: 0,
  /** A circuit to a device is asked for, or from one offered. Its key follows. */
  open: 1,
  /** Bytes of the circuit follow. */
  data: 2,
  /** So many more bytes (4 bytes, little endian) may be sent: they were taken in. */
  window: 3,
  /** The circuit is over. One of {@link CLOSED} follows (1 byte). */
  close: 4,
  /** A message of the circuit, which may be lost and overtaken, follows. */
  datagram: 5,
  /** To be answered with the same number in a `pong`. */
  ping: 6,
  pong: 7
} as const

/** Why a circuit is over. Others are of a later version, and mean the same as `failed`. */
export const CLOSED = {
  /** It was ended, after everything that was sent. */
  ended: 0,
  /** The device is not connected to this relay. */
  absent: 1,
  /** The device does not want it. */
  refused: 2,
  /** A limit of the relay, or of the device, is reached. */
  busy: 3,
  failed: 4
} as const

export const RELAY_VERSION = 1

/** Type and number. */
const HEADER_BYTES = 5
/** The first number of the circuits that a relay opens. */
export const RELAY_CIRCUITS = 0x8000_0000

/** The most bytes in one frame: small enough that circuits take turns. */
export const MAX_DATA_BYTES = 65_536
/** The largest datagram: one packet, as on any path. */
export const MAX_DATAGRAM_BYTES = 1_200
/** The largest message of the carrier: a frame, and what Noise adds. */
export const MAX_MESSAGE_BYTES = MAX_DATA_BYTES + 1_024

/**
 * What may be on its way in one direction of a circuit: enough for 25 MB/s at a round trip of 80 ms,
 * and the most that a relay has to keep for it.
 */
export const WINDOW_BYTES = 2 * 1024 * 1024
/** What was taken in is told after so many bytes. */
export const GRANT_BYTES = WINDOW_BYTES / 8

/** How long a side that says nothing is believed to be there, at rest. Each says something twice as often. */
export const REST_SILENCE_MS = 50_000
export const REST_KEEP_ALIVE_MS = 20_000

/** How long a new connection may take until its key is proven. */
export const OPEN_TIMEOUT_MS = 10_000

export interface DecodedFrame {
  readonly type: number
  readonly id: number
  /** What follows the header: a view of what was decoded. */
  readonly body: Uint8Array
}

export function encodeFrame(type: number, id: number, body: Uint8Array = EMPTY): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + body.length)
  frame[0] = type
  writeNumber(frame, 1, id)
  frame.set(body, HEADER_BYTES)
  return frame
}

/** Null when it is no frame. Bodies have the length that their type asks for. */
export function decodeFrame(frame: Uint8Array): DecodedFrame | null {
  if (frame.length < HEADER_BYTES) return null
  const body = frame.subarray(HEADER_BYTES)
  const [min, max] = BODY_BYTES[frame[0]!] ?? [0, MAX_DATA_BYTES]
  if (body.length < min || body.length > max) return null
  return { type: frame[0]!, id: readNumber(frame, 1), body }
}

/** The same frame for another circuit, in the same memory. */
export function renumber(frame: Uint8Array, id: number): Uint8Array {
  writeNumber(frame, 1, id)
  return frame
}

export function encodeNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  writeNumber(bytes, 0, value)
  return bytes
}

/** Milliseconds since 1970, in 6 bytes. */
export function encodeTime(atMs: number): Uint8Array {
  return Uint8Array.from({ length: TIME_BYTES }, (_, i) => Math.floor(atMs / 256 ** i) % 256)
}

/** Null where nothing of the kind is said. */
export function decodeTime(bytes: Uint8Array): number | null {
  if (bytes.length < TIME_BYTES) return null
  return bytes.subarray(0, TIME_BYTES).reduce((sum, byte, i) => sum + byte * 256 ** i, 0)
}

const TIME_BYTES = 6

export function decodeNumber(bytes: Uint8Array): number {
  return readNumber(bytes, 0)
}

const EMPTY = new Uint8Array(0)

/** The least and the most bytes of a body, by type. Where a later version may add to it, there is room. */
const BODY_BYTES: readonly (readonly [number, number])[] = [
  [0, 1_024],
  [32, 1_024],
  [1, MAX_DATA_BYTES],
  [4, 4],
  [1, 1_024],
  [0, MAX_DATAGRAM_BYTES],
  [0, 1_024],
  [0, 1_024]
]

function writeNumber(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

function readNumber(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}
