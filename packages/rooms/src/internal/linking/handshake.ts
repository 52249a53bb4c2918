import { concatBytes, decodeLink, encodeLink } from '@covey/core'
import { defineChannel } from '@covey/transport'
import { RoomError } from '../../errors.js'
import { hash } from '../crypto.js'
import { decodeStruct, encodeStruct, type Structs } from '../structs.js'

/** Nobody guesses it, and the link stays short enough for a small QR code. */
export const LINK_SECRET_BYTES = 16
const MAX_LINK_BYTES = 512
const MAX_MESSAGE_BYTES = 2_048

export type DeviceLink = Structs['device-link']

export function encodeDeviceLink(link: DeviceLink): string {
  return encodeLink('device', encodeStruct('device-link', link))
}

/**
 * @throws {CoreError} LINK_… for a text that is no whole link for devices
 * @throws {RoomError} LINK_MALFORMED
 */
export function decodeDeviceLink(text: string): DeviceLink {
  const { body } = decodeLink(text, { kind: 'device', maxBytes: MAX_LINK_BYTES })
  const link = decodeStruct('device-link', body)
  if (link !== undefined && link.secret.length === LINK_SECRET_BYTES) return link
  throw new RoomError('LINK_MALFORMED', 'The link is whole, but says nothing of a device.', {
    hint: 'Make a new link on the other device, or update the app that you open it with.'
  })
}

/** Why a host turns a guest away. */
export type LinkRefusal = 'expired' | 'used' | 'refused'

/** What a guest, the new device, and a host, the one that made the link, say to each other: in this order, but for the last. */
export type LinkMessage =
  | ({ readonly type: 'hello' } & Structs['link-hello'])
  | ({ readonly type: 'offer' } & Structs['link-offer'])
  | ({ readonly type: 'reveal' } & Structs['link-reveal'])
  | ({ readonly type: 'grant' } & Structs['link-grant'])
  | { readonly type: 'refusal'; readonly reason: LinkRefusal }

/** Each by its number, which comes first. */
const STRUCTS = ['hello', 'offer', 'reveal', 'grant'] as const
const REFUSALS = ['expired', 'used', 'refused'] as const

export const linkChannel = defineChannel<LinkMessage>({
  name: 'covey/link',
  version: 1,
  maxMessageBytes: MAX_MESSAGE_BYTES,
  codec: {
    encode(message) {
      if (message.type === 'refusal') return Uint8Array.of(STRUCTS.length, REFUSALS.indexOf(message.reason))
      return concatBytes(Uint8Array.of(STRUCTS.indexOf(message.type)), encodeStruct(`link-${message.type}`, message as never))
    },
    decode(bytes) {
      const type = STRUCTS[bytes[0] ?? STRUCTS.length]
      const reason = bytes[0] === STRUCTS.length ? REFUSALS[bytes[1] ?? REFUSALS.length] : undefined
      if (reason !== undefined) return { type: 'refusal', reason }
      const said = type && decodeStruct(`link-${type}`, bytes.subarray(1))
      if (said === undefined) throw new Error('These bytes are no message about a link.')
      return { type, ...said } as LinkMessage
    }
  }
})

/** The keys of the session that a handshake is in: what is said in one session is worth nothing in another. */
export interface Ends {
  readonly host: Uint8Array
  readonly guest: Uint8Array
}

/** That a guest has the link, without telling what is in it. */
export function proofOf({ host, guest }: Ends, secret: Uint8Array): Uint8Array {
  return hash('covey/link/proof/1', secret, host, guest)
}

/** What binds a guest to its nonce and its keys before it knows the host's nonce. */
export function commitmentOf({ nonce, request }: Structs['link-reveal']): Uint8Array {
  return hash('covey/link/commitment/1', nonce, request)
}

/** All that both sides have to have seen alike. */
export interface Transcript extends Ends {
  readonly secret: Uint8Array
  readonly identity: Uint8Array
  readonly hostNonce: Uint8Array
  readonly guestNonce: Uint8Array
  readonly request: Uint8Array
}

/**
 * The six digits that a person compares on both screens. Somebody in between has two handshakes, with two
 * codes, and has to be bound to a nonce in each before the other's is known: so that they are alike by
 * chance alone, once in a million.
 *
 * @see {@link https://www.iacr.org/archive/crypto2005/36210303/36210303.pdf} for authentication by short strings
 */
export function codeOf({ secret, host, guest, identity, request, hostNonce, guestNonce }: Transcript): string {
  const digest = hash('covey/link/code/1', secret, host, guest, identity, request, hostNonce, guestNonce)
  const number = new DataView(digest.buffer, digest.byteOffset).getBigUint64(0, true) % 1_000_000n
  return number.toString().padStart(6, '0')
}
