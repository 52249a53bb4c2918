/**
 * What an app built on Covey is tested with: a DHT on this machine, and peers to throw away.
 *
 * @packageDocumentation
 */
export { createLocalNetwork, type LocalNetwork, type LocalNetworkInit } from './local-network.js'
export { createTestPeer, type TestPeerInit } from './test-peer.js'
