// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="../runtime.d.ts" />
import type { Socket } from '#tcp'
import { Duplex } from 'streamx'
import { BUFFER_BYTES } from './constants.js'

/** A TCP connection as a raw stream of the stack, on any runtime. It has no datagrams. */
export class TcpStream extends Duplex<Uint8Array> {
  readonly #socket: Socket
  #written: (() => void) | null = null

  /** @param first what has arrived on the socket already. */
  constructor(socket: Socket, first?: Uint8Array) {
    super({ highWaterMark: BUFFER_BYTES })
    this.#socket = socket
    socket.on('data', (bytes) => {
      if (!this.push(bytes)) socket.pause()
    })
    socket.on('drain', () => this.#writeOn())
    socket.on('end', () => void this.push(null))
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy())
    if (first !== undefined && first.length > 0) this.push(first)
  }

  override _read(done: () => void): void {
    this.#socket.resume()
    done()
  }

  override _write(bytes: Uint8Array, done: () => void): void {
    if (this.#socket.write(bytes)) done()
    else this.#written = done
  }

  override _final(done: () => void): void {
    this.#socket.end()
    done()
  }

  override _predestroy(): void {
    this.#socket.destroy()
    this.#writeOn()
  }

  #writeOn(): void {
    const done = this.#written
    this.#written = null
    done?.()
  }
}
