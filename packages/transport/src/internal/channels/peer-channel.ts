import Protomux, { type Channel as MuxChannel, type Message } from 'protomux'
import { onAbort } from '@covey/core'
import type { ChannelCloseCode } from '../../channel.js'
import { TransportError } from '../../errors.js'
import type { Session } from '../session/session.js'
import { BATCH_BYTES, IDLE_MICROTASKS, MAX_CREDIT, MESSAGE_COST, SMALL_MESSAGE_BYTES } from './constants.js'
import { PeerDatagrams } from './peer-datagrams.js'
import type { DatagramPort } from './datagram-port.js'
import type { Inbox } from './inbox.js'
import type { Intake } from './intake.js'
import { decodeCode, decodeHello, decodeNumber, encodeCode, encodeHello, encodeNumber, type ChannelHello } from './wire.js'

export interface ChannelEnd {
  readonly code: ChannelCloseCode
  readonly isRemote: boolean
  readonly wasOpen: boolean
  /** Of a message that the codec did not take. */
  readonly cause: unknown
}

export interface PeerChannelInit {
  readonly session: Session
  readonly peer: string
  readonly protocol: string
  readonly maxMessageBytes: number
  readonly window: number
  readonly intake: Intake
  readonly port: DatagramPort
  readonly datagrams: Inbox<{ sequence: number; bytes: Uint8Array }>
  readonly onopen: (channel: PeerChannel) => void
  readonly onend: (channel: PeerChannel, end: ChannelEnd) => void
}

interface Unsent {
  readonly bytes: Uint8Array
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * A channel with one peer, from its opening to its end. Each side may send as much as the other has given it
 * credit for, and is given more as the other's reader takes what came: so a slow reader holds up its own peer,
 * on this channel, and nothing else.
 */
export class PeerChannel {
  readonly datagrams: PeerDatagrams
  readonly #init: PeerChannelInit
  readonly #mux: Protomux<Session>
  readonly #channel: MuxChannel
  readonly #messages: Message<Uint8Array>[]
  /** What the peer has said of itself; then it is open. */
  #hello: ChannelHello | null = null
  /** What may be sent. */
  #credit = 0
  /** What may come. */
  #granted = 0
  #unsent: Unsent[] = []
  /** Of the batch that is being put together; `null` when there is none. */
  #batchBytes: number | null = null
  #grantTimer: ReturnType<typeof setTimeout> | undefined
  #hasEnded = false

  /** `null` when the session is over already. */
  static open(init: PeerChannelInit): PeerChannel | null {
    const mux = Protomux.from(init.session)
    const handlers: ((bytes: Uint8Array) => void)[] = []
    const channel = mux.createChannel({
      protocol: init.protocol,
      messages: [0, 1, 2, 3].map((type) => ({ onmessage: ((bytes: Uint8Array) => handlers[type]?.(bytes)) as never })),
      onclose: () => handlers[4]?.(new Uint8Array(0)),
      ondrain: () => handlers[5]?.(new Uint8Array(0))
    })
    return channel === null ? null : new PeerChannel(init, mux, channel as MuxChannel, handlers)
  }

  private constructor(init: PeerChannelInit, mux: Protomux<Session>, channel: MuxChannel, handlers: ((bytes: Uint8Array) => void)[]) {
    this.#init = init
    this.#mux = mux
    this.#channel = channel
    this.#messages = channel.messages as Message<Uint8Array>[]
    this.datagrams = new PeerDatagrams(init)
    handlers.push(
      (bytes) => this.#onhello(bytes),
      (bytes) => this.#ondata(bytes),
      (bytes) => this.#oncredit(bytes),
      (bytes) => this.#end(decodeCode(bytes), true),
      () => this.#end(init.session.destroying ? 'PEER_DISCONNECTED' : 'CHANNEL_CLOSED', true),
      () => this.#pump()
    )
    channel.open()
    this.#messages[0]!.send(encodeHello({ maxMessageBytes: init.maxMessageBytes, datagramId: this.datagrams.id }))
    this.grant()
  }

  get isOpen(): boolean {
    return this.#hello !== null && !this.#hasEnded
  }

  /** Resolves when the message is on its way. */
  send(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const max = Math.min(this.#hello?.maxMessageBytes ?? 0, this.#init.maxMessageBytes)
    if (bytes.length > max) {
      const message = `A message is ${bytes.length} bytes, and at most ${max} are taken.`
      throw new TransportError('MESSAGE_TOO_LARGE', message, { hint: 'Send large things as files, or in parts.' })
    }
    if (this.#unsent.length === 0 && this.#hasRoom(bytes)) {
      this.#transmit(bytes)
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const unsent: Unsent = {
        bytes,
        resolve: () => (stopListening(), resolve()),
        reject: (error) => (stopListening(), reject(error))
      }
      const stopListening = onAbort(signal, (reason) => {
        this.#unsent = this.#unsent.filter((other) => other !== unsent)
        reject(reason)
        // It may have been what the smaller ones behind it waited for.
        this.#pump()
      })
      this.#unsent.push(unsent)
    })
  }

  /** Gives the peer credit for what the reader has taken, in large steps. */
  grant(): void {
    if (this.#hasEnded || this.#grantTimer !== undefined) return
    const room = this.#init.intake.room - this.#granted
    if (room < this.#init.window / 2) return
    const { waitMs } = this.#init.intake
    if (waitMs > 0) {
      this.#grantTimer = setTimeout(() => {
        this.#grantTimer = undefined
        this.grant()
      }, waitMs)
      return
    }
    this.#granted += room
    this.#messages[2]!.send(encodeNumber(room))
  }

  close(code: ChannelCloseCode, cause?: unknown): void {
    this.#end(code, false, cause)
  }

  #onhello(bytes: Uint8Array): void {
    const hello = decodeHello(bytes)
    if (!hello.ok || this.#hello !== null) return this.close('MESSAGE_INVALID')
    this.#hello = hello.value
    this.datagrams.remoteId = hello.value.datagramId
    this.#init.onopen(this)
  }

  #ondata(bytes: Uint8Array): void {
    if (this.#hasEnded) return
    if (this.#hello === null) return this.close('MESSAGE_INVALID')
    if (bytes.length > this.#init.maxMessageBytes) return this.close('MESSAGE_TOO_LARGE')
    const cost = bytes.length + MESSAGE_COST
    if (cost > this.#granted) return this.close('CHANNEL_FLOODED')
    this.#granted -= cost
    this.#init.intake.push(bytes)
  }

  #oncredit(bytes: Uint8Array): void {
    const credit = decodeNumber(bytes, MAX_CREDIT)
    if (!credit.ok || this.#credit + credit.value > MAX_CREDIT) return this.close('MESSAGE_INVALID')
    this.#credit += credit.value
    this.#pump()
  }

  #hasRoom(bytes: Uint8Array): boolean {
    return this.isOpen && this.#channel.drained && this.#credit >= bytes.length + MESSAGE_COST
  }

  #pump(): void {
    while (this.#unsent.length > 0 && this.#hasRoom(this.#unsent[0]!.bytes)) {
      const { bytes, resolve } = this.#unsent.shift()!
      this.#transmit(bytes)
      resolve()
    }
  }

  /** Small messages that are sent in one go become one frame: each frame is encrypted and acknowledged by itself. */
  #transmit(bytes: Uint8Array): void {
    this.#credit -= bytes.length + MESSAGE_COST
    const isSmall = bytes.length < SMALL_MESSAGE_BYTES
    if (isSmall && this.#batchBytes === null) {
      this.#batchBytes = 0
      this.#mux.cork()
      this.#flushSoon(0)
    }
    this.#messages[1]!.send(bytes)
    if (this.#batchBytes !== null && (this.#batchBytes += bytes.length + 1) >= BATCH_BYTES) this.#flush()
  }

  /** Within this turn of the event loop, once nobody has sent for some microtasks: a loop may await each message. */
  #flushSoon(bytesBefore: number, idle = 0): void {
    queueMicrotask(() => {
      const bytes = this.#batchBytes
      if (bytes === null) return
      if (bytes === bytesBefore && idle >= IDLE_MICROTASKS) this.#flush()
      else this.#flushSoon(bytes, bytes === bytesBefore ? idle + 1 : 0)
    })
  }

  #flush(): void {
    if (this.#batchBytes === null) return
    this.#batchBytes = null
    this.#mux.uncork()
  }

  #end(code: ChannelCloseCode, isRemote: boolean, cause?: unknown): void {
    if (this.#hasEnded) return
    const wasOpen = this.isOpen
    this.#hasEnded = true
    clearTimeout(this.#grantTimer)
    this.datagrams.close()
    if (!isRemote) this.#messages[3]!.send(encodeCode(code))
    this.#channel.close()
    const error = channelClosed(this.#init.peer)
    for (const { reject } of this.#unsent.splice(0)) reject(error)
    this.#init.onend(this, { code, isRemote, wasOpen, cause })
  }
}

export function channelClosed(peer: string): TransportError {
  return new TransportError('CHANNEL_CLOSED', `The channel with ${peer} is not open.`, {
    retryable: true,
    hint: 'Wait for `channel.opened(peer)`.'
  })
}
