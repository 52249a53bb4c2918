/**
 * A node of the Covey network: a device that meets its peers over Hyperswarm and keeps what it
 * replicates in one Corestore.
 *
 * @packageDocumentation
 */
export { createNode, type Contact, type Node, type NodeEvents, type NodeInit, type Path, type PathPolicy, type ReachOptions } from './node.js'
export type { Diagnosis, RelayDiagnosis } from './diagnosis.js'
export { assertNetwork, localNetwork, publicNetwork, type Network, type NetworkAddress, type NetworkOptions } from './network.js'
export { formatRelay, MAX_RELAYS, parseRelay, type RelayAddress } from './relay.js'
export { openStore, type Store, type StoreOptions } from './store.js'
export {
  defineChannel,
  type Channel,
  type ChannelCloseCode,
  type ChannelCodec,
  type ChannelDefinition,
  type ChannelDefinitionInit,
  type ChannelEvents,
  type ChannelHost,
  type ChannelMessage,
  type ChannelOptions,
  type Datagram,
  type DatagramStats
} from './channel.js'
export { TransportError, type TransportErrorCode } from './errors.js'
export type { Suspendable } from './suspendable.js'
export type { Topic } from './topic.js'
