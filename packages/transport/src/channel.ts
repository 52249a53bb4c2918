import { assertFunction, assertInteger, assertOptions, assertString, type EventSource } from '@covey/core'
import { DEFAULT_MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES } from './internal/channels/constants.js'
import type { TransportError } from './errors.js'

/** How the messages of a channel become bytes, and again messages. It runs where the app does. */
export interface ChannelCodec<Message> {
  encode(message: Message): Uint8Array
  /** Is given what a peer made, of any content. Throws for what is no message. */
  decode(bytes: Uint8Array): Message
}

/** What two apps have to agree on to talk; made by {@link defineChannel}. */
export interface ChannelDefinition<Message = Uint8Array> {
  /** 1 to 64 of the characters `a-z0-9._/-`. Begin with a name of your own: `acme/chat`. */
  readonly name: string
  /** 0 to 65535. Channels of different versions do not meet. */
  readonly version: number
  readonly codec: ChannelCodec<Message>
  /** The largest message that is taken, in bytes. Default 64 KiB, at most 1 MiB. */
  readonly maxMessageBytes: number
}

/** What {@link defineChannel} is given; see {@link ChannelDefinition}. */
export type ChannelDefinitionInit<Message> = Omit<ChannelDefinition<Message>, 'maxMessageBytes'> & {
  readonly maxMessageBytes?: number
}

const BYTES: ChannelCodec<Uint8Array> = { encode: (bytes) => bytes, decode: (bytes) => bytes }

/**
 * Defines a channel. Without a codec its messages are bytes. Several kinds of messages are one codec over their union.
 *
 * @throws {TypeError} that names the field.
 * @example
 * ```ts
 * import { defineChannel } from '@covey/transport'
 *
 * const cursor = defineChannel<{ x: number; y: number }>({
 *   name: 'acme/cursor',
 *   version: 1,
 *   maxMessageBytes: 4,
 *   codec: {
 *     encode: ({ x, y }) => new Uint8Array(Uint16Array.of(x, y).buffer),
 *     decode(bytes) {
 *       if (bytes.length !== 4) throw new Error('A cursor is four bytes.')
 *       const [x = 0, y = 0] = new Uint16Array(bytes.slice().buffer)
 *       return { x, y }
 *     }
 *   }
 * })
 * console.log(cursor.name)
 * ```
 */
export function defineChannel(init: Omit<ChannelDefinitionInit<Uint8Array>, 'codec'>): ChannelDefinition<Uint8Array>
export function defineChannel<Message>(init: ChannelDefinitionInit<Message>): ChannelDefinition<Message>
export function defineChannel<Message>(init: Partial<ChannelDefinition<Message>>): ChannelDefinition<Message> {
  assertOptions(init, 'definition', ['name', 'version', 'codec', 'maxMessageBytes'])
  const { name, version, codec = BYTES as ChannelCodec<never> as ChannelCodec<Message>, maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = init
  assertString(name, 'definition.name')
  if (!/^[a-z0-9._/-]{1,64}$/.test(name)) {
    throw new TypeError('definition.name must be 1 to 64 of the characters a-z, 0-9, ".", "_", "/" and "-"')
  }
  assertInteger(version, 'definition.version', { min: 0, max: 65_535 })
  assertInteger(maxMessageBytes, 'definition.maxMessageBytes', { min: 1, max: MAX_MESSAGE_BYTES })
  assertFunction(codec.encode, 'definition.codec.encode')
  assertFunction(codec.decode, 'definition.codec.decode')
  return Object.freeze({ name, version, codec, maxMessageBytes })
}

/** How a node takes part in a channel. */
export interface ChannelOptions {
  /** The devices to talk to, by id; `any` is every device that the node meets, strangers too. */
  readonly peers: 'any' | Iterable<string>
  /** How many messages a second are taken from a peer before it has to wait. Default 4,000. */
  readonly maxMessagesPerSecond?: number
  /** How many bytes a second are taken from a peer before it has to wait. Default 32 MiB. */
  readonly maxBytesPerSecond?: number
}

/** Something that channels can be opened on. */
export interface ChannelHost {
  /**
   * Opens a channel of an app's own, with the devices that have the same one open; see {@link Channel}.
   *
   * @throws {TypeError} when the definition or an option is malformed.
   * @throws {TransportError} NODE_CLOSED
   * @throws {TransportError} CHANNEL_IN_USE when one of this name and version is open on this node.
   * @example
   * ```ts
   * import { defineChannel, type Node } from '@covey/transport'
   *
   * const ping = defineChannel({ name: 'acme/ping', version: 1, maxMessageBytes: 64 })
   *
   * async function answer(node: Node, friend: string): Promise<void> {
   *   const channel = node.channel(ping, { peers: [friend] })
   *   for await (const { peer, message } of channel.messages()) await channel.send(peer, message)
   * }
   * console.log(answer.name)
   * ```
   */
  channel<Message>(definition: ChannelDefinition<Message>, options: ChannelOptions): Channel<Message>
}

/**
 * Why a channel with a peer ended.
 *
 * - `CHANNEL_CLOSED`: one side closed it, or refused the other.
 * - `PEER_DISCONNECTED`: the session with the device is over.
 * - `CHANNEL_FLOODED`: more was sent than there was room for.
 * - `MESSAGE_TOO_LARGE`, `MESSAGE_INVALID`: something was sent that is no message of this channel.
 */
export type ChannelCloseCode =
  | 'CHANNEL_CLOSED'
  | 'PEER_DISCONNECTED'
  | 'CHANNEL_FLOODED'
  | 'MESSAGE_TOO_LARGE'
  | 'MESSAGE_INVALID'

/** What happens on a channel. Hints for a display: they may be missed. */
export interface ChannelEvents {
  /** Both sides have the channel open: messages can be sent. */
  open: { readonly peer: string }
  /** The channel with a peer ended. `isRemote`: the peer found the reason. */
  close: { readonly peer: string; readonly code: ChannelCloseCode; readonly isRemote: boolean }
  /** A peer broke a rule, and its channel was closed: CHANNEL_FLOODED, MESSAGE_TOO_LARGE, MESSAGE_INVALID. */
  error: TransportError
}

/** One message of a peer. */
export interface ChannelMessage<Message> {
  /** The device that sent it, by id, as the handshake has proven it. */
  readonly peer: string
  readonly message: Message
}

/** One datagram of a peer. */
export interface Datagram {
  /** The device that sent it, by id. */
  readonly peer: string
  /** Its place among those that the peer sent since the channel was opened, from 0. */
  readonly sequence: number
  readonly bytes: Uint8Array
}

/** What became of the datagrams between this device and a peer since the channel with it was opened. */
export interface DatagramStats {
  /** How many left this device. */
  readonly sent: number
  /** How many arrived, each counted once. */
  readonly received: number
  /** How many are missing below the newest that arrived. One that is merely late leaves this number again. */
  readonly lost: number
  /** How many arrived again, and were dropped. */
  readonly replayed: number
  /** How many were dropped because more than a thousand newer ones had arrived. */
  readonly late: number
  /** How many arrived and were dropped, because the reader did not take them in time. */
  readonly unread: number
}

/**
 * A channel of an app's own, with every device that has the same one open and that both sides allow. Messages
 * arrive whole, in order and once while the session lasts, whatever becomes of the connections below it; what is
 * under way when the session ends is lost. The channels of two devices do not hold each other up.
 *
 * Nothing of what arrives is trusted: sizes and rates are bounded, and a peer that breaks the rules is refused
 * until it is allowed again, or the session ends.
 */
export interface Channel<Message = Uint8Array> extends EventSource<ChannelEvents> {
  readonly name: string
  readonly version: number
  /** The devices with which it is open now, by id. */
  readonly peers: readonly string[]
  /**
   * Talks to a device, when both have met and it does the same.
   *
   * @throws {TypeError} when `peer` is not the id of a device.
   */
  allow(peer: string): void
  /**
   * Ends the channel with a device, and has none again until {@link Channel.allow}.
   *
   * @throws {TypeError} when `peer` is not the id of a device.
   */
  refuse(peer: string): void
  /**
   * Resolves when the channel is open with a device.
   *
   * @throws {TransportError} CHANNEL_CLOSED when this channel is closed.
   * @throws the signal's `reason` when it is aborted first.
   */
  opened(peer: string, options?: { signal?: AbortSignal | undefined }): Promise<void>
  /**
   * Sends a message, and resolves when it is on its way: at once while the peer has room for it, and when it has
   * taken in others where it has not. Messages leave in the order of the calls.
   *
   * @throws {TransportError} CHANNEL_CLOSED when the channel is not open with the peer, or ends first.
   * @throws {TransportError} MESSAGE_TOO_LARGE when it is larger than either side allows.
   * @throws what the codec throws; {TypeError} when it returns no bytes.
   * @throws the signal's `reason` when it is aborted first; then it was not sent.
   */
  send(peer: string, message: Message, options?: { signal?: AbortSignal | undefined }): Promise<void>
  /**
   * What the peers send, of each in order, taking turns among them. What nobody reads holds its sender up, after
   * 1 MiB. Each message goes to one reader; who leaves the loop may come back for the rest.
   *
   * @throws the signal's `reason` when it is aborted.
   */
  messages(options?: { signal?: AbortSignal | undefined }): AsyncIterable<ChannelMessage<Message>>
  /**
   * Sends bytes as they are, which may arrive late, out of order or not at all, but not twice. `false` when they were
   * dropped here: the channel is not open with the peer, there is no way to it now, or too many are waiting to leave.
   *
   * @param bytes At most 1,150.
   * @throws {TransportError} MESSAGE_TOO_LARGE
   */
  sendDatagram(peer: string, bytes: Uint8Array): boolean
  /**
   * The datagrams of the peers, as they arrive. Of those that are not read in time the oldest are dropped, beyond
   * 256 of a peer.
   *
   * @throws the signal's `reason` when it is aborted.
   */
  datagrams(options?: { signal?: AbortSignal | undefined }): AsyncIterable<Datagram>
  /** What became of the datagrams, or `null` when the channel is not open with the peer. */
  datagramStats(peer: string): DatagramStats | null
  /** Ends the channel with everyone; its iterables are done when they have given what had arrived. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
