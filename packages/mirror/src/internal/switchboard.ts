import type NoiseSecretStream from '@hyperswarm/secret-stream'
import { encodeZ32 } from '@covey/core'
import {
  CLOSED,
  decodeFrame,
  decodeNumber,
  encodeFrame,
  encodeNumber,
  encodeTime,
  FRAME,
  OPEN_TIMEOUT_MS,
  RELAY_CIRCUITS,
  RELAY_VERSION,
  renumber,
  TokenBucket,
  WINDOW_BYTES,
  type DecodedFrame
} from '@covey/transport/internal'
import type { RelayLimits } from '../limits.js'
import { Client, connectLegs, type Leg } from './client.js'

/** What a relay has done since it started, and what it does now. */
export interface RelayStats {
  readonly clients: number
  readonly circuits: number
  /** Bytes that wait for devices that are slow to take them. */
  readonly bufferedBytes: number
  readonly forwardedBytes: number
  readonly forwardedDatagrams: number
  /** Circuits that were opened. */
  readonly openedCircuits: number
  /** Circuits that were asked for in vain: the device was not there. */
  readonly absentCircuits: number
  /** Connections, circuits and datagrams that a limit has cost. */
  readonly limited: number
  /** Connections that were ended because what came was against the protocol. */
  readonly violations: number
}

/** A new circuit has to wait until its device owes less than this. */
const MAX_OPEN_DEBT_MS = 5_000

/** Connects devices with each other, and forwards what it cannot read. */
export class Switchboard {
  readonly #limits: RelayLimits
  readonly #clients = new Map<string, Client>()
  readonly #bucket: TokenBucket
  /** Connections, those whose key is not proven included. */
  readonly #streams = new Set<NoiseSecretStream>()
  readonly #buffered = { bytes: 0 }
  readonly #counts = {
    circuits: 0,
    forwardedBytes: 0,
    forwardedDatagrams: 0,
    openedCircuits: 0,
    absentCircuits: 0,
    limited: 0,
    violations: 0
  }
  #isClosed = false

  constructor(limits: RelayLimits) {
    this.#limits = limits
    this.#bucket = new TokenBucket(limits.maxBytesPerSecond, Date.now())
  }

  get stats(): RelayStats {
    return { ...this.#counts, clients: this.#clients.size, bufferedBytes: this.#buffered.bytes }
  }

  get isFull(): boolean {
    return this.#isClosed || this.#streams.size >= this.#limits.maxClients
  }

  /** Takes on a connection, open or about to. */
  accept(stream: NoiseSecretStream): void {
    stream.on('error', () => undefined)
    if (this.isFull) {
      this.#counts.limited++
      return stream.destroy()
    }
    this.#streams.add(stream)
    const timeout = setTimeout(() => stream.destroy(), OPEN_TIMEOUT_MS)
    stream.once('close', () => {
      clearTimeout(timeout)
      this.#streams.delete(stream)
    })
    void stream.opened.then((isOpen) => {
      clearTimeout(timeout)
      if (isOpen && !stream.destroying) this.#welcome(stream)
    })
  }

  close(): void {
    this.#isClosed = true
    for (const stream of this.#streams) stream.destroy()
  }

  #welcome(stream: NoiseSecretStream): void {
    const client = new Client(stream, this.#limits, this.#buffered)
    // The device has come by another network: its former connection is dead, or about to be.
    this.#clients.get(client.id)?.close()
    this.#clients.set(client.id, client)
    stream.on('data', (bytes) => this.#onframe(client, bytes))
    stream.once('close', () => {
      client.legs.forEach((leg) => this.#end(leg, CLOSED.failed))
      if (this.#clients.get(client.id) === client) this.#clients.delete(client.id)
    })
    client.send(encodeFrame(FRAME.hello, RELAY_VERSION))
  }

  #onframe(client: Client, bytes: Uint8Array): void {
    const frame = decodeFrame(bytes)
    const now = Date.now()
    if (frame === null || !this.#handle(client, frame, bytes, now)) {
      this.#counts.violations++
      client.close()
    }
  }

  /** False when it is against the protocol. */
  #handle(client: Client, frame: DecodedFrame, bytes: Uint8Array, now: number): boolean {
    const { type, id, body } = frame
    const leg = client.legs.get(id)
    // Some about a circuit that is over are under way. More are of somebody who floods.
    if (leg === undefined && (type === FRAME.data || type === FRAME.datagram)) return client.spendFree(bytes.length, now)
    if (leg !== undefined && type === FRAME.data) return this.#forward(leg, bytes, body.length, now)
    if (leg !== undefined && type === FRAME.datagram) return this.#forwardDatagram(leg, bytes, body.length, now)
    if (!client.spendControl(now)) return false
    if (type === FRAME.open) return this.#open(client, frame, now)
    if (type === FRAME.window) return leg === undefined || this.#grant(leg.far, decodeNumber(body), now)
    if (type === FRAME.close && leg !== undefined) this.#end(leg, body[0]!)
    // Who does not take what is sent is not told more.
    if (type === FRAME.ping && client.isDrained) client.send(encodeFrame(FRAME.pong, id, encodeTime(Date.now())))
    return true
  }

  #open(client: Client, { id, body }: DecodedFrame, now: number): boolean {
    if (id >= RELAY_CIRCUITS || client.legs.has(id)) return false
    const target = this.#clients.get(encodeZ32(body.subarray(0, 32)))
    if (target === undefined || target === client) {
      this.#counts.absentCircuits++
      client.sendClose(id, CLOSED.absent)
      return true
    }
    const { maxCircuits, maxClientCircuits } = this.#limits
    const isFull = this.#counts.circuits >= maxCircuits || [client, target].some(({ legs }) => legs.size >= maxClientCircuits)
    if (isFull || client.waitMs(now) > MAX_OPEN_DEBT_MS) {
      this.#counts.limited++
      client.sendClose(id, CLOSED.busy)
      return true
    }
    const far = connectLegs(client, id, target)
    this.#counts.circuits++
    this.#counts.openedCircuits++
    target.send(encodeFrame(FRAME.open, far.id, client.publicKey))
    return true
  }

  #forward(leg: Leg, bytes: Uint8Array, length: number, now: number): boolean {
    const { far } = leg
    leg.outstanding += length
    if (leg.outstanding > WINDOW_BYTES) return false
    if (!far.client.isDrained && this.#buffered.bytes + length > this.#limits.maxBufferedBytes) {
      this.#counts.limited++
      this.#end(leg, CLOSED.busy)
      leg.client.sendClose(leg.id, CLOSED.busy)
      return true
    }
    for (const bucket of [leg.client, far.client, this.#bucket]) bucket.spend(length, now)
    this.#counts.forwardedBytes += length
    far.client.send(renumber(bytes, far.id))
    return true
  }

  #forwardDatagram(leg: Leg, bytes: Uint8Array, length: number, now: number): boolean {
    const { far } = leg
    if (!far.client.isDrained || this.#waitMs(leg, now) > 0) {
      this.#counts.limited++
      return leg.client.spendControl(now)
    }
    for (const bucket of [leg.client, far.client, this.#bucket]) bucket.spend(length, now)
    this.#counts.forwardedDatagrams++
    far.client.send(renumber(bytes, far.id))
    return true
  }

  /**
   * The far end of `leg` has taken in so many bytes. That is told when nothing is owed for them: who sends
   * faster than it may runs out of window, and nothing has to be kept meanwhile.
   */
  #grant(leg: Leg, bytes: number, now: number): boolean {
    leg.owed += bytes
    if (leg.owed > leg.outstanding) return false
    if (leg.timer !== undefined) return true
    const waitMs = this.#waitMs(leg, now)
    if (waitMs === 0) this.#tellGrant(leg)
    else leg.timer = setTimeout(() => this.#tellGrant(leg), waitMs)
    return true
  }

  #tellGrant(leg: Leg): void {
    leg.timer = undefined
    leg.outstanding -= leg.owed
    leg.client.send(encodeFrame(FRAME.window, leg.id, encodeNumber(leg.owed)))
    leg.owed = 0
  }

  #waitMs(leg: Leg, now: number): number {
    return Math.max(...[leg.client, leg.far.client, this.#bucket].map((bucket) => bucket.waitMs(now)))
  }

  /** One end is over, and the other is told. */
  #end(leg: Leg, code: number): void {
    for (const { client, id, timer } of [leg, leg.far]) {
      clearTimeout(timer)
      client.legs.delete(id)
    }
    this.#counts.circuits--
    leg.far.client.sendClose(leg.far.id, code)
  }
}
