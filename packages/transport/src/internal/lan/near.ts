import type HyperDHT from 'hyperdht'
import { MAX_INTERFACES } from './constants.js'

const LOOPBACK = /^127\./
/** RFC 1918, and RFC 3927 for networks in which nobody gives out addresses. */
const PRIVATE = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.)/

/** The address of each network that this device is in and can be dialled in; empty while the DHT has no socket. */
export function nearAddresses(dht: HyperDHT): string[] {
  const bound = dht.io.serverSocket?.address()?.host
  if (bound === undefined) return []
  if (LOOPBACK.test(bound)) return [bound]
  const addresses = dht.udx.networkInterfaces().filter(({ family, internal }) => family === 4 && !internal)
  return addresses.map(({ host }) => host).filter((host) => PRIVATE.test(host)).slice(0, MAX_INTERFACES)
}

/**
 * Whether an address that a packet came from can be in a network of `own`. No other is dialled: what is heard
 * must not have this device send anything out into the internet.
 */
export function isNear(host: string, own: readonly string[]): boolean {
  const kind = LOOPBACK.test(host) ? LOOPBACK : PRIVATE
  return kind.test(host) && own.some((address) => kind.test(address))
}
