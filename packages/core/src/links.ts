import { assertBytes, assertInteger, assertOptions } from './assert.js'
import { concatBytes, equalBytes } from './bytes.js'
import { cleanLinkText } from './internal/clean-link-text.js'
import { crc32 } from './internal/crc32.js'
import * as linkError from './internal/link-errors.js'
import { readBytes } from './read-bytes.js'
import { encodeUtf8 } from './utf8.js'
import { writeBytes } from './write-bytes.js'
import { decodeZ32, encodeZ32, z32Length, Z32_ALPHABET } from './z32.js'

/** The longest text that {@link decodeLink} looks at, with whatever a mail client put into it. */
export const LINK_MAX_CHARACTERS = 4096
/** The longest body: as text it fills four fifths of the allowed characters, which leaves room for line breaks. */
export const LINK_MAX_BODY_BYTES = 2048

const LINK_VERSION = 1
const CHECKSUM_BYTES = 4
const NOT_Z32 = new RegExp(`[^${Z32_ALPHABET}]`)
/** An empty body: version, length and checksum. */
const MIN_PAYLOAD_CHARACTERS = z32Length(2 + CHECKSUM_BYTES)
/** 8 characters are 5 bytes, with no bit left over: enough for the version and any allowed length. */
const HEADER_CHARACTERS = 8

/** What a link is for: 2 to 16 letters a to z. Packages add kinds of their own. */
export type LinkKind = 'invite' | 'file' | 'device' | 'contact' | (string & {})

/** A decoded link. */
export interface Link<Kind extends LinkKind = LinkKind> {
  readonly kind: Kind
  /** The content, in the format of the kind. Usually a secret. */
  readonly body: Uint8Array
}

/** Options of {@link decodeLink}. */
export interface DecodeLinkOptions<Kind extends LinkKind = LinkKind> {
  /** The kind that is needed. Default: any. */
  kind?: Kind | undefined
  /** The longest body that is accepted, in bytes. Default {@link LINK_MAX_BODY_BYTES}. */
  maxBytes?: number | undefined
}

/**
 * The text `covey:<kind>/<payload>` for a body of at most {@link LINK_MAX_BODY_BYTES} bytes. The
 * payload is z-base-32 of: version (1 byte), length of the body (varint), body, CRC-32 over kind and
 * everything before (4 bytes, little-endian). Later versions keep this envelope.
 *
 * Whoever has the link has the body: treat the text as the secret that it carries. Its upper case
 * form decodes alike and makes a smaller QR code.
 *
 * @throws {TypeError} when `kind` or `body` is not as described.
 * @example
 * ```ts
 * import { encodeLink } from '@covey/core'
 *
 * const link = encodeLink('invite', new Uint8Array(32).fill(7))
 * console.log(link, link.toUpperCase())
 * ```
 */
export function encodeLink(kind: LinkKind, body: Uint8Array): string {
  assertKind(kind)
  assertBytes(body, 'body')
  if (body.length > LINK_MAX_BODY_BYTES) {
    throw new TypeError(`body must be at most ${LINK_MAX_BODY_BYTES} bytes, it is ${body.length}`)
  }
  const content = writeBytes((writer) => writer.uint8(LINK_VERSION).prefixedBytes(body, LINK_MAX_BODY_BYTES))
  return `covey:${kind}/${encodeZ32(concatBytes(content, checksum(kind, content)))}`
}

/**
 * What a link carries. Forgives what happens to links on their way: spaces, line breaks, quotes and
 * angle brackets around, upper case. Finds every single changed character and every pair of swapped
 * neighbours, and says what a person can do about it. No error contains any of the body.
 *
 * @throws {CoveyError} LINK_NOT_COVEY, LINK_TOO_LONG, LINK_BAD_CHARACTER, LINK_TRUNCATED,
 * LINK_EXTRA_CHARACTERS, LINK_DAMAGED, LINK_WRONG_KIND or LINK_TOO_NEW.
 * @throws {TypeError} when an argument is wrong.
 * @example
 * ```ts
 * import { decodeLink, encodeLink } from '@covey/core'
 *
 * const text = encodeLink('invite', new Uint8Array(32))
 * const { kind, body } = decodeLink(`<${text}>`, { kind: 'invite' })
 * console.log(kind, body.length)
 * ```
 */
export function decodeLink<Kind extends LinkKind = LinkKind>(
  text: string,
  options: DecodeLinkOptions<Kind> = {}
): Link<Kind> {
  if (typeof text !== 'string') throw new TypeError(`text must be a string, got ${typeof text}`)
  assertOptions(options, 'options', ['kind', 'maxBytes'])
  const { kind: neededKind, maxBytes = LINK_MAX_BODY_BYTES } = options
  if (neededKind !== undefined) assertKind(neededKind)
  assertInteger(maxBytes, 'maxBytes', { min: 0, max: LINK_MAX_BODY_BYTES })

  const { kind, payload } = splitLink(text)
  const { version, body } = openPayload(kind, payload)
  if (neededKind !== undefined && kind !== neededKind) throw linkError.wrongKind(kind, neededKind)
  if (version > LINK_VERSION) throw linkError.tooNew()
  if (body.length > maxBytes) {
    throw linkError.tooLong(`The link carries ${body.length} bytes, at most ${maxBytes} are allowed here.`)
  }
  return { kind: kind as Kind, body }
}

/** Takes the text apart, and sees to it that the payload has the right characters, and as many as it says. */
function splitLink(text: string): { kind: string; payload: string } {
  if (text.length > LINK_MAX_CHARACTERS) {
    throw linkError.tooLong(`The text has ${text.length} characters, a link at most ${LINK_MAX_CHARACTERS}.`)
  }
  const { link, positions } = cleanLinkText(text)
  if (/^covey:[a-z]{0,16}$/.test(link)) throw linkError.truncated(MIN_PAYLOAD_CHARACTERS, 'at least ')
  const prefix = /^covey:([a-z]{2,16})\//.exec(link)
  if (prefix === null) throw linkError.notCovey()

  const payload = link.slice(prefix[0].length)
  const badIndex = payload.search(NOT_Z32)
  const sound = badIndex === -1 ? payload : payload.slice(0, badIndex)
  const length = payloadLength(sound)
  // Whatever follows a whole link is not part of it, so it is not looked at more closely.
  if (length !== undefined && sound.length >= length && payload.length > length) {
    throw linkError.extraCharacters(payload.length - length)
  }
  if (badIndex !== -1) throw linkError.badCharacter(text, positions[prefix[0].length + badIndex]!)
  if (payload.length < MIN_PAYLOAD_CHARACTERS) {
    throw linkError.truncated(MIN_PAYLOAD_CHARACTERS - payload.length, 'at least ')
  }
  if (length === undefined) throw linkError.damaged()
  if (payload.length < length) throw linkError.truncated(length - payload.length)
  return { kind: prefix[1]!, payload }
}

/** How many characters the payload should have, by the length that it states for its body. */
function payloadLength(payload: string): number | undefined {
  if (payload.length < MIN_PAYLOAD_CHARACTERS) return undefined
  const header = decodeZ32(payload.slice(0, HEADER_CHARACTERS))
  if (!header.ok) return undefined
  const bytes = readBytes(header.value, (reader) => {
    reader.uint8()
    const bodyLength = reader.varint(LINK_MAX_BODY_BYTES)
    const headerLength = header.value.length - reader.remaining
    reader.rest()
    return headerLength + bodyLength + CHECKSUM_BYTES
  })
  return bytes.ok ? z32Length(bytes.value) : undefined
}

function openPayload(kind: string, payload: string): { version: number; body: Uint8Array } {
  const bytes = decodeZ32(payload)
  if (!bytes.ok) throw linkError.damaged()
  const content = bytes.value.subarray(0, -CHECKSUM_BYTES)
  const sum = bytes.value.subarray(-CHECKSUM_BYTES)
  const opened = readBytes(content, (reader) => ({
    version: reader.uint8(),
    body: reader.prefixedBytes(LINK_MAX_BODY_BYTES)
  }))
  if (!opened.ok || opened.value.version === 0 || !equalBytes(sum, checksum(kind, content))) {
    throw linkError.damaged()
  }
  return opened.value
}

function checksum(kind: string, content: Uint8Array): Uint8Array {
  const sum = new Uint8Array(CHECKSUM_BYTES)
  new DataView(sum.buffer).setUint32(0, crc32(concatBytes(encodeUtf8(kind), content)), true)
  return sum
}

function assertKind(kind: string): void {
  if (typeof kind !== 'string' || !/^[a-z]{2,16}$/.test(kind)) {
    throw new TypeError('kind must be 2 to 16 lower case letters a to z')
  }
}
