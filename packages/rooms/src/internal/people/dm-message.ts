import { defineChannel } from '@covey/transport'
import { verifyCertificate } from '@covey/identity'
import { encodeZ32, equalBytes } from '@covey/core'
import { hash } from '../crypto.js'
import { decodeStruct, encodeStruct, type Structs } from '../structs.js'

/** What devices say to each other on the way to a direct room. */
export const DmType = {
  /** Is this device of the person that I look for? Says who that is to those alone who know them. */
  seek: 1,
  /** It is. */
  here: 2,
  /** I want a direct room with you. */
  want: 3,
  /** There is one. */
  room: 4,
  /** Let me in. */
  join: 5,
  /** You are in. */
  key: 6
} as const

export type DmMessage = Structs['dm-message']

/** The largest is a wish: a certificate, and a profile. */
const MAX_DM_BYTES = 8_192

export const DM_CHANNEL = defineChannel<DmMessage>({
  name: 'covey/dm',
  version: 1,
  maxMessageBytes: MAX_DM_BYTES,
  codec: {
    encode: (message) => encodeStruct('dm-message', message),
    decode(bytes) {
      const message = decodeStruct('dm-message', bytes)
      if (message === undefined) throw new TypeError('it is no message about a direct room')
      return message
    }
  }
})

/** Where the devices of somebody can be found, by those who know their key. */
export function inboxTopic(identity: Uint8Array): Uint8Array {
  return hash('covey/inbox/1', identity)
}

/** Names whom a device looks for, to one other device, without telling it who that is. */
export function soughtTag(identity: Uint8Array, seeker: Uint8Array, asked: Uint8Array): Uint8Array {
  return hash('covey/dm/seek/1', identity, seeker, asked)
}

/** Whose device it is, by a certificate for all rooms; its key the connection has proven. */
export function personOf(certificate: Uint8Array | null | undefined, device: Uint8Array): Person | undefined {
  if (!certificate) return undefined
  const certified = verifyCertificate(certificate, { device, context: EVERYWHERE, atMs: Date.now() })
  if (!certified.ok || certified.value.context !== null) return undefined
  const { identity: key, epoch } = certified.value
  return { key, id: encodeZ32(key), epoch }
}

/** Whose device it is, and from before which revocations its certificate is not. */
export interface Person {
  readonly key: Uint8Array
  readonly id: string
  readonly epoch: number
}

const EVERYWHERE = new Uint8Array(32)

/** Of two people, whose device makes their room. */
export function isHost(self: Uint8Array, other: Uint8Array): boolean {
  const at = self.findIndex((byte, i) => byte !== other[i])
  return !equalBytes(self, other) && self[at]! < other[at]!
}
