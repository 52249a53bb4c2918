import { concatBytes, equalBytes, readBytes, writeBytes, type ByteReader, type Result } from '@covey/core'
import type { Certificate } from '../certificate.js'
import { MAX_EPOCH } from '../constants.js'
import { IdentityError, type IdentityErrorCode } from '../errors.js'
import { domain, isSignedBy, isWeakBoxKey, sign, SIGNATURE_BYTES } from './crypto.js'

const VERSION = 1
const MAX_LINKS = 2
/** Two links of the longest form take 498 bytes. */
const MAX_BYTES = 512
const LINK = domain('device-certificate-link/1')

/** What one signature of a chain says. */
export interface LinkBody {
  identity: Uint8Array
  issuer: Uint8Array
  device: Uint8Array
  boxPublicKey: Uint8Array
  context: Uint8Array | null
  notBeforeMs: number
  expiresMs: number
  epoch: number
}

interface Link extends LinkBody {
  signature: Uint8Array
}

interface Chain {
  version: number
  count: number
  /** None where the version or the count is not one that this code reads. */
  links: Link[]
}

/** One more link, signed, after those of `parent` (none: the first link). Checks nothing. */
export function extendChain(parent: Uint8Array | null, body: LinkBody, issuerSecretKey: Uint8Array): Uint8Array {
  const links = parent === null ? 1 : parent[1]! + 1
  const earlier = parent === null ? new Uint8Array() : parent.subarray(2)
  const encoded = encodeBody(body)
  return concatBytes(Uint8Array.of(VERSION, links), earlier, encoded, sign(LINK, encoded, issuerSecretKey))
}

/** Everything about a chain that does not depend on who asks and when. */
export function readChain(bytes: Uint8Array): Result<Certificate, IdentityError> {
  const decoded = readBytes(bytes, decodeChain, { maxBytes: MAX_BYTES })
  if (!decoded.ok) return refuse('CERTIFICATE_MALFORMED', decoded.error.message)
  const { version, count, links } = decoded.value
  if (version > VERSION) return refuse('CERTIFICATE_TOO_NEW', 'The certificate is of a newer version.')
  const last = links.at(-1)
  if (last === undefined) {
    return refuse('CERTIFICATE_CHAIN_LENGTH', `A chain has one or two links, this one has ${count}.`)
  }
  let parent: Link | undefined
  for (const link of links) {
    const error = checkLink(link, parent)
    if (error !== undefined) return { ok: false, error }
    parent = link
  }
  const { signature: _, ...body } = last
  return { ok: true, value: { ...body, links: count } }
}

export function refuse(code: IdentityErrorCode, message: string): { ok: false; error: IdentityError } {
  return { ok: false, error: new IdentityError(code, message) }
}

function checkLink(link: Link, parent: Link | undefined): IdentityError | undefined {
  const issuer = parent?.device ?? link.identity
  if (!equalBytes(link.issuer, issuer) || equalBytes(link.device, issuer)) {
    return new IdentityError('CERTIFICATE_FOREIGN_ISSUER', 'A link was not issued by whom it must be.')
  }
  if (parent !== undefined && exceeds(link, parent)) {
    return new IdentityError('CERTIFICATE_EXCEEDS_ISSUER', 'The second link claims more than the first one gives.')
  }
  if (!isSignedBy(issuer, LINK, encodeBody(link), link.signature)) {
    return new IdentityError('CERTIFICATE_BAD_SIGNATURE', 'A signature in the certificate does not match.')
  }
  // Sealing to such a key would tell everyone the secret, or fail for everyone else in the room.
  if (isWeakBoxKey(link.boxPublicKey)) {
    return new IdentityError('CERTIFICATE_WEAK_KEY', 'The X25519 key in the certificate is of low order.')
  }
  return undefined
}

function exceeds(link: Link, parent: Link): boolean {
  return (
    !equalBytes(link.identity, parent.identity) ||
    link.epoch !== parent.epoch ||
    link.notBeforeMs < parent.notBeforeMs ||
    link.expiresMs > parent.expiresMs ||
    (parent.context !== null && (link.context === null || !equalBytes(link.context, parent.context)))
  )
}

function decodeChain(reader: ByteReader): Chain {
  const version = reader.uint8()
  if (version === 0) reader.fail('There is no version 0.')
  const count = reader.uint8()
  const links: Link[] = []
  if (version > VERSION || count > MAX_LINKS) reader.rest()
  else for (let index = 0; index < count; index++) links.push(decodeLink(reader))
  return { version, count, links }
}

function decodeLink(reader: ByteReader): Link {
  const body = {
    identity: reader.bytes(32),
    issuer: reader.bytes(32),
    device: reader.bytes(32),
    boxPublicKey: reader.bytes(32),
    context: decodeContext(reader),
    notBeforeMs: reader.varint(),
    expiresMs: reader.varint(),
    epoch: reader.varint(MAX_EPOCH)
  }
  if (body.notBeforeMs >= body.expiresMs) reader.fail('The certificate ends before it begins.')
  return { ...body, signature: reader.bytes(SIGNATURE_BYTES) }
}

function decodeContext(reader: ByteReader): Uint8Array | null {
  const scope = reader.uint8()
  if (scope > 1) reader.fail('The context is neither a room nor all of them.')
  return scope === 0 ? null : reader.bytes(32)
}

/** The signed bytes. Reading accepts numbers in their shortest form only, so that this gives them back. */
function encodeBody(body: LinkBody): Uint8Array {
  return writeBytes((writer) => {
    writer.bytes(body.identity).bytes(body.issuer).bytes(body.device).bytes(body.boxPublicKey)
    if (body.context === null) writer.uint8(0)
    else writer.uint8(1).bytes(body.context)
    writer.varint(body.notBeforeMs).varint(body.expiresMs).varint(body.epoch)
  })
}
