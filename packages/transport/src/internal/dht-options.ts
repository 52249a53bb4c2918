import type HyperDHT from 'hyperdht'
import type { Network } from '../network.js'

/**
 * A local network is told the address to listen on: the first bootstrap node's, if it is this machine.
 * On all interfaces, a node takes itself for another than its peers see, and connections get lost.
 */
export function dhtOptions(network: Network): ConstructorParameters<typeof HyperDHT>[0] {
  if (network.kind === 'public') return {}
  const isLoopback = network.bootstrap.every(({ host }) => host === 'localhost' || host.startsWith('127.'))
  return { bootstrap: [...network.bootstrap], ...(isLoopback && { host: '127.0.0.1' }) }
}
