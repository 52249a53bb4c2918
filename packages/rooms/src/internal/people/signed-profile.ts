import { equalBytes, isContent, type Content } from '@covey/core'
import { decodeCertificate, verifyStatement, type LocalIdentity } from '@covey/identity'
import { MAX_AVATAR_OFFER_BYTES, MAX_BIO_BYTES, MAX_NAME_BYTES } from '../../constants.js'
import type { Profile } from '../../people.js'
import { hash } from '../crypto.js'
import { isTime } from '../op.js'
import { readName } from '../read-name.js'
import { decodeStruct, encodeStruct } from '../structs.js'

const DOMAIN = 'covey/profile/1'

/** A card of all that it may have, a certificate of two links, a statement, and what goes around them. */
const MAX_SIGNED_PROFILE_BYTES = 4_096

/** A profile, and how new it is: of two the one with the higher version counts. */
export interface VersionedProfile extends Profile {
  readonly version: number
}

/** A profile as others can check it, who have it from whomever: signed for the identity, by a device of it. */
export function signProfile(identity: LocalIdentity, { version, name, bio, avatar }: VersionedProfile): Uint8Array {
  const card = encodeStruct('profile-card', { version, name, bio, avatar: avatar ?? null })
  const { publicKey: device, certificate } = identity.device
  const { publicKey } = identity.identity
  const statement = identity.signStatement(DOMAIN, publicKey, signedData(card, certificate))
  return encodeStruct('signed-profile', { card, device, certificate, statement })
}

/**
 * What somebody says of themselves, or `undefined` for bytes that do not prove to be theirs. How long the certificate is
 * good for counts as little as for what the device has written: it does not say when that was.
 */
export function readProfile(bytes: Uint8Array, identity: Uint8Array): VersionedProfile | undefined {
  const signed = bytes.length > MAX_SIGNED_PROFILE_BYTES ? undefined : decodeStruct('signed-profile', bytes)
  if (signed === undefined) return undefined
  const { card: encoded, device, certificate, statement } = signed
  const certified = decodeCertificate(certificate)
  if (!certified.ok || certified.value.context !== null) return undefined
  if (!equalBytes(certified.value.identity, identity) || !equalBytes(certified.value.device, device)) return undefined
  const data = signedData(encoded, certificate)
  if (!verifyStatement(statement, { domain: DOMAIN, context: identity, data, device })) return undefined
  const card = decodeStruct('profile-card', encoded)
  if (card === undefined || !isTime(card.version)) return undefined
  const avatar = readAvatar(card.avatar)
  const text = { name: readName(card.name, MAX_NAME_BYTES), bio: readName(card.bio, MAX_BIO_BYTES) }
  return { version: card.version, ...text, ...(avatar && { avatar }) }
}

function signedData(card: Uint8Array, certificate: Uint8Array): Uint8Array {
  return hash(DOMAIN, certificate, card)
}

function readAvatar(avatar: Content | null | undefined): Content | undefined {
  if (!isContent(avatar) || avatar.data.length > MAX_AVATAR_OFFER_BYTES) return undefined
  return { ...avatar, data: new Uint8Array(avatar.data) }
}
