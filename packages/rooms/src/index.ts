/**
 * Serverless, end-to-end encrypted rooms: members, messages and invites over Autobase.
 *
 * @packageDocumentation
 */
export { createDevices, type DevicesInit } from './create-devices.js'
export { createRooms, type RoomsInit } from './create-rooms.js'
export type { AuditAction, AuditEntry, AuditLogOptions } from './audit.js'
export { DEFAULT_JOIN_TIMEOUT_MS, DEFAULT_LINK_MS, DEFAULT_LINKING_TIMEOUT_MS, DEFAULT_SEARCH_LIMIT, DEFAULT_WINDOW, MAX_AVATAR_OFFER_BYTES, MAX_BIO_BYTES, MAX_COLLECTION_NAME_BYTES, MAX_CONTACTS, MAX_ENTRY_KEY_BYTES, MAX_INVITE_USES, MAX_EMOJI_BYTES, MAX_IN_A_ROW, MAX_MENTIONS, MAX_NAME_BYTES, MAX_REASON_BYTES, MAX_LINK_MS, MAX_REPORTS, MAX_SEARCH_LIMIT, MAX_SLOW_MODE_MS, MAX_TEXT_BYTES, MAX_VALUE_BYTES, MAX_WANTED, MAX_WINDOW } from './constants.js'
export type { Collection, CollectionChange, CollectionEntry, CollectionOptions, CollectionRules, RangeOptions } from './collection.js'
export { linkPreviewContent, type LinkPreview } from './contents/link-preview.js'
export { locationContent, type Location } from './contents/location.js'
export { pollContent, type Poll } from './contents/poll.js'
export { voiceNoteContent, type VoiceNote } from './contents/voice-note.js'
export type { CreateLinkOptions, Devices, DevicesEvents, LinkedDevice, LinkRequest } from './devices.js'
export { assertUnlinked, openLinking, type LinkGrant, type Linking, type OpenLinkingInit } from './open-linking.js'
export { RoomError, type RoomErrorCode } from './errors.js'
export { inspectInvite, type CreateInviteOptions, type InviteDetails, type InviteInfo } from './invite.js'
export type { EditOptions, Mention, Message, MessagesOptions, MessageVersion, PollResult, Reaction, SearchOptions, SendOptions } from './message.js'
export type { BlockedPerson, Contact, Contacts, ContactsEvents, DirectMessages, DirectMessagesEvents, DmRequest, PersonProfile, Profile, ProfileChange, Report, ReportInit, RequestsFrom } from './people.js'
export type { RoomGovernance } from './governance.js'
export type { MessageReport, ReportOptions, ResolveReportOptions } from './report.js'
export type { Role } from './roles.js'
export type { CallOptions, JoinRequest, Member, MemberFlood, MemberPresence, MessageSettled, Pace, RemoveOptions, Room, RoomEvents, RoomInfo, Unread } from './room.js'
export type { RoomRules, WritingRole } from './rules.js'
export type { RoomTimeline, TimelineChange, TimelineOptions, TimelineSnapshot } from './timeline.js'
export type { CreateRoomInit, JoinOptions, Rooms, RoomsEvents } from './rooms.js'
export type { History } from './internal/keyring.js'
