import type { LightningNetwork } from '../../ldk/node.js'

/** What invoices and assets call a network. */
export const PREFIXES: Readonly<Record<LightningNetwork, string>> = { bitcoin: 'bc', testnet: 'tb', signet: 'tbs', regtest: 'bcrt' }

export const NETWORK_NAMES = Object.keys(PREFIXES) as LightningNetwork[]
