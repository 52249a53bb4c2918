/**
 * Lightning by a wallet elsewhere, over Nostr Wallet Connect (NIP-47).
 *
 * Install `nostr-tools` 2.25.2 beside it (Unlicense), and on Node 20 a WebSocket, such as `ws`.
 *
 * @packageDocumentation
 */
export { createNwcProvider, DEFAULT_NWC_TIMEOUT_MS, type NwcInit, type SocketConstructor } from './nwc/provider.js'
