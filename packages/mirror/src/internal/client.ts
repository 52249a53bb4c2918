import type NoiseSecretStream from '@hyperswarm/secret-stream'
import { encodeZ32 } from '@covey/core'
import { encodeFrame, FRAME, RELAY_CIRCUITS, REST_KEEP_ALIVE_MS, REST_SILENCE_MS, TokenBucket } from '@covey/transport/internal'
import type { RelayLimits } from '../limits.js'

/** One of the two ends of a circuit. */
export interface Leg {
  readonly client: Client
  readonly id: number
  /** The other end. */
  far: Leg
  /** Bytes that came from this end, and that the far end has not taken in. */
  outstanding: number
  /** Bytes of them that it has taken in, which is not told yet: this end sends faster than it may. */
  owed: number
  timer: ReturnType<typeof setTimeout> | undefined
}

/** Control frames cost work, not bandwidth: each counts as so many bytes. */
const CONTROL_COST_BYTES = 512
/** Who keeps to the windows cannot owe so much: it is somebody who floods. */
const MAX_DEBT_MS = 60_000

/** A device that is connected to the relay, its key proven. */
export class Client {
  readonly publicKey: Uint8Array
  readonly id: string
  readonly legs = new Map<number, Leg>()
  readonly #stream: NoiseSecretStream
  readonly #bucket: TokenBucket
  readonly #buffered: { bytes: number }
  #next = 0
  #isDrained = true
  /** Bytes that were written since the device was last found to be slow. */
  #backlog = 0

  /** `buffered` counts what waits for all devices. */
  constructor(stream: NoiseSecretStream, limits: RelayLimits, buffered: { bytes: number }) {
    this.#stream = stream
    this.#buffered = buffered
    this.publicKey = stream.remotePublicKey.slice()
    this.id = encodeZ32(this.publicKey)
    this.#bucket = new TokenBucket(limits.maxClientBytesPerSecond, Date.now())
    stream.setKeepAlive(REST_KEEP_ALIVE_MS)
    stream.setTimeout(REST_SILENCE_MS)
    stream.on('drain', () => {
      this.#isDrained = true
      this.#forget()
    })
    stream.once('close', () => this.#forget())
  }

  /** Whether it takes what is sent as fast as it comes. */
  get isDrained(): boolean {
    return this.#isDrained
  }

  /** The number of a circuit that is offered to this device. */
  nextId(): number {
    do this.#next = (this.#next + 1) % RELAY_CIRCUITS
    while (this.legs.has(RELAY_CIRCUITS + this.#next))
    return RELAY_CIRCUITS + this.#next
  }

  spend(bytes: number, now: number): void {
    this.#bucket.spend(bytes, now)
  }

  waitMs(now: number): number {
    return this.#bucket.waitMs(now)
  }

  /** False: the device asks for more than an honest one does. */
  spendControl(now: number): boolean {
    return this.spendFree(CONTROL_COST_BYTES, now)
  }

  /** The same for what no window bounds. */
  spendFree(bytes: number, now: number): boolean {
    this.#bucket.spend(bytes, now)
    return this.#bucket.waitMs(now) < MAX_DEBT_MS
  }

  send(frame: Uint8Array): void {
    if (this.#stream.destroying) return
    if (!this.#isDrained) {
      this.#backlog += frame.length
      this.#buffered.bytes += frame.length
    }
    this.#isDrained = this.#stream.write(frame)
  }

  sendClose(id: number, code: number): void {
    this.send(encodeFrame(FRAME.close, id, Uint8Array.of(code)))
  }

  close(): void {
    this.#stream.destroy()
  }

  #forget(): void {
    this.#buffered.bytes -= this.#backlog
    this.#backlog = 0
  }
}

/** A circuit between two devices. Its end at `target`. */
export function connectLegs(client: Client, id: number, target: Client): Leg {
  const near = { client, id, outstanding: 0, owed: 0, timer: undefined } as Partial<Leg> as Leg
  const far: Leg = { ...near, client: target, id: target.nextId(), far: near }
  near.far = far
  client.legs.set(near.id, near)
  target.legs.set(far.id, far)
  return far
}
