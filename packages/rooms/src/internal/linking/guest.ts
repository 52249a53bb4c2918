import { encodeZ32, equalBytes, isCoveyError, withTimeout } from '@covey/core'
import type { Channel, Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { RoomError } from '../../errors.js'
import { KEY_BYTES, randomBytes } from '../crypto.js'
import type { Structs } from '../structs.js'
import { codeOf, commitmentOf, linkChannel, proofOf, type DeviceLink, type LinkMessage, type LinkRefusal } from './handshake.js'

export interface GuestInit {
  readonly node: Node
  readonly link: DeviceLink
  /** This device's request to be certified. */
  readonly request: Uint8Array
  /** Whose the device is already, if anybody's. */
  readonly identity: Uint8Array | undefined
  /** How long to wait for the other device. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** A handshake that wants but the person's word. */
export interface Guest {
  readonly code: string
  /** Who says that the device shall be theirs. */
  readonly identity: Uint8Array
  /** @throws {RoomError} LINK_EXPIRED, LINK_USED, LINK_REFUSED, LINK_TIMEOUT */
  granted(): Promise<Structs['link-grant']>
  close(): Promise<void>
}

/** Shows a device to the one that made the link, up to where the person has to compare the codes. */
export async function visit({ node, link, request, identity: own, timeoutMs, signal }: GuestInit): Promise<Guest> {
  const { device: host, secret, relays } = link
  if (equalBytes(host, node.publicKey)) throw refusal('refused')
  const peer = encodeZ32(host)
  if (relays) partsOf(node).hint(peer, relays)
  const contact = node.addContact(host)
  const channel = node.channel(linkChannel, { peers: [peer] })
  const hear = listenTo(channel)
  const close = async (): Promise<void> => {
    contact.close()
    await channel.close()
  }

  async function handshake(): Promise<Pick<Guest, 'code' | 'identity'>> {
    await channel.opened(peer)
    const ends = { host, guest: node.publicKey }
    const guestNonce = randomBytes(KEY_BYTES)
    const reveal = { nonce: guestNonce, request }
    await channel.send(peer, { type: 'hello', proof: proofOf(ends, secret), commitment: commitmentOf(reveal) })
    const { identity, nonce: hostNonce } = await hear('offer')
    // A device stays whose it is.
    if (own !== undefined && !equalBytes(identity, own)) throw refusal('refused')
    await channel.send(peer, { type: 'reveal', ...reveal })
    return { identity, code: codeOf({ ...ends, secret, identity, request, hostNonce, guestNonce }) }
  }

  try {
    const onTimeout = (): RoomError => lost()
    const shaken = await withTimeout(handshake(), { timeoutMs, signal, onTimeout })
    return { ...shaken, granted: () => hear('grant'), close }
  } catch (error) {
    await close()
    throw isCoveyError(error, 'CHANNEL_CLOSED') ? lost(error) : error
  }
}

/** Gives what the other side says, of one kind after the other. */
function listenTo(channel: Channel<LinkMessage>) {
  const messages = channel.messages()[Symbol.asyncIterator]()
  channel.on('close', () => void channel.close())
  return async <Type extends 'offer' | 'grant'>(type: Type): Promise<Extract<LinkMessage, { type: Type }>> => {
    const { value, done } = await messages.next()
    if (done) throw lost()
    const { message } = value
    if (message.type === 'refusal') throw refusal(message.reason)
    if (message.type !== type) throw refusal('refused')
    return message as Extract<LinkMessage, { type: Type }>
  }
}

const REFUSALS = {
  expired: ['LINK_EXPIRED', 'The link can be used no more.'],
  used: ['LINK_USED', 'Another device has used this link.'],
  refused: ['LINK_REFUSED', 'The other device did not take this one.']
} as const

export function refusal(reason: LinkRefusal): RoomError {
  const [code, message] = REFUSALS[reason]
  return new RoomError(code, message, { hint: 'Make a new link on the other device.' })
}

function lost(cause?: unknown): RoomError {
  return new RoomError('LINK_TIMEOUT', 'The other device did not answer, or went away.', {
    cause,
    retryable: true,
    hint: 'Open the app on the other device, and make a new link there.'
  })
}
