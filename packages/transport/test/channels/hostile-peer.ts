import Protomux from 'protomux'
import { encodeZ32 } from '@covey/core'
import type { Channel, ChannelCloseCode, ChannelDefinition, ChannelOptions, TransportError } from '@covey/transport'
import { Channels } from '../../src/internal/channels/channels.js'
import { encodeHello } from '../../src/internal/channels/wire.js'
import type { Session } from '../../src/internal/session/session.js'
import { connect, createPair, type Side } from '../session/pair.js'

export const [HELLO, DATA, CREDIT, CLOSE] = [0, 1, 2, 3] as const

/** A peer that says what it likes on a channel, in a session with a node's channels. */
export interface HostilePeer<Message> {
  readonly id: string
  readonly channels: Channels
  readonly channel: Channel<Message>
  readonly errors: TransportError[]
  readonly closes: { code: ChannelCloseCode; isRemote: boolean }[]
  /** The session at the node, and at the peer. */
  readonly near: Session
  readonly far: Session
  readonly sides: { readonly leader: Side; readonly follower: Side }
  /** What the node has said, by type. */
  readonly heard: readonly Uint8Array[][]
  /** Opens the channel; resolves when the node has too, or turned it down. */
  open(): Promise<boolean>
  /** Says it on the channel that was opened last. */
  say(type: number, bytes: Uint8Array): void
  hello(maxMessageBytes?: number): void
  hangUp(): void
  /** Resolves when the node has handled all that was said, and what it answered has arrived. */
  settled(): Promise<void>
  /** Resolves when the node says something on the channel. */
  answered(): Promise<void>
}

export async function meet<Message>(
  definition: ChannelDefinition<Message>,
  options: Partial<ChannelOptions> = {},
  /** Whom to meet: channels that others have met too, and under which name. */
  met?: { readonly channels: Channels; readonly channel: Channel<Message>; readonly id: string }
): Promise<HostilePeer<Message>> {
  const pair = createPair()
  const channels = met?.channels ?? new Channels()
  const channel = met?.channel ?? channels.create(definition, { peers: 'any', ...options })
  const errors: TransportError[] = []
  const closes: { code: ChannelCloseCode; isRemote: boolean }[] = []
  channel.on('error', (error) => errors.push(error))
  channel.on('close', ({ code, isRemote }) => closes.push({ code, isRemote }))
  await connect(pair.leader, pair.follower)
  const [near, far] = [await openedOf(pair.leader), await openedOf(pair.follower)]
  const id = met?.id ?? encodeZ32(pair.follower.keyPair.publicKey)
  channels.attach(near, id)
  const heard: Uint8Array[][] = [[], [], [], []]
  let wake = (): void => undefined
  const mux = Protomux.from(far)
  let last: ReturnType<typeof mux.createChannel> = null
  const say = (type: number, bytes: Uint8Array): void => void last!.messages[type]!.send(bytes)
  return {
    id,
    channels,
    channel,
    errors,
    closes,
    near,
    far,
    sides: pair,
    heard,
    async open() {
      last = mux.createChannel({
        protocol: `covey/channel/1:${definition.name}/${definition.version}`,
        messages: heard.map((list) => ({ onmessage: (bytes: never) => (list.push(new Uint8Array(bytes)), wake()) }))
      })
      last!.open()
      return last!.fullyOpened()
    },
    say,
    hello: (maxMessageBytes = 65_536) => say(HELLO, encodeHello({ maxMessageBytes, datagramId: 0 })),
    hangUp: () => last!.close(),
    settled: echo(near, far),
    answered: () => new Promise((resolve) => (wake = resolve))
  }
}

/** Asks for an echo, which comes when everything before it has been handled. */
function echo(near: Session, far: Session): () => Promise<void> {
  const open = (session: Session, onmessage: () => void) => {
    const channel = Protomux.from(session).createChannel({ protocol: 'test/echo', messages: [{ onmessage }] })!
    channel.open()
    return channel.messages[0]!
  }
  let onecho = (): void => undefined
  const answer = open(near, () => answer.send(new Uint8Array(0)))
  const question = open(far, () => onecho())
  return async () => {
    await new Promise<void>((resolve) => {
      onecho = resolve
      question.send(new Uint8Array(0))
    })
    // Streams in memory get ahead of what Protomux puts off until the next tick: a channel that opens.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function openedOf(side: Side): Promise<Session> {
  while (side.opened.length === 0) await new Promise((resolve) => setImmediate(resolve))
  return side.opened[0]!
}
