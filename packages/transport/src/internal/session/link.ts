import type { SwarmConnection } from 'hyperswarm'
import Protomux, { type Channel, type Message } from 'protomux'
import { readBytes, writeBytes } from '@covey/core'
import { guardConnection } from '../guards/guard-connection.js'
import { Circuit } from '../relay/circuit.js'
import { steadyNow } from '../steady-clock.js'
import { TcpStream } from '../tcp/tcp-stream.js'
import {
  DOUBT_MS,
  END_TIMEOUT_MS,
  GREETING_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  MAX_DATAGRAMS_UNDER_WAY,
  SESSION_PROTOCOL,
  SILENCE_MS
} from './constants.js'
import { decodeGreeting, encodeGreeting, type Greeting } from './greeting.js'

/** What a connection brings for the session above it. A throw ends the connection. */
export interface LinkReceiver {
  onfrom(link: Link, position: number): void
  ondata(link: Link, frame: Uint8Array): void
  onack(link: Link, count: number): void
  onend(link: Link): void
  onsuspend(link: Link): void
  ondatagram(link: Link, datagram: Uint8Array): void
  ondrain(link: Link): void
  onclose(link: Link): void
}

interface LinkInit {
  readonly stream: SwarmConnection
  readonly ongreeting: (link: Link, greeting: Greeting) => void
  /** Where the peer says that it can be met; of any content. A throw ends the connection. */
  readonly onhints: (hints: Uint8Array) => void
  /** The peer can be dialled over TCP, as it says; of any content. A throw ends the connection. */
  readonly ontcp: (link: Link, offer: Uint8Array) => void
  /** It closed before it carried a session, or after. */
  readonly onclose: (link: Link) => void
}

/** One encrypted connection to a peer's device, which a session may use while it lasts. */
export class Link {
  readonly stream: SwarmConnection
  readonly openedAt = steadyNow()
  /** Whom what arrives is for; null until the greetings have settled it. */
  receiver: LinkReceiver | null = null
  /** It carries a session that was begun on what the peer said in the handshake, and nothing has come by it yet. */
  isEarly = false
  /** The number of the next frame to arrive here; -1 until the peer has named one. */
  next = -1
  /** The number of the next frame to send here. */
  sent = 0
  readonly #channel: Channel
  readonly #messages: Message<Uint8Array>[]
  #timer: ReturnType<typeof setTimeout>
  /** Those that wait to leave. */
  #datagrams = 0
  #heard: { bytes: number; at: number }

  constructor({ stream, ongreeting, onhints, ontcp, onclose }: LinkInit) {
    this.stream = stream
    this.#heard = { bytes: bytesHeard(stream), at: steadyNow() }
    this.#timer = setTimeout(() => stream.destroy(new Error('No session within the time.')), GREETING_TIMEOUT_MS)
    stream.setKeepAlive(KEEP_ALIVE_MS)
    guardConnection(stream)
    const owner = (): LinkReceiver => (this.isEarly ? null : this.receiver) ?? fail('It came before the session was settled.')
    const onmessages: ((bytes: Uint8Array) => void)[] = [
      (bytes) => ongreeting(this, valueOf(decodeGreeting(bytes))),
      (bytes) => owner().onfrom(this, decodeNumber(bytes)),
      (bytes) => owner().ondata(this, bytes),
      (bytes) => owner().onack(this, decodeNumber(bytes)),
      () => this.receiver?.onend(this),
      () => this.receiver?.onsuspend(this),
      (bytes) => owner() && onhints(bytes),
      (bytes) => owner() && ontcp(this, bytes)
    ]
    this.#channel = Protomux.from(stream).createChannel({
      protocol: SESSION_PROTOCOL,
      unique: true,
      messages: onmessages.map((onmessage) => ({ onmessage: onmessage as (message: never) => void })),
      onclose: () => stream.destroy(),
      ondrain: () => this.receiver?.ondrain(this)
    })!
    this.#messages = this.#channel.messages as Message<Uint8Array>[]
    stream.on('message', (bytes) => this.receiver?.ondatagram(this, bytes))
    stream.on('close', () => {
      clearTimeout(this.#timer)
      onclose(this)
      this.receiver?.onclose(this)
    })
    this.#channel.open()
  }

  /** When something last arrived, keep-alives included. Looked at now and then, which is as exact as that. */
  get heardAt(): number {
    const bytes = bytesHeard(this.stream)
    if (bytes !== this.#heard.bytes) this.#heard = { bytes, at: steadyNow() }
    return this.#heard.at
  }

  /** Whether a relay carries it. */
  get isRelayed(): boolean {
    return this.stream.rawStream instanceof Circuit
  }

  /** Whether it is TCP, which has no datagrams. */
  get isTcp(): boolean {
    return this.stream.rawStream instanceof TcpStream
  }

  /** Where the peer is, as its packets have shown; null where that is not known, or is a relay. */
  get host(): string | null {
    return this.isRelayed || this.isTcp ? null : (this.stream.rawStream.remoteHost ?? null)
  }

  get rttMs(): number {
    return this.stream.rawStream.rtt ?? 0
  }

  get isHeard(): boolean {
    return !this.isEarly && steadyNow() - this.heardAt < SILENCE_MS
  }

  /** Whether another path had better be looked for. */
  get isDoubted(): boolean {
    return steadyNow() - this.heardAt >= DOUBT_MS
  }

  /** Has it prove, by something that arrives, that it still works. */
  doubt(): void {
    this.#heard = { bytes: bytesHeard(this.stream), at: Math.min(this.heardAt, steadyNow() - DOUBT_MS) }
    this.stream.sendKeepAlive()
  }

  /** Whether more can be sent without being kept in memory. */
  get isDrained(): boolean {
    return this.#channel.drained
  }

  /** The session is settled: from now on what arrives is its own. */
  belongTo(receiver: LinkReceiver): void {
    this.receiver = receiver
    if (!this.isEarly) clearTimeout(this.#timer)
  }

  /** The greeting has come. */
  confirm(): void {
    this.isEarly = false
    clearTimeout(this.#timer)
  }

  greet(greeting: Greeting): void {
    this.#messages[0]!.send(encodeGreeting(greeting))
  }

  /** The number of the first frame that will follow here. */
  sendFrom(position: number): void {
    this.sent = position
    this.#messages[1]!.send(encodeNumber(position))
  }

  sendData(frame: Uint8Array): void {
    this.sent++
    this.#messages[2]!.send(frame)
  }

  sendAck(count: number): void {
    this.#messages[3]!.send(encodeNumber(count))
  }

  /** Where this device can be met. */
  sendHints(hints: Uint8Array): void {
    this.#messages[6]!.send(hints)
  }

  /** That the peer may dial over TCP. */
  sendTcp(offer: Uint8Array): void {
    this.#messages[7]!.send(offer)
  }

  /** Sends what may be lost. `false` when it was dropped here. */
  sendDatagram(datagram: Uint8Array): boolean {
    if (this.#datagrams >= MAX_DATAGRAMS_UNDER_WAY || this.stream.destroying) return false
    const leaving = this.stream.send(datagram)
    if (leaving === undefined) return false
    this.#datagrams++
    const onleave = (): void => void this.#datagrams--
    leaving.then(onleave, onleave)
    return true
  }

  /** Tells the peer that the session is over, or that this device sleeps, and closes when that is on its way. */
  end(isAsleep = false): void {
    this.#messages[isAsleep ? 5 : 4]!.send(new Uint8Array(0))
    this.stream.end()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.stream.destroy(), END_TIMEOUT_MS)
  }

  close(reason?: string): void {
    this.stream.destroy(reason === undefined ? null : new Error(reason))
  }
}

function encodeNumber(value: number): Uint8Array {
  return writeBytes((writer) => writer.varint(value))
}

function decodeNumber(bytes: Uint8Array): number {
  return valueOf(readBytes(bytes, (reader) => reader.varint(), { maxBytes: 9 }))
}

function valueOf<Value>(result: { ok: true; value: Value } | { ok: false; error: Error }): Value {
  if (!result.ok) throw result.error
  return result.value
}

function fail(message: string): never {
  throw new Error(message)
}

/**
 * A number that changes with each byte that arrives: a large frame takes its time on a slow link, and is not silence. What there is
 * of the one that is arriving, @hyperswarm/secret-stream 6.9.2 counts in `_tmp` (index.js, `_onrawdata`); HyperDHT may bring another.
 */
function bytesHeard(stream: SwarmConnection): number {
  return stream.rawBytesRead + ((stream as unknown as { readonly _tmp?: number })._tmp ?? 0)
}
