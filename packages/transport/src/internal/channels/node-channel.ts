import { assertBytes, assertOptions, assertSignal, createEvents, decodeKey, onAbort, throwIfAborted } from '@covey/core'
import type {
  Channel,
  ChannelCloseCode,
  ChannelDefinition,
  ChannelEvents,
  ChannelMessage,
  Datagram,
  DatagramStats
} from '../../channel.js'
import { TransportError } from '../../errors.js'
import type { Session } from '../session/session.js'
import { MAX_DATAGRAM_BYTES, MAX_INBOX_COST, MAX_OPENINGS, MESSAGE_COST, windowOf } from './constants.js'
import type { DatagramPort } from './datagram-port.js'
import { Inbox } from './inbox.js'
import { Intake } from './intake.js'
import { channelClosed, PeerChannel } from './peer-channel.js'

type Signal = { signal?: AbortSignal | undefined }

/** A session that a channel may use. */
export interface ChannelSession {
  readonly peer: string
  readonly session: Session
  readonly port: DatagramPort
}

export interface NodeChannelInit<Message> {
  readonly definition: ChannelDefinition<Message>
  readonly protocol: string
  readonly peers: 'any' | Iterable<string>
  readonly maxMessagesPerSecond: number
  readonly maxBytesPerSecond: number
  /** Has the sessions that there are looked at again, after it was allowed to talk to a peer. */
  readonly onallow: (peer: string) => void
  readonly onclose: () => void
}

/** A channel of a node, with all of its peers. */
export class NodeChannel<Message> implements Channel<Message> {
  readonly name: string
  readonly version: number
  readonly #init: NodeChannelInit<Message>
  readonly #window: number
  readonly #events = createEvents<ChannelEvents>()
  readonly on = this.#events.on.bind(this.#events)
  readonly once = this.#events.once.bind(this.#events)
  readonly #allowed: Set<string> | null
  readonly #refused = new Set<string>()
  /** Those that broke a rule in the session that they are in. */
  readonly #barred = new Set<string>()
  readonly #channels = new Map<string, PeerChannel>()
  readonly #openings = new Map<string, number>()
  readonly #intakes = new Map<string, Intake>()
  readonly #inbox = new Inbox<Uint8Array>()
  readonly #datagrams = new Inbox<{ sequence: number; bytes: Uint8Array }>()
  readonly #waiting = new Set<() => void>()
  #isClosed = false

  constructor(init: NodeChannelInit<Message>) {
    this.#init = init
    this.name = init.definition.name
    this.version = init.definition.version
    this.#window = windowOf(init.definition.maxMessageBytes)
    this.#allowed = init.peers === 'any' ? null : new Set([...init.peers].map(assertPeer))
  }

  get peers(): string[] {
    return [...this.#channels].filter(([, channel]) => channel.isOpen).map(([peer]) => peer)
  }

  allow(peer: string): void {
    this.#allowed?.add(assertPeer(peer))
    this.#refused.delete(assertPeer(peer))
    this.#barred.delete(peer)
    this.#openings.delete(peer)
    this.#init.onallow(peer)
  }

  refuse(peer: string): void {
    this.#refused.add(assertPeer(peer))
    this.#channels.get(peer)?.close('CHANNEL_CLOSED')
  }

  async opened(peer: string, options: Signal = {}): Promise<void> {
    assertSignalOption(options)
    assertPeer(peer)
    throwIfAborted(options.signal)
    while (this.#channels.get(peer)?.isOpen !== true) {
      if (this.#isClosed) throw channelClosed(peer)
      await this.#change(options.signal)
    }
  }

  async send(peer: string, message: Message, options: Signal = {}): Promise<void> {
    assertSignalOption(options)
    throwIfAborted(options.signal)
    const channel = this.#channels.get(peer)
    if (channel?.isOpen !== true) throw channelClosed(peer)
    const bytes = this.#init.definition.codec.encode(message)
    assertBytes(bytes, 'what the codec made of the message')
    await channel.send(bytes, options.signal)
  }

  messages(options: Signal = {}): AsyncIterable<ChannelMessage<Message>> {
    assertSignalOption(options)
    return this.#inbox.values(options.signal, ({ peer, item }) => {
      this.#grant(peer, item.length)
      const message = this.#decode(peer, item)
      return message === null ? null : { peer, message: message.value }
    })
  }

  sendDatagram(peer: string, bytes: Uint8Array): boolean {
    assertBytes(bytes, 'bytes')
    // Secret-stream would say that it was sent, whatever its size.
    if (bytes.length > MAX_DATAGRAM_BYTES) {
      const message = `A datagram is ${bytes.length} bytes, and at most ${MAX_DATAGRAM_BYTES} are taken.`
      throw new TransportError('MESSAGE_TOO_LARGE', message, { hint: 'Send it in parts, or as a message.' })
    }
    return this.#channels.get(peer)?.datagrams.send(bytes) ?? false
  }

  datagrams(options: Signal = {}): AsyncIterable<Datagram> {
    assertSignalOption(options)
    return this.#datagrams.values(options.signal, ({ peer, item }) => ({ peer, ...item }))
  }

  datagramStats(peer: string): DatagramStats | null {
    const channel = this.#channels.get(peer)
    return channel?.isOpen === true ? channel.datagrams.stats : null
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const channel of this.#channels.values()) channel.close('CHANNEL_CLOSED')
    this.#inbox.close()
    this.#datagrams.close()
    this.#changed()
    this.#init.onclose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Opens it with the peer of a session, if both may. Whether the peer has it too, it says then. */
  open({ peer, session, port }: ChannelSession): void {
    if (this.#isClosed || this.#channels.has(peer) || !this.#isAllowed(peer) || session.destroying) return
    const openings = (this.#openings.get(peer) ?? 0) + 1
    this.#openings.set(peer, openings)
    if (openings > MAX_OPENINGS) return this.#bar(peer, 'CHANNEL_FLOODED')
    const channel = PeerChannel.open({
      session,
      peer,
      port,
      protocol: this.#init.protocol,
      maxMessageBytes: this.#init.definition.maxMessageBytes,
      window: this.#window,
      intake: this.#intakeOf(peer),
      datagrams: this.#datagrams,
      onopen: () => {
        void this.#events.emit('open', { peer })
        this.#changed()
      },
      onend: (ended, { code, isRemote, wasOpen, cause }) => {
        if (this.#channels.get(peer) === ended) this.#channels.delete(peer)
        if (wasOpen) void this.#events.emit('close', { peer, code, isRemote })
        if (!isRemote && code !== 'CHANNEL_CLOSED' && code !== 'PEER_DISCONNECTED') this.#bar(peer, code, cause)
      }
    })
    if (channel !== null) this.#channels.set(peer, channel)
  }

  /** The session is over: what was sent in it stays to be read, and another one begins with a clean slate. */
  leave(peer: string): void {
    this.#channels.get(peer)?.close('PEER_DISCONNECTED')
    this.#barred.delete(peer)
    this.#openings.delete(peer)
    for (const [other, intake] of this.#intakes) {
      if (!this.#channels.has(other) && intake.isIdle) this.#intakes.delete(other)
    }
  }

  /** Something of the peer was read: there is room again, for others too where the inbox was full. */
  #grant(peer: string, bytes: number): void {
    const { cost } = this.#inbox
    const wasCrowded = cost + bytes + MESSAGE_COST > MAX_INBOX_COST
    if (wasCrowded && cost <= MAX_INBOX_COST) for (const channel of this.#channels.values()) channel.grant()
    else this.#channels.get(peer)?.grant()
  }

  #isAllowed(peer: string): boolean {
    return !this.#refused.has(peer) && !this.#barred.has(peer) && (this.#allowed?.has(peer) ?? true)
  }

  /** Nothing more is had from a peer that broke a rule. */
  #bar(peer: string, code: Exclude<ChannelCloseCode, 'CHANNEL_CLOSED' | 'PEER_DISCONNECTED'>, cause?: unknown): void {
    this.#barred.add(peer)
    this.#inbox.drop(peer)
    // What waited of it may be what kept the others from sending.
    for (const channel of this.#channels.values()) channel.grant()
    const message = `The channel ${this.name} with ${peer} was closed, for what the peer sent.`
    void this.#events.emit('error', new TransportError(code, message, { cause }))
  }

  /** `null` when the codec makes nothing of it; then the peer is done with. */
  #decode(peer: string, bytes: Uint8Array): { value: Message } | null {
    try {
      const value: unknown = this.#init.definition.codec.decode(bytes)
      if (value instanceof Promise) value.catch(() => undefined)
      if (value === undefined || value instanceof Promise) throw new TypeError('The codec returned no message.')
      return { value: value as Message }
    } catch (cause) {
      const channel = this.#channels.get(peer)
      if (channel === undefined) this.#bar(peer, 'MESSAGE_INVALID', cause)
      else channel.close('MESSAGE_INVALID', cause)
      return null
    }
  }

  #intakeOf(peer: string): Intake {
    const { maxMessagesPerSecond, maxBytesPerSecond } = this.#init
    const intake =
      this.#intakes.get(peer) ??
      new Intake({ peer, inbox: this.#inbox, window: this.#window, maxMessagesPerSecond, maxBytesPerSecond })
    this.#intakes.set(peer, intake)
    return intake
  }

  /** Resolves at the next change of who is there. */
  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        stopListening()
        resolve()
      }
      this.#waiting.add(wake)
      const stopListening = onAbort(signal, (reason) => {
        this.#waiting.delete(wake)
        reject(reason)
      })
    })
  }

  #changed(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }
}

function assertPeer(peer: string): string {
  decodeKey(peer, 'peer')
  return peer
}

function assertSignalOption(options: Signal): void {
  assertOptions(options, 'options', ['signal'])
  assertSignal(options.signal, 'options.signal')
}
