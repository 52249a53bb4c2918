import { decodeKey, encodeZ32, equalBytes, isCoveyError } from '@covey/core'
import { decodeDeviceRequest, type DeviceRequest } from '@covey/identity'
import type { Channel, Node } from '@covey/transport'
import type { LinkRequest } from '../../devices.js'
import { RoomError } from '../../errors.js'
import { KEY_BYTES, randomBytes } from '../crypto.js'
import { readName } from '../read-name.js'
import type { Structs } from '../structs.js'
import { codeOf, commitmentOf, encodeDeviceLink, linkChannel, LINK_SECRET_BYTES, proofOf, type LinkMessage, type LinkRefusal } from './handshake.js'

export interface LinkHostInit {
  readonly node: Node
  /** The person. */
  readonly identity: Uint8Array
  /** What links say of where this device can be met. */
  readonly meetingPlace: Uint8Array | null
  /** Makes a device, whose request the person has confirmed, one of theirs. */
  readonly grant: (request: Uint8Array, device: string) => Promise<Structs['link-grant']>
  readonly onrequest: (request: LinkRequest) => void
  /** A request is over, whatever became of it. */
  readonly onend: (id: string) => void
  readonly onerror: (error: unknown) => void
}

/** Makes links, and lets the person decide about the devices that come with them. */
export interface LinkHost {
  createLink(expiresInMs: number): string
  requests(): LinkRequest[]
  /** @throws {RoomError} LINK_REQUEST_NOT_FOUND */
  confirm(id: string): Promise<void>
  /** @throws {RoomError} LINK_REQUEST_NOT_FOUND */
  decline(id: string): Promise<void>
  close(): Promise<void>
}

interface Link {
  readonly secret: Uint8Array
  readonly expiresAt: number
  isUsed: boolean
}

/** A device that has shown to have a link, and perhaps what it is. */
interface Guest {
  readonly link: Link
  readonly commitment: Uint8Array
  readonly nonce: Uint8Array
  readonly shown?: { readonly request: LinkRequest; readonly bytes: Uint8Array }
}

/** How many links are remembered, so that who comes too late is told why; the oldest go first. */
const MAX_LINKS = 32
/** A handshake is two messages. */
const MAX_MESSAGES_PER_SECOND = 16

export function createLinkHost(init: LinkHostInit): LinkHost {
  const { node, identity, meetingPlace, grant, onrequest, onend, onerror } = init
  const links: Link[] = []
  const guests = new Map<string, Guest>()
  let channel: Channel<LinkMessage> | undefined

  /** Strangers can be heard from the first link on. */
  function listen(): void {
    if (channel !== undefined) return
    channel = node.channel(linkChannel, { peers: 'any', maxMessagesPerSecond: MAX_MESSAGES_PER_SECOND })
    channel.on('close', ({ peer }) => forget(peer))
    // A stranger who broke a rule, and is refused: no news for the person.
    channel.on('error', () => undefined)
    hear(channel).catch(onerror)
  }

  async function hear(from: Channel<LinkMessage>): Promise<void> {
    for await (const { peer, message } of from.messages()) {
      // Said before it went: there is nobody to be confirmed any more.
      if (!from.peers.includes(peer)) continue
      if (message.type === 'hello') receive(peer, message)
      else if (message.type === 'reveal') show(peer, message)
      else from.refuse(peer)
    }
  }

  /** One device a link, whoever it is: so that nobody can try out codes. */
  function receive(peer: string, { proof, commitment }: Structs['link-hello']): void {
    const ends = { host: node.publicKey, guest: decodeKey(peer) }
    const link = links.find(({ secret }) => equalBytes(proofOf(ends, secret), proof))
    if (link === undefined || guests.has(peer)) return channel!.refuse(peer)
    if (link.isUsed) return say(peer, { type: 'refusal', reason: 'used' })
    if (Date.now() >= link.expiresAt) return say(peer, { type: 'refusal', reason: 'expired' })
    link.isUsed = true
    const nonce = randomBytes(KEY_BYTES)
    guests.set(peer, { link, commitment, nonce })
    say(peer, { type: 'offer', nonce, identity })
  }

  function show(peer: string, reveal: Structs['link-reveal']): void {
    const guest = guests.get(peer)
    const asked = decodeDeviceRequest(reveal.request)
    const isBound = guest && !guest.shown && equalBytes(commitmentOf(reveal), guest.commitment)
    if (!isBound || !asked.ok) {
      forget(peer)
      return channel!.refuse(peer)
    }
    const request = describe(peer, guest, reveal, asked.value)
    guests.set(peer, { ...guest, shown: { request, bytes: reveal.request } })
    onrequest(request)
  }

  function describe(peer: string, guest: Guest, reveal: Structs['link-reveal'], { device, name }: DeviceRequest): LinkRequest {
    const ends = { host: node.publicKey, guest: decodeKey(peer) }
    const nonces = { hostNonce: guest.nonce, guestNonce: reveal.nonce }
    const code = codeOf({ ...ends, ...nonces, secret: guest.link.secret, identity, request: reveal.request })
    return { id: peer, code, device: encodeZ32(device), name: readName(name) }
  }

  function forget(peer: string): void {
    const guest = guests.get(peer)
    guests.delete(peer)
    if (guest?.shown) onend(guest.shown.request.id)
  }

  function say(peer: string, message: LinkMessage): void {
    channel!.send(peer, message).catch((error: unknown) => {
      // It has gone, and with it its request.
      if (!isCoveyError(error, 'CHANNEL_CLOSED')) onerror(error)
    })
  }

  function demand(id: string): NonNullable<Guest['shown']> {
    const shown = guests.get(id)?.shown
    if (shown === undefined) throw notFound()
    return shown
  }

  function refuse(peer: string, reason: LinkRefusal): void {
    forget(peer)
    say(peer, { type: 'refusal', reason })
  }

  return {
    createLink(expiresInMs) {
      listen()
      const link = { secret: randomBytes(LINK_SECRET_BYTES), expiresAt: Date.now() + expiresInMs, isUsed: false }
      links.push(link)
      if (links.length > MAX_LINKS) links.shift()
      return encodeDeviceLink({ device: node.publicKey, secret: link.secret, expiresAt: link.expiresAt, relays: meetingPlace })
    },
    requests: () => [...guests.values()].flatMap(({ shown }) => (shown ? [shown.request] : [])),
    async confirm(id) {
      const { bytes, request } = demand(id)
      const granted = await grant(bytes, request.device)
      // It may have gone meanwhile.
      demand(id)
      try {
        await channel!.send(id, { type: 'grant', ...granted })
      } catch (error) {
        throw isCoveyError(error, 'CHANNEL_CLOSED') ? notFound(error) : error
      }
      forget(id)
    },
    async decline(id) {
      demand(id)
      refuse(id, 'refused')
    },
    async close() {
      await channel?.close()
      guests.clear()
    }
  }
}

function notFound(cause?: unknown): RoomError {
  return new RoomError('LINK_REQUEST_NOT_FOUND', 'The device that asked waits no more.', { cause, hint: 'Make a new link.' })
}
