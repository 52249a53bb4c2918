/**
 * USDt and any other token of EVM chains: received at fresh addresses, paid by a wallet that signs, verified by a quorum
 * of endpoints. Needs `viem` beside it.
 *
 * @packageDocumentation
 */
export { createEvmProvider, EVM, type EvmProviderInit, type EvmTransaction, type EvmWallet } from './evm/provider.js'
