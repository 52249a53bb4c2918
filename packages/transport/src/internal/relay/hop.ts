import type NoiseSecretStream from '@hyperswarm/secret-stream'
import { Circuit, type CircuitCarrier } from './circuit.js'
import {
  CLOSED,
  decodeFrame,
  decodeNumber,
  decodeTime,
  encodeFrame,
  encodeNumber,
  FRAME,
  RELAY_CIRCUITS,
  RELAY_VERSION,
  REST_KEEP_ALIVE_MS,
  REST_SILENCE_MS,
  type DecodedFrame
} from './wire.js'
import { SILENCE_MS } from '../session/constants.js'
import { steadyNow } from '../steady-clock.js'

/** What a relay may have offered and not got an end of. Whom a device talks to is bounded elsewhere. */
const MAX_CIRCUITS = 256

/** An answer takes longer only on a slow network, or where none will come. */
const LATE_MS = 400

/** Answers that wait while the relay reads nothing: more than a burst of honest questions makes. */
const MAX_UNREAD_ANSWERS = 1_024

interface HopInit {
  /** The Noise stream to the relay, open. */
  readonly stream: NoiseSecretStream
  /** The relay says that a device wants to talk. False refuses. */
  readonly onoffer: (circuit: Circuit, publicKey: Uint8Array) => boolean
  readonly onclose: () => void
}

/** A connection to a relay, and the circuits in it. */
export class Hop implements CircuitCarrier {
  readonly stream: NoiseSecretStream
  readonly #init: HopInit
  /** The one that waited longest for room is the first to get some. */
  readonly #circuits = new Map<number, Circuit>()
  #next = 0
  #isDrained = true
  #heard: { bytes: number; at: number }
  #askedAt = 0
  #unreadAnswers = 0
  readonly #pongs = new Map<number, (body: Uint8Array) => void>()

  constructor(init: HopInit) {
    const { stream } = init
    this.#init = init
    this.stream = stream
    this.#heard = { bytes: stream.rawBytesRead, at: steadyNow() }
    stream.setKeepAlive(REST_KEEP_ALIVE_MS)
    stream.on('error', () => undefined)
    stream.on('data', (bytes) => this.#onframe(bytes))
    stream.on('drain', () => this.#ondrain())
    stream.on('close', () => {
      for (const circuit of this.#circuits.values()) circuit.onend(new Error('The connection to the relay broke.'))
      this.#circuits.clear()
      init.onclose()
    })
    this.#send(encodeFrame(FRAME.hello, RELAY_VERSION))
  }

  get isDrained(): boolean {
    return this.#isDrained
  }

  /** How many circuits there are. */
  get size(): number {
    return this.#circuits.size
  }

  /** Whether the relay has not been heard for as long as it should have. */
  get isSilent(): boolean {
    return this.#unansweredMs > SILENCE_MS || steadyNow() - this.#heard.at > REST_SILENCE_MS
  }

  /** Whether the relay was asked, and should have answered: another connection may be better. */
  get isLate(): boolean {
    return this.#unansweredMs > LATE_MS
  }

  /** For how long the relay has been asked without a word of it. */
  get #unansweredMs(): number {
    const { rawBytesRead } = this.stream
    const now = steadyNow()
    if (rawBytesRead !== this.#heard.bytes) this.#heard = { bytes: rawBytesRead, at: now }
    return this.#askedAt > this.#heard.at ? now - this.#askedAt : 0
  }

  /** Has the relay say something, so that silence means something. */
  ask(): void {
    if (this.#askedAt > this.#heard.at || this.stream.destroying) return
    this.#askedAt = steadyNow()
    this.#send(encodeFrame(FRAME.ping, 0))
  }

  /** How long an answer takes, and what the relay's clock says; null when none comes in time. */
  measure(timeoutMs: number): Promise<{ readonly roundTripMs: number; readonly clockAheadMs: number | null } | null> {
    this.#next = (this.#next + 1) % RELAY_CIRCUITS
    const id = this.#next
    const startedAt = performance.now()
    return new Promise<Uint8Array | null>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs, null)
      this.#pongs.set(id, (body) => {
        clearTimeout(timer)
        resolve(body)
      })
      this.#send(encodeFrame(FRAME.ping, id))
    }).then((body) => {
      this.#pongs.delete(id)
      if (body === null) return null
      const roundTripMs = Math.round(performance.now() - startedAt)
      const theirs = decodeTime(body)
      // Never -0, which is another number on the other side of a message channel.
      return { roundTripMs, clockAheadMs: theirs === null ? null : Math.round(Date.now() - roundTripMs / 2 - theirs) + 0 }
    })
  }

  /** A circuit to a device. What is written to it goes at once; it breaks where the device is not there. */
  open(publicKey: Uint8Array): Circuit {
    this.#next = (this.#next + 1) % RELAY_CIRCUITS
    const circuit = new Circuit(this.#next, this)
    this.#circuits.set(circuit.id, circuit)
    this.#send(encodeFrame(FRAME.open, circuit.id, publicKey))
    return circuit
  }

  close(): void {
    this.stream.destroy()
  }

  sendData(circuit: Circuit, bytes: Uint8Array): void {
    this.#send(encodeFrame(FRAME.data, circuit.id, bytes))
    if (this.#isDrained || !this.#circuits.delete(circuit.id)) return
    this.#circuits.set(circuit.id, circuit)
  }

  sendDatagram(circuit: Circuit, bytes: Uint8Array): void {
    this.#send(encodeFrame(FRAME.datagram, circuit.id, bytes))
  }

  grant(circuit: Circuit, bytes: number): void {
    this.#send(encodeFrame(FRAME.window, circuit.id, encodeNumber(bytes)))
  }

  onclose(circuit: Circuit, isEnd: boolean): void {
    if (this.#circuits.delete(circuit.id)) this.#send(encodeClose(circuit.id, isEnd ? CLOSED.ended : CLOSED.failed))
  }

  #onframe(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes)
    if (frame === null) return this.stream.destroy(new Error('The relay sent what is no frame.'))
    if (frame.type === FRAME.open) return this.#onopen(frame)
    if (frame.type === FRAME.ping) return this.#answer(encodeFrame(FRAME.pong, frame.id))
    if (frame.type === FRAME.pong) return this.#pongs.get(frame.id)?.(frame.body)
    // A circuit that is over here may still be told of.
    const circuit = this.#circuits.get(frame.id)
    if (circuit === undefined) return
    try {
      this.#oncircuit(circuit, frame)
    } catch (cause) {
      this.stream.destroy(new Error('The relay does not keep to the protocol.', { cause }))
    }
  }

  #oncircuit(circuit: Circuit, { type, body }: DecodedFrame): void {
    if (type === FRAME.data) circuit.ondata(body)
    else if (type === FRAME.window) circuit.ongrant(decodeNumber(body))
    else if (type === FRAME.datagram) circuit.onmessage(body)
    else if (type === FRAME.close) {
      this.#circuits.delete(circuit.id)
      circuit.onend(body[0] === CLOSED.ended ? null : new Error(reasonOf(body[0]!)))
    }
  }

  #onopen({ id, body }: DecodedFrame): void {
    if (id < RELAY_CIRCUITS || this.#circuits.has(id)) return this.stream.destroy(new Error('A circuit has a wrong number.'))
    if (this.#circuits.size >= MAX_CIRCUITS) return this.#answer(encodeClose(id, CLOSED.busy))
    const circuit = new Circuit(id, this)
    this.#circuits.set(id, circuit)
    if (this.#init.onoffer(circuit, body.slice(0, 32))) return
    this.#circuits.delete(id)
    circuit.destroy()
    this.#answer(encodeClose(id, CLOSED.refused))
  }

  #ondrain(): void {
    this.#isDrained = true
    this.#unreadAnswers = 0
    // Who gets no room goes to the end of the map.
    const waiting = [...this.#circuits.values()]
    for (const circuit of waiting) {
      if (!this.#isDrained) return
      circuit.onroom()
    }
  }

  /** Who asks without end and does not read is left. */
  #answer(frame: Uint8Array): void {
    const isTooMuch = !this.#isDrained && ++this.#unreadAnswers > MAX_UNREAD_ANSWERS
    if (isTooMuch) this.stream.destroy(new Error('The relay asks, and does not read the answers.'))
    else this.#send(frame)
  }

  #send(frame: Uint8Array): void {
    if (!this.stream.destroying) this.#isDrained = this.stream.write(frame)
  }
}

function encodeClose(id: number, code: number): Uint8Array {
  return encodeFrame(FRAME.close, id, Uint8Array.of(code))
}

function reasonOf(code: number): string {
  if (code === CLOSED.absent) return 'The device is not connected to the relay.'
  if (code === CLOSED.refused) return 'The device refused.'
  if (code === CLOSED.busy) return 'A limit of the relay or of the device is reached.'
  return 'The relay could not go on.'
}
