import Protomux from 'protomux'
import { assertInteger, assertOptions } from '@covey/core'
import { defineChannel, type Channel, type ChannelDefinition, type ChannelOptions } from '../../channel.js'
import { TransportError } from '../../errors.js'
import type { Session } from '../session/session.js'
import { CHANNEL_PROTOCOL, DEFAULT_MAX_BYTES_PER_SECOND, DEFAULT_MAX_MESSAGES_PER_SECOND } from './constants.js'
import { DatagramPort } from './datagram-port.js'
import { NodeChannel, type ChannelSession } from './node-channel.js'

type OpenChannel = Pick<NodeChannel<unknown>, 'open' | 'leave' | 'close'>

/** All channels of a node, on all of its sessions. */
export class Channels {
  /** By protocol. */
  readonly #channels = new Map<string, OpenChannel>()
  /** By peer. */
  readonly #sessions = new Map<string, ChannelSession>()

  create<Message>(definition: ChannelDefinition<Message>, options: ChannelOptions): Channel<Message> {
    const checked = defineChannel<Message>(definition)
    const protocol = `${CHANNEL_PROTOCOL}${checked.name}/${checked.version}`
    const channel = new NodeChannel<Message>({
      definition: checked,
      protocol,
      ...checkOptions(options),
      onallow: (peer) => {
        const session = this.#sessions.get(peer)
        if (session !== undefined) channel.open(session)
      },
      onclose: () => {
        this.#channels.delete(protocol)
        for (const { session } of this.#sessions.values()) Protomux.from(session).unpair({ protocol })
      }
    })
    if (this.#channels.has(protocol)) {
      throw new TransportError('CHANNEL_IN_USE', `The channel ${checked.name}, version ${checked.version}, is open already.`, {
        hint: 'Close the other one first, or share it.'
      })
    }
    this.#channels.set(protocol, channel)
    for (const session of this.#sessions.values()) attach(channel, protocol, session)
    return channel
  }

  /** A session has begun. */
  attach(session: Session, peer: string): void {
    const attached = { session, peer, port: new DatagramPort(session) }
    this.#sessions.set(peer, attached)
    for (const [protocol, channel] of this.#channels) attach(channel, protocol, attached)
  }

  /** It is over. */
  detach(session: Session, peer: string): void {
    if (this.#sessions.get(peer)?.session !== session) return
    this.#sessions.delete(peer)
    for (const channel of this.#channels.values()) channel.leave(peer)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#channels.values()].map((channel) => channel.close()))
  }
}

function attach(channel: OpenChannel, protocol: string, session: ChannelSession): void {
  // The peer opens it, and we had not, or had been turned down before it had it.
  Protomux.from(session.session).pair({ protocol }, () => channel.open(session))
  channel.open(session)
}

function checkOptions(options: ChannelOptions): Required<ChannelOptions> {
  assertOptions(options, 'options', ['peers', 'maxMessagesPerSecond', 'maxBytesPerSecond'])
  const {
    peers,
    maxMessagesPerSecond = DEFAULT_MAX_MESSAGES_PER_SECOND,
    maxBytesPerSecond = DEFAULT_MAX_BYTES_PER_SECOND
  } = options
  const isList = typeof peers === 'object' && typeof peers?.[Symbol.iterator] === 'function'
  if (peers !== 'any' && !isList) throw new TypeError('options.peers must be "any" or a list of ids')
  assertInteger(maxMessagesPerSecond, 'options.maxMessagesPerSecond', { min: 1 })
  assertInteger(maxBytesPerSecond, 'options.maxBytesPerSecond', { min: 1 })
  return { peers, maxMessagesPerSecond, maxBytesPerSecond }
}
