import createTestnet from 'hyperdht/testnet.js'
import { assertInteger, assertOptions } from '@covey/core'
import type { NetworkAddress } from 'covey'

/** How {@link createLocalNetwork} makes a network. */
export interface LocalNetworkInit {
  /** How many DHT nodes it has, 2 to 100. Default 3. */
  readonly size?: number
}

/** A DHT of one's own, on this machine's loopback address. */
export interface LocalNetwork {
  /** For `localNetwork(bootstrap)`. Plain data: it can be handed to another process. */
  readonly bootstrap: readonly NetworkAddress[]
  /** Stops its nodes. Close the peers first. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const DEFAULT_SIZE = 3

/**
 * Starts a real HyperDHT in this process, reachable from this machine only.
 *
 * @throws {TypeError} when an option is malformed or unknown
 * @example
 * ```ts
 * import { createPeer, localNetwork } from 'covey'
 * import { createLocalNetwork } from '@covey/testing'
 *
 * const net = await createLocalNetwork()
 * const peer = await createPeer({ network: localNetwork(net.bootstrap) })
 * await peer.close()
 * await net.close()
 * ```
 */
export async function createLocalNetwork(init: LocalNetworkInit = {}): Promise<LocalNetwork> {
  assertOptions(init, 'init', ['size'])
  const { size = DEFAULT_SIZE } = init
  assertInteger(size, 'init.size', { min: 2, max: 100 })
  const testnet = await createTestnet(size)
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= testnet.destroy())
  const bootstrap = testnet.bootstrap.map(({ host, port }) => ({ host, port }))
  return { bootstrap, close, [Symbol.asyncDispose]: close }
}
