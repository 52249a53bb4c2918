import { Duplex } from 'streamx'
import { steadyNow } from '../steady-clock.js'
import { ACK_BYTES, ACK_DELAY_MS, ACK_FRAMES, FRAME_COST, KEEP_ALIVE_MS, MAX_FRAME_BYTES, WINDOW_BYTES } from './constants.js'
import { BULK_BYTES } from '../tcp/constants.js'
import { sessionHash, type Greeting } from './greeting.js'
import type { Link, LinkReceiver } from './link.js'
import { ReplayBuffer } from './replay-buffer.js'

interface SessionInit {
  readonly publicKey: Uint8Array
  readonly remotePublicKey: Uint8Array
  readonly isLeader: boolean
  readonly nonces: Omit<Greeting, 'received'>
  /** The path in use is another one, or there is none. */
  readonly onpath: () => void
  /** Much was sent on this path, which is not TCP. */
  readonly onbulk: (link: Link) => void
  /** It is over, and never comes back. */
  readonly onend: () => void
}

/**
 * What two devices have said to each other since they met, whatever connections carried it. To the
 * protocols above it is a Noise stream: whole frames, in order, none lost and none twice.
 *
 * Frames are numbered by counting. Each side keeps what it wrote until the other has acknowledged it,
 * and sends it again where the path changes; what has arrived already is passed over. Either side
 * sends on the path that it thinks best, and takes what comes on any.
 */
export class Session extends Duplex<Uint8Array> implements LinkReceiver {
  readonly noiseStream = this
  readonly isInitiator: boolean
  readonly publicKey: Uint8Array
  readonly remotePublicKey: Uint8Array
  /** The same on both sides, and of no other session. */
  readonly handshakeHash: Uint8Array
  readonly opened = Promise.resolve(true)
  /** Until it is, protomux-wakeup waits for an `open` that has been. */
  readonly connected = true
  /** The links have their own. */
  readonly keepAlive = KEEP_ALIVE_MS
  readonly nonces: Omit<Greeting, 'received'>
  /** The Protomux of this stream, as with any Noise stream. */
  userData: unknown = null
  readonly links = new Set<Link>()
  active: Link | null = null
  /** What carries datagrams: the same, or the best beside it where it is TCP. */
  datagrams: Link | null = null
  /** When it came into use. */
  activeSince = 0
  /** The peer has said that it sleeps: it is not to be dialled, and is waited for longer. */
  isPeerAsleep = false
  /** What becomes of a datagram of the peer; of any content. */
  takeDatagram: ((datagram: Uint8Array) => void) | null = null
  /** When the last path was lost. */
  offlineSince = steadyNow()
  readonly #init: SessionInit
  readonly #kept = new ReplayBuffer()
  #received = 0
  /** Since the last time that it was much. */
  #sentBytes = 0
  /** How many frames the reader has taken in; only these are acknowledged. */
  #consumed = 0
  #acknowledged = 0
  #unacknowledgedBytes = 0
  #unconsumedBytes = 0
  #ackTimer: ReturnType<typeof setTimeout> | undefined
  #written: (() => void) | null = null

  constructor(init: SessionInit) {
    super({ byteLengthReadable: costOf })
    this.#init = init
    this.nonces = init.nonces
    this.isInitiator = init.isLeader
    this.publicKey = init.publicKey
    this.remotePublicKey = init.remotePublicKey
    const [leader, follower] = init.isLeader
      ? [init.publicKey, init.remotePublicKey]
      : [init.remotePublicKey, init.publicKey]
    this.handshakeHash = sessionHash({ leader, follower }, init.nonces)
  }

  /** What replication and pairing ask of a connection: the round trip of the path in use. */
  get rawStream(): { readonly rtt: number } {
    const raw = this.active?.stream.rawStream as { readonly rtt?: number } | undefined
    return typeof raw?.rtt === 'number' ? (raw as { readonly rtt: number }) : NO_PATH
  }

  /** What a greeting says has arrived: that which waits for the reader is not let go of yet. */
  get received(): number {
    return this.#consumed
  }

  /** Takes on a connection whose greetings have named this session. `received` is the peer's. */
  attach(link: Link, received: number): void {
    if (!this.#kept.acknowledge(Math.max(received, this.#kept.start))) throw new Error('More arrived than was sent.')
    link.belongTo(this)
    this.links.add(link)
    this.isPeerAsleep = false
    this.choosePath()
  }

  /** Looks which of the paths is the best now, and moves to it. */
  choosePath(): void {
    if (this.destroying) return
    const best = bestOf([...this.links])
    this.datagrams = bestOf([...this.links].filter(({ isTcp }) => !isTcp))
    if (best !== this.active) {
      this.active = best
      if (best === null) this.offlineSince = steadyNow()
      else {
        best.sendFrom(this.#kept.start)
        // What was acknowledged on the former path may not have arrived, and the peer may have sent all that it may.
        this.#acknowledge()
      }
      this.activeSince = steadyNow()
      this.#init.onpath()
    }
    this.#pump()
  }

  onfrom(link: Link, position: number): void {
    if (position > this.#received) throw new Error('Frames are missing.')
    link.next = position
  }

  ondata(link: Link, frame: Uint8Array): void {
    if (link.next === -1) throw new Error('Frames came before their number.')
    if (link.next++ < this.#received) return this.#acknowledgeSoon()
    this.#received++
    this.#unconsumedBytes += costOf(frame)
    this.#unacknowledgedBytes += frame.length
    if (this.#unconsumedBytes > WINDOW_BYTES + MAX_FRAME_BYTES) throw new Error('More was sent than is taken.')
    // The reader is full when `push` says so, and what came meanwhile is acknowledged when it asks for more.
    if (this.push(frame)) this.#consume()
  }

  onack(_: Link, count: number): void {
    if (count < this.#kept.start) return
    if (!this.#kept.acknowledge(count)) throw new Error('More was acknowledged than was sent.')
    this.#pump()
  }

  onend(): void {
    this.destroy()
  }

  onsuspend(): void {
    this.isPeerAsleep = true
  }

  ondatagram(_: Link, datagram: Uint8Array): void {
    this.takeDatagram?.(datagram)
  }

  /** Sends what may be lost, on the best path that has datagrams. `false` when it was dropped here. */
  sendDatagram(datagram: Uint8Array): boolean {
    return this.datagrams?.sendDatagram(datagram) ?? false
  }

  ondrain(link: Link): void {
    if (link === this.active) this.#pump()
  }

  onclose(link: Link): void {
    this.links.delete(link)
    this.choosePath()
  }

  override _write(frame: Uint8Array, done: () => void): void {
    this.#kept.push(frame)
    this.#written = done
    this.#pump()
  }

  override _read(done: () => void): void {
    this.#consume()
    done()
  }

  override _predestroy(): void {
    clearTimeout(this.#ackTimer)
    const done = this.#written
    this.#written = null
    done?.()
  }

  override _destroy(done: () => void): void {
    this.active = null
    this.datagrams = null
    for (const link of this.links) link.end()
    this.links.clear()
    this.#init.onend()
    done()
  }

  /** Sends what the path takes, and lets the writer go on when there is room. */
  #pump(): void {
    const link = this.active
    while (link !== null && link.sent < this.#kept.end && link.isDrained) {
      // What was acknowledged by way of another path need not be sent on this one any more.
      if (link.sent < this.#kept.start) link.sendFrom(this.#kept.start)
      else this.#send(link, this.#kept.at(link.sent)!)
    }
    if (link === null || link.sent < this.#kept.end || !link.isDrained || this.#kept.isFull) return
    const done = this.#written
    this.#written = null
    done?.()
  }

  #send(link: Link, frame: Uint8Array): void {
    link.sendData(frame)
    this.#sentBytes += frame.length
    if (this.#sentBytes < BULK_BYTES) return
    this.#sentBytes = 0
    if (!link.isTcp) this.#init.onbulk(link)
  }

  #consume(): void {
    this.#consumed = this.#received
    this.#unconsumedBytes = 0
    this.#acknowledgeSoon()
  }

  #acknowledgeSoon(): void {
    if (this.#unacknowledgedBytes >= ACK_BYTES || this.#consumed - this.#acknowledged >= ACK_FRAMES) this.#acknowledge()
    else this.#ackTimer ??= setTimeout(() => this.#acknowledge(), ACK_DELAY_MS)
  }

  #acknowledge(): void {
    clearTimeout(this.#ackTimer)
    this.#ackTimer = undefined
    this.#acknowledged = this.#consumed
    this.#unacknowledgedBytes = 0
    this.active?.sendAck(this.#consumed)
  }
}

/** An empty frame takes memory too, where nobody reads. */
function costOf(frame: Uint8Array): number {
  return frame.length + FRAME_COST
}

/** In the place of a path that is not there, or does not measure its round trip. */
const NO_PATH = { rtt: 0 }

function bestOf(links: readonly Link[]): Link | null {
  return links.reduce<Link | null>((a, b) => (a === null || isBetter(b, a) ? b : a), null)
}

/** One that is heard before one that is silent, then a direct one, then TCP, then the newer. */
function isBetter(a: Link, b: Link): boolean {
  if (a.isHeard !== b.isHeard) return a.isHeard
  if (a.isRelayed !== b.isRelayed) return b.isRelayed
  if (a.isTcp !== b.isTcp) return a.isTcp
  return a.openedAt > b.openedAt
}
