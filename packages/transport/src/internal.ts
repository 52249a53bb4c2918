/**
 * What the other Covey packages need of a node and an app does not. It follows the versions of the
 * stack and may change in any release.
 *
 * @packageDocumentation
 */
export { dhtOptions } from './internal/dht-options.js'
export { isOfDisk } from './internal/is-of-disk.js'
export {
  CLOSED,
  decodeFrame,
  decodeNumber,
  encodeFrame,
  encodeNumber,
  encodeTime,
  FRAME,
  MAX_DATAGRAM_BYTES,
  MAX_MESSAGE_BYTES,
  OPEN_TIMEOUT_MS,
  RELAY_CIRCUITS,
  RELAY_VERSION,
  renumber,
  REST_KEEP_ALIVE_MS,
  REST_SILENCE_MS,
  WINDOW_BYTES,
  type DecodedFrame
} from './internal/relay/wire.js'
export { TokenBucket } from './internal/token-bucket.js'
export { closeWhole, type ByteStream } from './internal/relay/websocket.js'
import { internalsOf } from './internal-registry.js'
import type { Node } from './node.js'

/** The running parts of a node; their types are those of the stack, which ships none. */
export interface NodeParts {
  /** A `Corestore`. */
  readonly corestore: unknown
  /** A `Hyperswarm`. */
  readonly swarm: unknown
  /** Takes the place of a `Hyperswarm` for a protocol that is to be spoken over sessions. */
  readonly sessionSwarm: unknown
  /** A `ProtomuxWakeup`, shared by all rooms. */
  readonly wakeup: unknown
  /** For a link: the relays at which this device can be met, in few bytes. Null where it has none. */
  readonly meetingPlace: Uint8Array | null
  /** Where a peer, by id, can be met, as a link says. False when that cannot be read. */
  readonly hint: (peer: string, meetingPlace: Uint8Array) => boolean
}

/**
 * The parts of the stack that a node runs on.
 *
 * @throws {TypeError} when `node` was not made by `createNode()` of this copy of the package.
 */
export function partsOf(node: Node): NodeParts {
  return internalsOf(node)
}
