import Hypercore from 'hypercore'
import { equalBytes } from '@covey/core'
import { verifyCertificate, verifyStatement, type Certificate, type LocalIdentity } from '@covey/identity'
import { agree, hash, KEY_BYTES, sign, verifySignature } from './crypto.js'

const DOMAIN = 'covey/rooms/writer/1'
/** Another, so that who is told of a direct room does not come into any other by it. */
const DIRECT_DOMAIN = 'covey/rooms/direct-writer/1'

/** What a device shows to have a writer core of its own in a room. */
export interface Claim {
  readonly device: Uint8Array
  /** From the identity: who this device belongs to, and its X25519 key. */
  readonly certificate: Uint8Array
  /** By the device: that the writer core is its own, under this certificate. */
  readonly statement: Uint8Array
  /** The key that signs the writer core, and with it: that the core is this device's. */
  readonly writerKey: Uint8Array
  readonly writerSignature: Uint8Array
  /** Whether it holds for a direct room alone. Default: for all but those. */
  readonly direct?: boolean | null
}

/** What a verified claim says. */
export interface Claimant {
  readonly device: Uint8Array
  readonly box: Uint8Array
  readonly identity: Uint8Array
  /** Of the identity, when it certified the device: a revocation begins a newer one. */
  readonly epoch: number
  /** The device that certified it, where it was not the identity itself. */
  readonly issuer?: Uint8Array
  /** Whether it claims to be let into a direct room. */
  readonly isDirect: boolean
}

/** This device's core in a room: its key, and what signs it. */
export interface WriterCore {
  readonly key: Uint8Array
  readonly keyPair: { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array }
}

export function makeClaim(identity: LocalIdentity, room: Uint8Array, { key, keyPair }: WriterCore, direct = false): Claim {
  const { publicKey, certificate } = identity.device
  const domain = domainOf(direct)
  const data = claimData(domain, room, key, publicKey, certificate)
  return {
    device: publicKey,
    certificate,
    statement: identity.signStatement(domain, room, data),
    writerKey: keyPair.publicKey,
    writerSignature: sign(data, keyPair.secretKey),
    direct
  }
}

/** Who claims, or `undefined` when anything of it is not proven. Depends on nothing but its arguments. */
export function verifyClaim(
  room: Uint8Array,
  writer: Uint8Array,
  { device, certificate, statement, writerKey, writerSignature, direct }: Claim,
  atMs: number
): Claimant | undefined {
  const certified = verifyCertificate(certificate, { device, context: room, atMs })
  if (!certified.ok) return undefined
  const domain = domainOf(direct)
  const data = claimData(domain, room, writer, device, certificate)
  if (!verifyStatement(statement, { domain, context: room, data, device })) return undefined
  // Both sides agree: nobody can claim the core of another, or have a core claim another device.
  if (!equalBytes(Hypercore.key(writerKey), writer)) return undefined
  if (!verifySignature(data, writerSignature, writerKey)) return undefined
  // Nothing can be sealed to a key of low order, and a room must be able to seal to everyone in it.
  if (agree(ANY_SECRET, certified.value.boxPublicKey) === undefined) return undefined
  return claimantOf(certified.value, direct)
}

/** Who a certificate speaks of. */
export function claimantOf({ device, boxPublicKey: box, identity, epoch, issuer, links }: Certificate, direct?: boolean | null): Claimant {
  return { device, box, identity, epoch, isDirect: direct === true, ...(links === 2 && { issuer }) }
}

function domainOf(direct: boolean | null | undefined): string {
  return direct ? DIRECT_DOMAIN : DOMAIN
}

function claimData(domain: string, room: Uint8Array, writer: Uint8Array, device: Uint8Array, certificate: Uint8Array): Uint8Array {
  return hash(domain, room, writer, device, certificate)
}

/** Whether a public key is of low order shows with any secret key. */
const ANY_SECRET = new Uint8Array(KEY_BYTES).fill(1)
