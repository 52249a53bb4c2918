import { decode, encode, type Answer, type Packet } from '@dnsquery/dns-packet'
import { concatBytes } from '@covey/core'
import { MAX_PACKET_BYTES, MAX_RECORDS, TTL_S } from './constants.js'
import { decodeIntroductions, encodeIntroductions, type Address, type Introductions } from './introductions.js'

const SERVICE = '_covey._udp.local'
const SUFFIX = `.${SERVICE}`
/** How the service begins in a packet: with the length of its first label. */
const MARK = Uint8Array.from('\u0006_covey', (letter) => letter.charCodeAt(0))
const MAX_STRING_BYTES = 255
const HEADER_BYTES = 12

/** What a packet says about Covey. */
export type Message =
  /** Somebody wants to know who is there. `from` is the name of who asks, as far as it is told. */
  | { readonly kind: 'query'; readonly from: string | null }
  /** A device can be dialled at this port of the address that the packet came from. */
  | { readonly kind: 'announcement'; readonly from: string; readonly port: number; readonly introductions: Introductions }

/** Asks who is there. `instance` is the name of who asks, which need not be answered with itself. */
export function encodeQuery(instance: string): Uint8Array {
  return encode({ type: 'query', questions: [{ name: SERVICE, type: 'PTR' }], answers: [pointer(instance, TTL_S)] })
}

/** Says where a device can be dialled, as a service of DNS-SD (RFC 6763). */
export function encodeAnnouncement(instance: string, { host, port }: Address, introductions: Introductions): Uint8Array {
  const [name, target] = [`${instance}${SUFFIX}`, `${instance}.local`]
  return encode({
    type: 'response',
    flags: AUTHORITATIVE,
    answers: [
      pointer(instance, TTL_S),
      { type: 'SRV', name, ttl: TTL_S, data: { target, port, priority: 0, weight: 0 } },
      { type: 'TXT', name, ttl: TTL_S, data: stringsOf(encodeIntroductions(introductions)) },
      { type: 'A', name: target, ttl: TTL_S, data: host }
    ]
  })
}

/** Says that a device is not there any more. */
export function encodeGoodbye(instance: string): Uint8Array {
  return encode({ type: 'response', flags: AUTHORITATIVE, answers: [pointer(instance, 0)] })
}

/** Whether a packet may be about Covey: anything else in a network speaks multicast DNS too. */
export function isRelevant(packet: Uint8Array): boolean {
  if (packet.length < HEADER_BYTES || packet.length > MAX_PACKET_BYTES) return false
  for (let at = packet.indexOf(MARK[0]!); at !== -1; at = packet.indexOf(MARK[0]!, at + 1)) {
    if (MARK.every((byte, i) => packet[at + i] === byte)) return true
  }
  return false
}

/** Null for what says nothing about Covey, or nothing that is understood. */
export function decodeMessage(packet: Uint8Array): Message | null {
  const decoded = isRelevant(packet) && hasFewRecords(packet) ? decodePacket(packet) : null
  if (decoded === null) return null
  const { type, questions = [], answers = [] } = decoded
  const isPointer = (answer: Answer): boolean => answer.type === 'PTR' && answer.name === SERVICE && (answer.ttl ?? 0) > 0
  const name = answers.find(isPointer)?.data
  const from = typeof name === 'string' && name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : null
  if (type === 'query') {
    const isAsked = questions.some((question) => question.name === SERVICE && (question.type === 'PTR' || question.type === 'ANY'))
    return isAsked ? { kind: 'query', from } : null
  }
  if (from === null) return null
  let port = 0
  let introductions: Introductions | null = null
  for (const answer of answers) {
    if (answer.name !== name) continue
    if (answer.type === 'SRV') port = answer.data.port ?? 0
    else if (answer.type === 'TXT' && Array.isArray(answer.data)) introductions = decodeIntroductions(concatBytes(...answer.data.filter(isBytes)))
  }
  return introductions === null || port === 0 ? null : { kind: 'announcement', from, port, introductions }
}

/** The flag of whoever knows it first-hand, as all do who answer. */
const AUTHORITATIVE = 0x0400

function pointer(instance: string, ttl: number): { type: 'PTR'; name: string; ttl: number; data: string } {
  return { type: 'PTR', name: SERVICE, ttl, data: `${instance}${SUFFIX}` }
}

function stringsOf(bytes: Uint8Array): Uint8Array[] {
  const count = Math.ceil(bytes.length / MAX_STRING_BYTES)
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * MAX_STRING_BYTES, (i + 1) * MAX_STRING_BYTES))
}

/** The header names four counts, and the decoder makes lists that long before it has read anything. */
function hasFewRecords(packet: Uint8Array): boolean {
  const counts = [4, 6, 8, 10].map((at) => packet[at]! * 256 + packet[at + 1]!)
  return counts.reduce((sum, count) => sum + count, 0) <= MAX_RECORDS
}

function decodePacket(packet: Uint8Array): Packet | null {
  try {
    return decode(packet)
  } catch {
    // Anybody can send anything to the group.
    return null
  }
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array
}
