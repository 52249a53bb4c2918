import { readBytes, writeBytes, type Result } from '@covey/core'
import { MIN_PORT, TICKET_BYTES } from './constants.js'

const MAX_PORT = 65_535

/** Where a device takes a TCP connection of one peer, once. */
export interface TcpOffer {
  readonly port: number
  readonly ticket: Uint8Array
}

export function encodeOffer({ port, ticket }: TcpOffer): Uint8Array {
  return writeBytes((writer) => writer.varint(port).bytes(ticket))
}

export function decodeOffer(bytes: Uint8Array): Result<TcpOffer> {
  return readBytes(bytes, (reader) => {
    const offer = { port: reader.varint(MAX_PORT), ticket: reader.bytes(TICKET_BYTES) }
    if (offer.port < MIN_PORT) throw new RangeError('The port is one of the system.')
    // Fields of a later version.
    reader.rest()
    return offer
  }, { maxBytes: 256 })
}
