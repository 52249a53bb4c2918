// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="../runtime.d.ts" />
import { createConnection, createServer, type Server, type Socket } from '#tcp'
import NoiseSecretStream from '@hyperswarm/secret-stream'
import type Hyperswarm from 'hyperswarm'
import sodium from 'sodium-universal'
import { concatBytes, encodeZ32, equalBytes } from '@covey/core'
import { steadyNow } from '../steady-clock.js'
import { HANDSHAKE_TIMEOUT_MS, MAX_UNPROVEN, TICKET_BYTES, TICKET_MS } from './constants.js'
import type { TcpOffer } from './offer.js'
import { TcpStream } from './tcp-stream.js'

interface TcpInit {
  readonly keyPair: Hyperswarm['keyPair']
  /** The address to listen at. */
  readonly host: string
  /** A device has proven its key. */
  readonly onopen: (stream: NoiseSecretStream) => void
}

/**
 * TCP connections with devices that this one is in session with. Who comes without a ticket, which only the session
 * carries, gets no answer; who comes with one proves the key that it was given to.
 */
export class Tcp {
  readonly #init: TcpInit
  /** By their text. */
  readonly #tickets = new Map<string, { readonly publicKey: Uint8Array; readonly until: number }>()
  /** Who came, and has not shown a ticket, or a key. */
  readonly #unproven = new Set<{ destroy(): void }>()
  readonly #dials = new Set<NoiseSecretStream>()
  #server: Server | null = null
  #listening: Promise<number> | null = null
  #isClosed = false

  constructor(init: TcpInit) {
    this.#init = init
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Where the peer with this key is awaited from now on, for a while. Rejects where this device cannot listen. */
  async offer(publicKey: Uint8Array): Promise<TcpOffer> {
    if (this.#isClosed) throw closedError()
    const port = await (this.#listening ??= this.#listen())
    const now = steadyNow()
    for (const [id, { until }] of this.#tickets) if (until < now) this.#tickets.delete(id)
    const ticket = new Uint8Array(TICKET_BYTES)
    sodium.randombytes_buf(ticket)
    this.#tickets.set(encodeZ32(ticket), { publicKey, until: now + TICKET_MS })
    return { port, ticket }
  }

  /** Connects with the peer that has made this offer, at the address that it is known to have. */
  dial(publicKey: Uint8Array, host: string, { port, ticket }: TcpOffer): NoiseSecretStream {
    const socket = createConnection({ port, host })
    socket.setNoDelay(true)
    const stream = new TcpStream(socket)
    stream.write(ticket)
    return this.#secure(stream, publicKey, true)
  }

  /** Nobody is awaited, and nobody is dialled, until `open`. */
  close(): void {
    this.#isClosed = true
    this.#stopListening()
    for (const connection of [...this.#unproven, ...this.#dials]) connection.destroy()
  }

  open(): void {
    this.#isClosed = false
  }

  #stopListening(): void {
    this.#server?.close()
    this.#server = null
    this.#listening = null
    this.#tickets.clear()
  }

  #listen(): Promise<number> {
    const server = createServer((socket) => this.#admit(socket))
    this.#server = server
    return new Promise((resolve, reject) => {
      server.on('error', (error) => {
        if (this.#server === server) this.#stopListening()
        reject(error)
      })
      server.on('close', () => reject(closedError()))
      server.listen(0, this.#init.host, () => {
        if (this.#server === server) resolve(server.address().port)
        // What was closed before it listened goes on to listen.
        else server.close()
      })
    })
  }

  /** Reads the ticket, and nothing of who has none. */
  #admit(socket: Socket): void {
    if (this.#unproven.size >= MAX_UNPROVEN) return void socket.destroy()
    this.#unproven.add(socket)
    const timeout = setTimeout(() => socket.destroy(), HANDSHAKE_TIMEOUT_MS)
    const settle = (): void => {
      clearTimeout(timeout)
      this.#unproven.delete(socket)
    }
    let read: Uint8Array = new Uint8Array(0)
    const ondata = (bytes: Uint8Array): void => {
      read = concatBytes(read, bytes)
      if (read.length < TICKET_BYTES) return
      socket.off('data', ondata)
      settle()
      const publicKey = this.#redeem(read.subarray(0, TICKET_BYTES))
      if (publicKey === undefined) return void socket.destroy()
      socket.setNoDelay(true)
      this.#secure(new TcpStream(socket, read.subarray(TICKET_BYTES)), publicKey, false)
    }
    socket.on('data', ondata)
    // Somebody who breaks off before saying who they are.
    socket.on('error', () => undefined)
    socket.on('close', settle)
  }

  #redeem(ticket: Uint8Array): Uint8Array | undefined {
    const id = encodeZ32(ticket)
    const found = this.#tickets.get(id)
    this.#tickets.delete(id)
    return found !== undefined && found.until >= steadyNow() ? found.publicKey : undefined
  }

  /** Noise IK, by which a device says nothing to who does not know its key, and its own key to nobody but the peer. */
  #secure(raw: TcpStream, publicKey: Uint8Array, isInitiator: boolean): NoiseSecretStream {
    const { keyPair, onopen } = this.#init
    const stream = new NoiseSecretStream(isInitiator, raw, { pattern: 'IK', keyPair, ...(isInitiator && { remotePublicKey: publicKey }) })
    const pending = isInitiator ? this.#dials : this.#unproven
    pending.add(stream)
    const timeout = setTimeout(() => stream.destroy(new Error('No handshake within the time.')), HANDSHAKE_TIMEOUT_MS)
    const settle = (): void => {
      clearTimeout(timeout)
      pending.delete(stream)
    }
    stream.on('error', () => undefined)
    stream.once('close', settle)
    stream.once('handshake', () => {
      settle()
      if (!equalBytes(stream.remotePublicKey, publicKey)) stream.destroy(new Error('Another device came with the ticket.'))
    })
    stream.once('open', () => {
      if (!stream.destroying) onopen(stream)
    })
    return stream
  }
}

function closedError(): Error {
  return new Error('TCP is closed.')
}
