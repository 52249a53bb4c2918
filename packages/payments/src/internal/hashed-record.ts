import { equalBytes, readBytes, writeBytes, type ByteReader, type ByteWriter } from '@covey/core'
import { hashOf } from './hash.js'

/** The hash in front finds what a disk has damaged; whoever can write the folder can write a right one. */
export function encodeRecord(domain: string, write: (writer: ByteWriter) => unknown): Uint8Array {
  const body = writeBytes(write)
  return writeBytes((writer) => writer.bytes(hashOf(domain, body)).bytes(body))
}

/** `undefined` for what is damaged. */
export function decodeRecord<Value>(domain: string, bytes: Uint8Array, read: (reader: ByteReader) => Value): Value | undefined {
  const body = bytes.subarray(32)
  if (bytes.length < 32 || !equalBytes(hashOf(domain, body), bytes.subarray(0, 32))) return undefined
  const decoded = readBytes(body, read)
  return decoded.ok ? decoded.value : undefined
}
