import HyperDHT from 'hyperdht'
import Hyperswarm, { type SwarmConnection } from 'hyperswarm'
import type { LocalNetwork } from '@covey/testing'

/** A Hyperswarm on a local network, with the hyperdht and the address that our own peers use. */
export function createStockSwarm(
  network: Pick<LocalNetwork, 'bootstrap'>,
  onconnection: (connection: SwarmConnection) => void
): Hyperswarm {
  const dht = new HyperDHT({ bootstrap: network.bootstrap, host: '127.0.0.1' })
  const swarm = new Hyperswarm({ dht })
  swarm.on('connection', (connection) => {
    // A connection that breaks when the other side closes is no failure of the measurement.
    connection.on('error', () => undefined)
    onconnection(connection)
  })
  return swarm
}
