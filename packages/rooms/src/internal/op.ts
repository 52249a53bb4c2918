import { concatBytes, readBytes, writeBytes } from '@covey/core'
import { hash } from './crypto.js'
import { decodeStruct, encodeStruct, type Structs } from './structs.js'

/** The kinds of ops. A number, once given, is never given to another. */
export const OpType = {
  create: 1,
  admit: 2,
  rotate: 3,
  grant: 4,
  invite: 5,
  settings: 6,
  profile: 7,
  leave: 8,
  setRole: 9,
  mute: 10,
  remove: 11,
  unban: 12,
  transfer: 13,
  revokeInvite: 14,
  revokeDevice: 15,
  keyRequest: 16,
  knock: 17,
  enter: 18,
  equivocation: 19,
  keepEpoch: 20,
  message: 32,
  edit: 33,
  delete: 34,
  react: 35,
  unreact: 36,
  pin: 37,
  unpin: 38,
  vote: 39,
  closeVote: 40,
  receipt: 41,
  addDevice: 56,
  rules: 64,
  report: 65,
  resolveReport: 66,
  collection: 72,
  put: 73,
  del: 74,
  mirrors: 80,
  indexers: 84
} as const

export type OpTypeName = keyof typeof OpType

/** Whether ops of a type are about messages, which who came later may have no right to read. 72 to 79 are about app data. */
export function isTalk(type: number): boolean {
  return (type >= OpType.message && type < OpType.addDevice) || type === OpType.report || type === OpType.resolveReport
}

/** Whether ops of a type change nothing of who is in the room, what it is called, and who may write what. */
export function isPlain(type: number): boolean {
  return isTalk(type) || type === OpType.put || type === OpType.del
}

/** An op takes at most this much of a writer's core: a content of 80 KiB, and what goes with it. What is larger belongs in files. */
export const MAX_OP_BYTES = 98_304

const OP_VERSION = 1

/** The clear part of an op: advice, and never a claim of who wrote it. */
export type OpHeader = Structs['op-header']

/** A decoded op: `version | varint length of header | header | sealed body`. */
export interface Op {
  readonly header: OpHeader
  /** Everything before the body, as it was written: what the body's seal binds. */
  readonly clear: Uint8Array
  /** The sealed body; empty for ops that have none. */
  readonly sealed: Uint8Array
}

/**
 * @param sealBody makes the body, given the clear bytes that it has to be bound to.
 * @throws {TypeError} for more than an op may take: others would not read it.
 */
export function encodeOp(header: OpHeader, sealBody?: (clear: Uint8Array) => Uint8Array): Uint8Array {
  const encoded = encodeStruct('op-header', header)
  const clear = writeBytes((writer) => writer.uint8(OP_VERSION).prefixedBytes(encoded, MAX_OP_BYTES))
  const bytes = sealBody === undefined ? clear : concatBytes(clear, sealBody(clear))
  if (bytes.length > MAX_OP_BYTES) throw new TypeError(`an op has at most ${MAX_OP_BYTES} bytes`)
  return bytes
}

/** The op, or `undefined` for bytes that are none or of a version that is not known here. */
export function decodeOp(bytes: Uint8Array): Op | undefined {
  const parts = readBytes(
    bytes,
    (reader) => {
      if (reader.uint8() !== OP_VERSION) reader.fail('The version is not known.')
      return { header: reader.prefixedBytes(MAX_OP_BYTES), sealed: reader.rest() }
    },
    { maxBytes: MAX_OP_BYTES }
  )
  if (!parts.ok) return undefined
  const header = decodeStruct('op-header', parts.value.header)
  if (header === undefined || !isTime(header.sentAt)) return undefined
  const { sealed } = parts.value
  return { header, sealed, clear: bytes.subarray(0, bytes.length - sealed.length) }
}

/** Whether a `Date` can hold it: apps show times. */
export function isTime(ms: number): boolean {
  return Number.isSafeInteger(ms) && ms <= MAX_TIME_MS
}

/** @see {@link https://tc39.es/ecma262/#sec-time-values-and-time-range} */
const MAX_TIME_MS = 8.64e15

/**
 * The id of an op: a hash of what was written, in which room and by which writer. Nobody can give an
 * op the id of another, and the same op has the same id however often it is applied.
 */
export function opId(room: Uint8Array, writer: Uint8Array, bytes: Uint8Array): Uint8Array {
  return hash('covey/op/1', room, writer, bytes)
}
