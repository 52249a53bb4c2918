/**
 * Serverless, end-to-end encrypted rooms for any app.
 *
 * @example
 * ```ts
 * import { createPeer } from 'covey'
 *
 * const alice = await createPeer({ storage: './alice', name: 'Alice' })
 * const room = await alice.rooms.create({ name: 'Tea' })
 * console.log(await room.createInvite({ expiresInMs: 600_000, uses: 1 }))
 * for await (const message of room.messages({ live: true })) {
 *   console.log(`${message.authorName}: ${message.text}`)
 * }
 * ```
 *
 * @packageDocumentation
 */
export { createPeer } from './create-peer.js'
export type { Peer, PeerInit, PeerPayments, PeerPaymentsInit } from './peer.js'
export type { RoomPayments, RoomReceipt } from './room-payments.js'
export {
  CoveyError,
  defineContent,
  isCoveyError,
  jsonCodec,
  MAX_CONTENT_BYTES,
  type Content,
  type ContentCodec,
  type ContentDefinition,
  type ContentType
} from '@covey/core'
export {
  localNetwork,
  parseRelay,
  publicNetwork,
  type Network,
  type NetworkAddress,
  type PathPolicy,
  type RelayAddress
} from '@covey/transport'
export { generatePhrase, isPhrase, type Device, type Identity, type KeyProvider } from '@covey/identity'
export {
  DEFAULT_JOIN_TIMEOUT_MS,
  MAX_INVITE_USES,
  inspectInvite,
  MAX_NAME_BYTES,
  MAX_TEXT_BYTES,
  type CallOptions,
  type CreateInviteOptions,
  type CreateRoomInit,
  type History,
  type InviteDetails,
  type InviteInfo,
  type JoinOptions,
  type JoinRequest,
  type Member,
  type Message,
  type MessagesOptions,
  type Role,
  type Room,
  type MemberFlood,
  type RoomEvents,
  type RoomInfo,
  type Rooms,
  type RoomsEvents
} from '@covey/rooms'
