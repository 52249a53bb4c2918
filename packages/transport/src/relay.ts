import { assertBytes, assertOptions, assertString, decodeKey, encodeZ32 } from '@covey/core'

/** A relay: a meeting place for devices that have no other way to each other. It is named by its key. */
export interface RelayAddress {
  /** The relay's ed25519 key, 32 bytes. It is proven before the relay is told anything. */
  readonly publicKey: Uint8Array
  /**
   * Where it listens, at most 8: `ws://host:port`, `wss://host/path` or `udp://1.2.3.4:port`. Without any it
   * is looked up by its key in the DHT, which a device where UDP is blocked cannot do.
   */
  readonly addresses?: readonly string[] | undefined
}

export interface WebSocketTarget {
  readonly isSecure: boolean
  readonly host: string
  readonly port: number
  readonly path: string
}

/** Where a relay listens, checked. */
export interface RelayTarget {
  readonly publicKey: Uint8Array
  /** {@link publicKey} in z-base-32. */
  readonly id: string
  readonly webSockets: readonly WebSocketTarget[]
  readonly udp: readonly { readonly host: string; readonly port: number }[]
}

/** How many relays a node uses at a time. More find no more peers, and each is a connection that is kept. */
export const MAX_RELAYS = 4
const MAX_ADDRESSES = 8
const MAX_ADDRESS_LENGTH = 256
const ADDRESS = /^(ws|wss|udp):\/\/(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?(\/[\w./~%-]*)?$/i
const IP_V4 = /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/

/**
 * Reads the line that a relay prints when it starts: its key, `@`, and its addresses with commas between.
 *
 * @throws {TypeError} when it is malformed.
 * @example
 * ```ts
 * import { createPeer, parseRelay } from 'covey'
 *
 * const relay = parseRelay('yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy@ws://203.0.113.7:443')
 * const peer = await createPeer({ relays: [relay] })
 * ```
 */
export function parseRelay(line: string): RelayAddress {
  assertString(line, 'line', { minLength: 52, maxLength: 4_096 })
  const [key, addresses] = line.trim().split('@', 2)
  const relay = { publicKey: decodeKey(key!), ...(addresses && { addresses: addresses.split(',') }) }
  relayTarget(relay, 'line')
  return relay
}

/** What {@link parseRelay} reads. */
export function formatRelay({ publicKey, addresses = [] }: RelayAddress): string {
  return encodeZ32(publicKey) + (addresses.length > 0 ? `@${addresses.join(',')}` : '')
}

/** @throws {TypeError} that names the field. */
export function relayTargets(relays: unknown, field: string): RelayTarget[] {
  if (!Array.isArray(relays) || relays.length > MAX_RELAYS) {
    throw new TypeError(`${field} must be a list of at most ${MAX_RELAYS} relays`)
  }
  const targets = relays.map((relay, i) => relayTarget(relay as RelayAddress, `${field}[${i}]`))
  return [...new Map(targets.map((target) => [target.id, target])).values()]
}

function relayTarget(relay: RelayAddress, field: string): RelayTarget {
  assertOptions(relay, field, ['publicKey', 'addresses'])
  const { publicKey, addresses = [] } = relay
  assertBytes(publicKey, `${field}.publicKey`, 32)
  if (!Array.isArray(addresses) || addresses.length > MAX_ADDRESSES) {
    throw new TypeError(`${field}.addresses must be a list of at most ${MAX_ADDRESSES}`)
  }
  const webSockets: WebSocketTarget[] = []
  const udp: { host: string; port: number }[] = []
  for (const [i, address] of addresses.entries()) {
    const name = `${field}.addresses[${i}]`
    assertString(address, name, { maxLength: MAX_ADDRESS_LENGTH })
    const { scheme, host, port, path } = readAddress(address, name)
    if (scheme !== 'udp') webSockets.push({ isSecure: scheme === 'wss', host, port, path })
    else if (IP_V4.test(host)) udp.push({ host, port })
    else throw new TypeError(`${name} must be an IPv4 address and a port`)
  }
  return { publicKey, id: encodeZ32(publicKey), webSockets, udp }
}

function readAddress(address: string, name: string): { scheme: string; host: string; port: number; path: string } {
  const [, scheme = '', host = '', digits, path = '/'] = ADDRESS.exec(address) ?? []
  const port = Number(digits ?? { ws: 80, wss: 443 }[scheme.toLowerCase()] ?? 0)
  if (port > 0 && port < 65_536) return { scheme: scheme.toLowerCase(), host: host.replace(/^\[|\]$/g, ''), port, path }
  throw new TypeError(`${name} must be ws://host:port, wss://host/path or udp://ip:port`)
}
