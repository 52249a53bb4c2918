import type { Session } from '../session/session.js'
import { MAX_DATAGRAM_BYTES } from './constants.js'
import { DATAGRAM_TAG_BYTES, decodeDatagram, encodeDatagram, MAX_DATAGRAM_ID } from './wire.js'

type Receiver = (sequence: number, bytes: Uint8Array) => void

/** The datagrams of one session, for several channels. What is not addressed to one of them is dropped. */
export class DatagramPort {
  readonly #session: Session
  /** Binds a datagram to the session, where a connection has carried two. */
  readonly #tag: Uint8Array
  readonly #receivers = new Map<number, Receiver>()
  #nextId = 0

  constructor(session: Session) {
    this.#session = session
    this.#tag = session.handshakeHash.slice(0, DATAGRAM_TAG_BYTES)
    session.takeDatagram = (datagram) => {
      const frame = decodeDatagram(datagram, this.#tag, MAX_DATAGRAM_BYTES)
      if (frame !== null) this.#receivers.get(frame.id)?.(frame.sequence, frame.bytes)
    }
  }

  /** The number that the peer has to put on what is meant for `receiver`. */
  listen(receiver: Receiver): number {
    const id = this.#nextId
    this.#nextId = (this.#nextId + 1) % (MAX_DATAGRAM_ID + 1)
    this.#receivers.set(id, receiver)
    return id
  }

  stop(id: number): void {
    this.#receivers.delete(id)
  }

  send(id: number, sequence: number, bytes: Uint8Array): boolean {
    return this.#session.sendDatagram(encodeDatagram(this.#tag, id, sequence, bytes))
  }
}
