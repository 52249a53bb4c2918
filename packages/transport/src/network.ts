import { assertInteger, assertString } from '@covey/core'

/** A DHT node to start from. */
export interface NetworkAddress {
  /** An IP address or host name. */
  readonly host: string
  /** A UDP port, 1 to 65535. */
  readonly port: number
}

/** Which network a node talks on; made by {@link publicNetwork} or {@link localNetwork}. */
export type Network =
  | { readonly kind: 'public' }
  | { readonly kind: 'local'; readonly bootstrap: readonly NetworkAddress[] }

/** The public HyperDHT, which anyone on the internet can reach. The default. */
export function publicNetwork(): Network {
  return { kind: 'public' }
}

/**
 * A network of one's own, for tests, demos and places without internet.
 *
 * @param bootstrap DHT nodes that every peer of the network can reach; at least one.
 * @throws {TypeError} when an address is malformed.
 */
export function localNetwork(bootstrap: readonly NetworkAddress[]): Network {
  if (!Array.isArray(bootstrap) || bootstrap.length === 0) {
    throw new TypeError('bootstrap must be a list of at least one { host, port }')
  }
  const addresses = bootstrap.map(({ host, port }: NetworkAddress, i) => {
    assertString(host, `bootstrap[${i}].host`)
    assertInteger(port, `bootstrap[${i}].port`, { min: 1, max: 65535 })
    return { host, port }
  })
  return { kind: 'local', bootstrap: addresses }
}
