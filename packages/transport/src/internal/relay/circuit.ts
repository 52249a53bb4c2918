import { Duplex, type DuplexEvents } from 'streamx'
import { GRANT_BYTES, MAX_DATA_BYTES, MAX_DATAGRAM_BYTES, WINDOW_BYTES } from './wire.js'

/** What a circuit needs of the connection to the relay. */
export interface CircuitCarrier {
  /** False: what follows would be kept in memory until {@link Circuit.onroom} is called. */
  readonly isDrained: boolean
  sendData(circuit: Circuit, bytes: Uint8Array): void
  sendDatagram(circuit: Circuit, bytes: Uint8Array): void
  grant(circuit: Circuit, bytes: number): void
  /** Nothing more comes of this circuit. `isEnd` when everything that was sent has been. */
  onclose(circuit: Circuit, isEnd: boolean): void
}

interface CircuitEvents extends DuplexEvents<Uint8Array> {
  message: [message: Uint8Array]
}

/**
 * One stream of bytes through a relay to a device, below the Noise stream with it. To that it is as a
 * raw stream of the stack, datagrams included.
 */
export class Circuit extends Duplex<Uint8Array, Uint8Array, CircuitEvents> {
  readonly id: number
  readonly #carrier: CircuitCarrier
  /** How much the other side takes now. */
  #credit = WINDOW_BYTES
  /** What came and was not granted again yet. */
  #arrived = 0
  #rest: Uint8Array | null = null
  #written: (() => void) | null = null
  #isClosed = false

  constructor(id: number, carrier: CircuitCarrier) {
    super()
    this.id = id
    this.#carrier = carrier
  }

  /** Bytes came. A throw is about the relay, which let through more than was granted. */
  ondata(bytes: Uint8Array): void {
    this.#arrived += bytes.length
    if (this.#arrived > WINDOW_BYTES) throw new Error('More was sent than is taken.')
    if (this.push(bytes) && this.#arrived >= GRANT_BYTES) this.#grant()
  }

  ongrant(bytes: number): void {
    this.#credit += bytes
    if (this.#credit > WINDOW_BYTES) throw new Error('More was granted than was sent.')
    this.#pump()
  }

  onmessage(bytes: Uint8Array): void {
    this.emit('message', bytes)
  }

  /** There is room in the connection again. */
  onroom(): void {
    this.#pump()
  }

  /** The other side, or the relay, has closed it. */
  onend(error: Error | null): void {
    this.#isClosed = true
    if (error !== null) return this.destroy(error)
    this.push(null)
    this.end()
  }

  /** Sends a message that may be lost; it is, where the connection is behind. */
  trySend(message: Uint8Array): void {
    if (this.#isClosed || !this.#carrier.isDrained || message.length > MAX_DATAGRAM_BYTES) return
    this.#carrier.sendDatagram(this, message)
  }

  send(message: Uint8Array): Promise<boolean> {
    this.trySend(message)
    return Promise.resolve(true)
  }

  override _write(bytes: Uint8Array, done: () => void): void {
    this.#rest = bytes
    this.#written = done
    this.#pump()
  }

  override _read(done: () => void): void {
    if (this.#arrived >= GRANT_BYTES) this.#grant()
    done()
  }

  override _final(done: () => void): void {
    this.#close(true)
    this.push(null)
    done()
  }

  override _predestroy(): void {
    this.#close(false)
    const done = this.#written
    this.#written = null
    done?.()
  }

  #pump(): void {
    while (this.#rest !== null && this.#credit > 0 && this.#carrier.isDrained && !this.#isClosed) {
      const bytes = this.#rest.subarray(0, Math.min(MAX_DATA_BYTES, this.#credit))
      this.#credit -= bytes.length
      this.#rest = bytes.length === this.#rest.length ? null : this.#rest.subarray(bytes.length)
      this.#carrier.sendData(this, bytes)
    }
    if (this.#rest !== null) return
    const done = this.#written
    this.#written = null
    done?.()
  }

  #grant(): void {
    const bytes = this.#arrived
    this.#arrived = 0
    if (!this.#isClosed) this.#carrier.grant(this, bytes)
  }

  #close(isEnd: boolean): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#carrier.onclose(this, isEnd)
  }
}
