import { verifyCertificate, verifyStatement, type LocalIdentity } from '@covey/identity'
import { agree, hash, KEY_BYTES } from './crypto.js'

const DOMAIN = 'covey/rooms/writer/1'

/** What a device shows to have a writer core of its own in a room. */
export interface Claim {
  readonly device: Uint8Array
  /** From the identity: who this device belongs to, and its X25519 key. */
  readonly certificate: Uint8Array
  /** By the device: that the writer core is its own, under this certificate. */
  readonly statement: Uint8Array
}

/** What a verified claim says. */
export interface Claimant {
  readonly device: Uint8Array
  readonly box: Uint8Array
  readonly identity: Uint8Array
  /** How many revocations the identity had made when it certified the device. */
  readonly epoch: number
}

export function makeClaim(identity: LocalIdentity, room: Uint8Array, writer: Uint8Array): Claim {
  const { publicKey, certificate } = identity.device
  const statement = identity.signStatement(DOMAIN, room, statementData(writer, certificate))
  return { device: publicKey, certificate, statement }
}

/** Who claims, or `undefined` when anything of it is not proven. Depends on nothing but its arguments. */
export function verifyClaim(
  room: Uint8Array,
  writer: Uint8Array,
  { device, certificate, statement }: Claim,
  atMs: number
): Claimant | undefined {
  const certified = verifyCertificate(certificate, { device, context: room, atMs })
  if (!certified.ok) return undefined
  const data = statementData(writer, certificate)
  if (!verifyStatement(statement, { domain: DOMAIN, context: room, data, device })) return undefined
  const { boxPublicKey, identity, epoch } = certified.value
  // Nothing can be sealed to a key of low order, and a room must be able to seal to everyone in it.
  if (agree(ANY_SECRET, boxPublicKey) === undefined) return undefined
  return { device, box: boxPublicKey, identity, epoch }
}

function statementData(writer: Uint8Array, certificate: Uint8Array): Uint8Array {
  return hash(DOMAIN, writer, certificate)
}

/** Whether a public key is of low order shows with any secret key. */
const ANY_SECRET = new Uint8Array(KEY_BYTES).fill(1)
