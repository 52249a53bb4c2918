import type HyperDHT from 'hyperdht'
import type { Network } from '../network.js'

/**
 * How long after a punch through random ports the next may begin. The 20 s of the stack leave a phone behind such
 * a NAT with one peer for as long. How many go on at a time is said in session/punches.ts.
 */
const RANDOM_PUNCH_INTERVAL_MS = 1_000

const LOOPBACK = '127.0.0.1'

/**
 * A local network is told the address to listen on: the first bootstrap node's, if it is this machine.
 * On all interfaces, a node takes itself for another than its peers see, and connections get lost.
 */
export function dhtOptions(network: Network): ConstructorParameters<typeof HyperDHT>[0] {
  const punching = { randomPunchInterval: RANDOM_PUNCH_INTERVAL_MS }
  if (network.kind === 'public') return punching
  return { ...punching, bootstrap: [...network.bootstrap], ...(isLoopback(network) && { host: LOOPBACK }) }
}

/** Where this device takes TCP connections. */
export function listenHost(network: Network): string {
  return isLoopback(network) ? LOOPBACK : '0.0.0.0'
}

function isLoopback(network: Network): boolean {
  return network.kind === 'local' && network.bootstrap.every(({ host }) => host === 'localhost' || host.startsWith('127.'))
}
