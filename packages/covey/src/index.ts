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
export {
  MAX_AVATAR_BYTES,
  type Avatar,
  type AvatarType,
  type PeerProfile,
  type PeerProfileChange,
  type RoomAvatars
} from './avatar.js'
export { linkDevice, type DeviceLinking, type LinkDeviceInit } from './link-device.js'
export type { FoundMessage, PeerSearchOptions } from './search-rooms.js'
export {
  PEER_OPTIONS,
  type Peer,
  type PeerEvents,
  type PeerFilesInit,
  type PeerInit,
  type PeerMirrors,
  type PeerPayments,
  type PeerPaymentsInit
} from './peer.js'
export type { Durability, DurableOptions, RoomMirrors } from './room-mirrors.js'
export { DEFAULT_MIRRORED_BYTES, DEFAULT_MIRRORED_FILE_BYTES, MAX_MIRRORED_FILES, type MirrorFilesInit } from './mirror-files.js'
export type { FileMessage, RoomFiles, ShareInRoomOptions } from './room-files.js'
export type { Room, Rooms, RoomsEvents } from './rooms.js'
export type { RoomNotice, RoomPayments, RoomReceipt, RoomRefund } from './room-payments.js'
export { MAX_OPEN_TIPS, type AcceptTipsOptions, type RoomTip, type RoomTips, type TipAnswer } from './room-tips.js'
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
export { generatePhrase, isPhrase, type BackupOptions, type Device, type Identity, type KeyProvider } from '@covey/identity'
export {
  DEFAULT_JOIN_TIMEOUT_MS,
  DEFAULT_LINK_MS,
  DEFAULT_LINKING_TIMEOUT_MS,
  DEFAULT_SEARCH_LIMIT,
  DEFAULT_WINDOW,
  MAX_INVITE_USES,
  MAX_PREVIEW_MESSAGES,
  MAX_LINK_MS,
  inspectInvite,
  MAX_BIO_BYTES,
  MAX_CONTACTS,
  MAX_COLLECTION_NAME_BYTES,
  MAX_EMOJI_BYTES,
  MAX_ENTRY_KEY_BYTES,
  MAX_IN_A_ROW,
  MAX_MENTIONS,
  MAX_NAME_BYTES,
  MAX_REASON_BYTES,
  MAX_RECEIPT_MEMBERS,
  MAX_REPORTS,
  MAX_ROOM_MIRRORS,
  MAX_SEARCH_LIMIT,
  MAX_SLOW_MODE_MS,
  MAX_TEXT_BYTES,
  MAX_WANTED,
  MAX_VALUE_BYTES,
  MAX_WINDOW,
  linkPreviewContent,
  locationContent,
  pollContent,
  voiceNoteContent,
  type AuditAction,
  type AuditEntry,
  type AuditLogOptions,
  type BlockedPerson,
  type CallOptions,
  type Contact,
  type Contacts,
  type ContactsEvents,
  type Collection,
  type CollectionChange,
  type CollectionEntry,
  type CollectionOptions,
  type CollectionRules,
  type CreateInviteOptions,
  type CreateLinkOptions,
  type CreateRoomInit,
  type Devices,
  type DevicesEvents,
  type History,
  type InviteDetails,
  type InviteInfo,
  type JoinOptions,
  type JoinRequest,
  type LinkedDevice,
  type LinkRequest,
  type BehindHealth,
  type EquivocationHealth,
  type ExportBundleOptions,
  type ExportedBundle,
  type FrozenHealth,
  type HealthState,
  type ImportedBundle,
  type IndexerHealth,
  type Member,
  type MirrorHealth,
  type DirectMessages,
  type DirectMessagesEvents,
  type DmRequest,
  type EditOptions,
  type Mention,
  type Message,
  type MessagesOptions,
  type MessageVersion,
  type LinkPreview,
  type Location,
  type PersonProfile,
  type PreviewVerdict,
  type Receipt,
  type RoomReading,
  type Poll,
  type PollResult,
  type Profile,
  type RangeOptions,
  type Reaction,
  type Report,
  type ReportInit,
  type RequestsFrom,
  type SearchOptions,
  type SendOptions,
  type Role,
  type MemberFlood,
  type MemberPresence,
  type MessageReport,
  type Pace,
  type ReportOptions,
  type ResolveReportOptions,
  type RoomGovernance,
  type RoomHealth,
  type RoomRules,
  type WritingRole,
  type RoomEvents,
  type RoomInfo,
  type RoomPreview,
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
  folderContent,
  isFolderPath,
  MAX_FILE_BYTES,
  MAX_FILE_NAME_BYTES,
  MAX_FOLDER_DEPTH,
  MAX_FOLDER_NAME_BYTES,
  MAX_FOLDER_PATH_BYTES,
  MAX_FOLDER_PATHS,
  MAX_FOLDER_VERSIONS,
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
  type Holding,
  type Folder,
  type FolderChange,
  type FolderChanges,
  type FolderEntry,
  type FolderEvents,
  type FolderMessage,
  type FolderPutOptions,
  type FolderRoom,
  type FolderVersion,
  type Mirror,
  type MirrorEvents,
  type MirrorOptions,
  type Offer,
  type OpenOptions,
  type Preview,
  type SaveOptions,
  type SharedFile,
  type ShareOptions,
  type StreamOptions,
  type VersionId
} from '@covey/files'
