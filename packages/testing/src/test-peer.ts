import { createPeer, localNetwork, type Peer, type PeerInit } from 'covey'
import type { LocalNetwork } from './local-network.js'

/** How {@link createTestPeer} makes a peer: as `createPeer` does, on a network that is not public. */
export interface TestPeerInit extends Omit<PeerInit, 'network'> {
  /** From `createLocalNetwork()`. */
  readonly network: LocalNetwork
}

/**
 * A peer to throw away: on a local network, and without `storage` in a temporary folder that `close()`
 * removes.
 *
 * @throws whatever `createPeer` throws
 * @example
 * ```ts
 * import { createLocalNetwork, createTestPeer } from '@covey/testing'
 *
 * const network = await createLocalNetwork()
 * const alice = await createTestPeer({ network, name: 'Alice' })
 * await alice.close()
 * await network.close()
 * ```
 */
export async function createTestPeer(init: TestPeerInit): Promise<Peer> {
  const { network, ...peer } = init ?? {}
  if (!Array.isArray(network?.bootstrap)) throw new TypeError('init.network must come from createLocalNetwork()')
  return createPeer({ ...peer, network: localNetwork(network.bootstrap) })
}
