import { readBytes, writeBytes, type Result } from '@covey/core'
import { relayTargets, type RelayAddress, type RelayTarget } from '../../relay.js'

/** Where a device says that it can be met: more would make links long, and find no more peers. */
const MAX_HINTS = 2
const MAX_HINT_ADDRESSES = 2
const MAX_ADDRESS_BYTES = 128
/** Of {@link encodeHints}. */
export const MAX_HINTS_BYTES = 1 + MAX_HINTS * (32 + 1 + MAX_HINT_ADDRESSES * (1 + MAX_ADDRESS_BYTES))

/** `count`, and of each relay its key, `count`, and its addresses as text. */
export function encodeHints(relays: readonly RelayAddress[], maxAddresses = MAX_HINT_ADDRESSES): Uint8Array {
  const named = relays.slice(0, MAX_HINTS)
  return writeBytes((writer) => {
    writer.varint(named.length)
    for (const { publicKey, addresses = [] } of named) {
      // All are ASCII.
      const short = addresses.filter(({ length }) => length <= MAX_ADDRESS_BYTES).slice(0, maxAddresses)
      writer.bytes(publicKey).varint(short.length)
      for (const address of short) writer.text(address, MAX_ADDRESS_BYTES)
    }
  })
}

/**
 * The relays that a peer, or a link, names. What is no address of a relay is left out; so is what leads into this
 * device's own network, where it might ask something of what listens there, but in a network of one's own.
 */
export function decodeHints(bytes: Uint8Array, isLocal: boolean): Result<RelayTarget[]> {
  const hints = readBytes(bytes, (reader) => {
    const relays = Array.from({ length: reader.varint(MAX_HINTS) }, () => ({
      publicKey: reader.bytes(32),
      addresses: Array.from({ length: reader.varint(MAX_HINT_ADDRESSES) }, () => reader.text(MAX_ADDRESS_BYTES))
    }))
    // Fields of a later version.
    reader.rest()
    return relays
  }, { maxBytes: 2 * MAX_HINTS_BYTES })
  if (!hints.ok) return hints
  return { ok: true, value: hints.value.flatMap(readTarget).map((target) => (isLocal ? target : publicOf(target))) }
}

function readTarget({ publicKey, addresses }: { publicKey: Uint8Array; addresses: string[] }): RelayTarget[] {
  const sound = addresses.filter((address) => {
    try {
      return relayTargets([{ publicKey, addresses: [address] }], 'relays')
    } catch {
      return false
    }
  })
  return relayTargets([{ publicKey, addresses: sound }], 'relays')
}

function publicOf(target: RelayTarget): RelayTarget {
  // Behind a path there is a program that was meant for something else, unless it has a certificate.
  const webSockets = target.webSockets.filter(({ host, isSecure, path }) => isPublic(host) && (isSecure || path === '/'))
  return { ...target, webSockets, udp: target.udp.filter(({ host }) => isPublic(host)) }
}

const V4 = /^(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})$/
/** @see https://www.iana.org/assignments/iana-ipv4-special-registry */
const SPECIAL_V4 = /^(?:0|10|127|169\.254|172\.(?:1[6-9]|2[0-9]|3[01])|192\.0\.0|192\.168|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])|198\.1[89]|22[4-9]|2[3-9][0-9])\./
/** Global unicast, but for what carries an IPv4 address: 6to4 and Teredo. */
const GLOBAL_V6 = /^(?!2002:|2001:0{0,4}:|2001::)[23][0-9a-f]{3}:[0-9a-f:]+$/i
/** A name of the DNS, with a domain that ends in letters: the last label of a number is one of an address. */
const NAME = /^(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*$/i
const SPECIAL_NAME = /\.(?:local|localhost|localdomain|internal|intranet|lan|home|corp|arpa|test|invalid|onion)$/i

/** Whether a host is one of the internet. A name may still lead elsewhere: that is seen when it is dialled. */
export function isPublic(host: string): boolean {
  if (V4.test(host)) return host.split('.').every((part) => Number(part) <= 255) && !SPECIAL_V4.test(host)
  if (host.includes(':')) return GLOBAL_V6.test(host)
  return NAME.test(host) && !SPECIAL_NAME.test(host)
}
