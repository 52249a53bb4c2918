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
export type { Peer, PeerInit, PeerMirrors, PeerPayments, PeerPaymentsInit } from './peer.js'
export type { Durability, DurableOptions, RoomMirrors } from './room-mirrors.js'
export type { FileMessage, RoomFiles, ShareInRoomOptions } from './room-files.js'
export type { Room, Rooms, RoomsEvents } from './rooms.js'
export type { RoomNotice, RoomPayments, RoomReceipt, RoomRefund } from './room-payments.js'
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
  DEFAULT_WINDOW,
  MAX_INVITE_USES,
  inspectInvite,
  MAX_EMOJI_BYTES,
  MAX_MENTIONS,
  MAX_NAME_BYTES,
  MAX_TEXT_BYTES,
  MAX_WINDOW,
  linkPreviewContent,
  locationContent,
  pollContent,
  voiceNoteContent,
  type CallOptions,
  type CreateInviteOptions,
  type CreateRoomInit,
  type History,
  type InviteDetails,
  type InviteInfo,
  type JoinOptions,
  type JoinRequest,
  type Member,
  type EditOptions,
  type Mention,
  type Message,
  type MessagesOptions,
  type MessageVersion,
  type LinkPreview,
  type Location,
  type Poll,
  type PollResult,
  type Reaction,
  type SendOptions,
  type Role,
  type MemberFlood,
  type RoomEvents,
  type RoomInfo,
  type RoomTimeline,
  type TimelineChange,
  type TimelineOptions,
  type TimelineSnapshot,
  type Unread,
  type VoiceNote
} from '@covey/rooms'
export {
  BLOCK_BYTES,
  fileContent,
  MAX_FILE_BYTES,
  MAX_FILE_NAME_BYTES,
  MAX_PREVIEW_BYTES,
  MAX_TYPE_CHARACTERS,
  type BytesOptions,
  type FileEvents,
  type FileInfo,
  type FileProgress,
  type Files,
  type FilesEvents,
  type FileSource,
  type FileState,
  type Offer,
  type Preview,
  type SaveOptions,
  type SharedFile,
  type ShareOptions,
  type StreamOptions
} from '@covey/files'
