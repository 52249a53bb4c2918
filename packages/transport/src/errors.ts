import { CoveyError } from '@covey/core'

/**
 * - `STORAGE_LOCKED`: another process, or another peer in this one, has the folder open.
 * - `STORAGE_UNWRITABLE`: the folder cannot be made or written.
 * - `STORAGE_FAILED`: the folder is there, but its database does not open.
 * - `NETWORK_FAILED`: an exchange with the DHT failed; it is tried again by itself.
 * - `NODE_CLOSED`: the call came after `close()`.
 * - `PEER_UNREACHABLE`: no path to the peer was found; it may be there later.
 * - `PEER_BLOCKED`: this node was told to have nothing to do with the peer.
 * - `NODE_SUSPENDED`: the call came after `suspend()`, or did not come through before it.
 * - `CHANNEL_IN_USE`: a channel of this name and version is open on this node already.
 * - `CHANNEL_CLOSED`: the channel is not open with this peer, or not any more.
 * - `CHANNEL_FLOODED`: a peer sent more on a channel than there was room for.
 * - `MESSAGE_TOO_LARGE`: a message or datagram is larger than the channel allows.
 * - `MESSAGE_INVALID`: a peer sent what is no message of the channel.
 * - `UPSTREAM_UNSUPPORTED`: a module of the stack has a version that the guards were not written for.
 */
export type TransportErrorCode =
  | 'STORAGE_LOCKED'
  | 'STORAGE_UNWRITABLE'
  | 'STORAGE_FAILED'
  | 'NETWORK_FAILED'
  | 'NODE_CLOSED'
  | 'PEER_UNREACHABLE'
  | 'PEER_BLOCKED'
  | 'NODE_SUSPENDED'
  | 'CHANNEL_IN_USE'
  | 'CHANNEL_CLOSED'
  | 'CHANNEL_FLOODED'
  | 'MESSAGE_TOO_LARGE'
  | 'MESSAGE_INVALID'
  | 'UPSTREAM_UNSUPPORTED'

/** What `@covey/transport` throws; see {@link TransportErrorCode}. */
export class TransportError extends CoveyError<TransportErrorCode> {
  override readonly name = 'TransportError'
}
