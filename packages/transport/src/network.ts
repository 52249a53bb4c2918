import { assertInteger, assertOptions, assertString } from '@covey/core'

/** A DHT node to start from. */
export interface NetworkAddress {
  /** An IP address or host name. */
  readonly host: string
  /** A UDP port, 1 to 65535. */
  readonly port: number
}

/** Which network a node talks on; made by {@link publicNetwork} or {@link localNetwork}. */
export type Network =
  | ({ readonly kind: 'public' } & NetworkOptions)
  | ({ readonly kind: 'local'; readonly bootstrap: readonly NetworkAddress[] } & NetworkOptions)

/** What may be chosen in any network. */
export interface NetworkOptions {
  /**
   * Whether devices in the same local network find each other there too, with nothing else: over multicast DNS.
   * What others in that network see is in the guide on transport.
   */
  readonly lan?: boolean | undefined
}

/**
 * The public HyperDHT, which anyone on the internet can reach. The default.
 *
 * @param options `lan`: default true.
 * @throws {TypeError} when an option is malformed.
 */
export function publicNetwork(options: NetworkOptions = {}): Network {
  return { kind: 'public', ...checkOptions(options) }
}

/**
 * A network of one's own, for tests, demos and places without internet.
 *
 * @param bootstrap DHT nodes that every peer of the network can reach, `host:port` where they are text; at least one.
 * @param options `lan`: default false, so that tests and demos do not meet what else is in the network.
 * @throws {TypeError} when an address or an option is malformed.
 */
export function localNetwork(bootstrap: readonly (NetworkAddress | string)[], options: NetworkOptions = {}): Network {
  const addresses: unknown = Array.isArray(bootstrap) ? bootstrap.map(readAddress) : bootstrap
  return { kind: 'local', bootstrap: checkBootstrap(addresses, 'bootstrap'), ...checkOptions(options) }
}

/** Whether devices are looked for in the local network. */
export function isLanOn({ kind, lan = kind === 'public' }: Network): boolean {
  return lan
}

/**
 * Checks that a value came from {@link publicNetwork} or {@link localNetwork}, or is as if it did: it
 * may have crossed a message channel.
 *
 * @throws {TypeError} that names the field.
 */
export function assertNetwork(network: unknown, field: string): asserts network is Network {
  const { kind, bootstrap, lan } = (network ?? {}) as Partial<Extract<Network, { kind: 'local' }>>
  assertLan(lan, `${field}.lan`)
  if ((kind as string | undefined) === 'public') return
  if (kind !== 'local') throw new TypeError(`${field} must come from publicNetwork() or localNetwork()`)
  checkBootstrap(bootstrap, `${field}.bootstrap`)
}

function readAddress(address: NetworkAddress | string, i: number): NetworkAddress {
  if (typeof address !== 'string') return address
  const [, host, port] = /^(.+):([0-9]{1,5})$/.exec(address) ?? []
  if (host === undefined) throw new TypeError(`bootstrap[${i}] must be host:port`)
  return { host, port: Number(port) }
}

function checkOptions(options: NetworkOptions): NetworkOptions {
  assertOptions(options, 'options', ['lan'])
  assertLan(options.lan, 'options.lan')
  return options.lan === undefined ? {} : { lan: options.lan }
}

function assertLan(lan: unknown, field: string): void {
  if (lan !== undefined && typeof lan !== 'boolean') throw new TypeError(`${field} must be true or false`)
}

function checkBootstrap(bootstrap: unknown, field: string): NetworkAddress[] {
  if (!Array.isArray(bootstrap) || bootstrap.length === 0) {
    throw new TypeError(`${field} must be a list of at least one { host, port }`)
  }
  return bootstrap.map((address: NetworkAddress, i) => {
    assertOptions(address, `${field}[${i}]`, ['host', 'port'])
    assertString(address.host, `${field}[${i}].host`, { minLength: 1 })
    assertInteger(address.port, `${field}[${i}].port`, { min: 1, max: 65535 })
    return { host: address.host, port: address.port }
  })
}
