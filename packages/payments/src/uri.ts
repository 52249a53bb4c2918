/**
 * Payment URIs, as QR codes and links have them: BIP-21 and EIP-681. They are read and nothing is asked of anybody.
 *
 * @packageDocumentation
 */
export { parseBitcoinUri, type BitcoinUri } from './uri/bitcoin.js'
export { parseEthereumUri, type EthereumUri } from './uri/ethereum.js'
