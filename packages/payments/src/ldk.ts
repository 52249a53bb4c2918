export type { Confirmation, FeeRates, LightningBlock, LightningChain } from './ldk/chain.js'
export { linkOfChannel, linkOfStream, type ByteChannel, type ByteStream, type PeerLink } from './ldk/link.js'
export type * from './ldk/node.js'
export { openNode as openLightningNode } from './internal/ldk/open-node.js'
