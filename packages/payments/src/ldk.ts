/**
 * Lightning from within the app: an embedded LDK node, and the provider that pays and is paid by it. **Experimental.**
 *
 * Install `lightningdevkit` 0.1.2-0 beside it (MIT or Apache-2.0, 24 MB, 14 MB of it WASM): apps that do not use this
 * entry point do without.
 *
 * @packageDocumentation
 */
export type { StateWitness } from './internal/ldk/state-folder.js'
export type { Confirmation, FeeRates, LightningBlock, LightningChain } from './ldk/chain.js'
export { createEsploraChain, DEFAULT_ESPLORA_TIMEOUT_MS, type EsploraOptions } from './ldk/esplora.js'
export { linkOfChannel, linkOfStream, type ByteChannel, type ByteStream, type PeerLink } from './ldk/link.js'
export {
  DEFAULT_POLL_INTERVAL_MS,
  type ChannelOffer,
  type InvoiceInit,
  type LightningChannel,
  type LightningNetwork,
  type LightningNode,
  type LightningNodeEvents,
  type LightningNodeInit,
  type OpenChannelInit,
  type OutgoingPayment,
  type PayInvoiceOptions
} from './ldk/node.js'
export { openLightningNode } from './ldk/open.js'
export { createLdkProvider, DEFAULT_PENDING_AFTER_MS, type LdkProviderOptions } from './ldk/provider.js'
