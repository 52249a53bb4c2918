import type { CoveyError, EventSource } from '@covey/core'
import type { Files, FilesInit } from '@covey/files'
import type { BackupOptions, Device, Identity, KeyProvider } from '@covey/identity'
import type { MirrorClientEvents } from '@covey/mirror/client'
import type { Payments, PaymentsInit } from '@covey/payments'
import type { Contacts, Devices, DirectMessages, DmRequest, JoinOptions, RequestsFrom } from '@covey/rooms'
import type { Network, PathPolicy, RelayAddress, Suspendable } from '@covey/transport'
import type { PeerProfile } from './avatar.js'
import type { MirrorFilesInit } from './mirror-files.js'
import type { Room as CoveyRoom, Rooms } from './rooms.js'
import type { FoundMessage, PeerSearchOptions } from './search-rooms.js'

/** How {@link createPeer} makes a peer. */
export interface PeerInit {
  /**
   * The folder in which the peer keeps everything: made where it does not exist, and open in one
   * process at a time. Default: a temporary one that is removed by `close()`.
   */
  readonly storage?: string
  /**
   * The name that other members see until `profile.set` gives another, at most 256 bytes as UTF-8. Default: what the
   * folder holds.
   */
  readonly name?: string
  /** What the device calls itself to the person's other devices, likewise. Default: what the folder holds, or nothing. */
  readonly deviceName?: string
  /** The 24 words of an identity that exists already. Default: what the folder holds, or a new one. */
  readonly phrase?: string
  /** Instead of a phrase: a backup that {@link Peer.exportBackup} has made, and its passphrase. */
  readonly backup?: { readonly bytes: Uint8Array; readonly passphrase: string }
  /**
   * Seals the secrets of the identity and the keys of its rooms. Without it or `keyProvider` whoever
   * reads the disk has them. What signs the blocks of shared files is not sealed: docs/threat-model.md.
   */
  readonly passphrase?: string
  /** Gives the key that seals the secrets, out of the keystore of the operating system, say. */
  readonly keyProvider?: KeyProvider
  /** Default `publicNetwork()`. */
  readonly network?: Network
  /**
   * Relays to be reached through where there is no direct path, at most 4; see the guide on transport.
   * Devices meet at those that they share.
   */
  readonly relays?: readonly RelayAddress[]
  /**
   * The links of blind mirrors, at most 8: they hold the peer's rooms, sealed, so that who comes while nobody else is
   * there finds what was said. Two are better than one.
   */
  readonly mirrors?: readonly string[]
  /**
   * How many mirrors that rooms name are used beside those, over all rooms; 0 for none, at most 64. Each room gets one
   * before any gets a second. Default 16.
   */
  readonly maxRoomMirrors?: number
  /**
   * Which of the files that this device shares in rooms are held by mirrors too, its own and the rooms'. Default: those of
   * at most 16 MiB, the last 256 MiB of them. `share` can say otherwise of one.
   */
  readonly mirrorFiles?: MirrorFilesInit
  /** Which paths to other devices are used. Default `auto`. `relay-only` hides this device's address from them. */
  readonly policy?: PathPolicy
  /**
   * Whether members of its rooms are told that this peer is there, and when its person types, and it is told of them.
   * Default `true`.
   */
  readonly presence?: boolean
  /** Whether members of its rooms are told how far this person has read, where it is marked by `room.markRead`. Default `false`. */
  readonly readReceipts?: boolean
  /**
   * How many rooms are open at a time, but for those that the app keeps open, by reading them live, say. What of the
   * others is asked, and news of them, opens them. Default `DEFAULT_OPEN_ROOMS` of `@covey/rooms`, 32.
   */
  readonly maxOpenRooms?: number
  /** How much is kept of files that others have shared, and for how long. Default: all of it, until it is forgotten. */
  readonly files?: PeerFilesInit
  /** Who may ask for a direct room. Default `anyone`, who knows the id of the identity; then that shows when the device is on the network. */
  readonly requestsFrom?: RequestsFrom
  /** How to pay, to be paid, and to verify. Default: not at all. */
  readonly payments?: PeerPaymentsInit
  /** Stops the start, with its reason. */
  readonly signal?: AbortSignal
}

/** The names of what {@link PeerInit} takes, for functions that take more, or less, and hand it on. */
export const PEER_OPTIONS = Object.keys({
  storage: true,
  name: true,
  deviceName: true,
  phrase: true,
  backup: true,
  passphrase: true,
  keyProvider: true,
  network: true,
  relays: true,
  mirrors: true,
  maxRoomMirrors: true,
  mirrorFiles: true,
  policy: true,
  presence: true,
  readReceipts: true,
  maxOpenRooms: true,
  files: true,
  requestsFrom: true,
  payments: true,
  signal: true
} satisfies Record<keyof PeerInit, true>) as readonly (keyof PeerInit)[]

/** What a peer keeps of files that others have shared: see `FilesInit`. A room may have its own `holding`. */
export type PeerFilesInit = Pick<FilesInit, 'budgetBytes' | 'holding'>

/** The wallet of a peer: see `PaymentsInit`. Its journal is in the peer's folder, and goes with it. */
export type PeerPaymentsInit = Pick<PaymentsInit, 'providers' | 'assets' | 'policy'>

/** The wallet of a peer. For what is paid in a room there is {@link Room.payments}. */
export interface PeerPayments extends Pick<Payments, 'request' | 'pay' | 'recover' | 'heedCancel' | 'verify' | 'verifyAll' | 'verifyRefund' | 'settlement' | 'list'> {}

/** The mirrors of a peer. */
export interface PeerMirrors extends EventSource<MirrorClientEvents> {
  /** All of them, by id: whether each can be reached now, and whether it is the peer's own, or is there because a room names it. */
  list(): readonly { readonly id: string; readonly isConnected: boolean; readonly isOwn: boolean }[]
}

/** What happens to a peer's person. Hints for a display: who waits, `directMessages.requests()` gives. */
export interface PeerEvents {
  /** Somebody asks for a direct room: see {@link Peer.directMessages}. */
  'dm-request': DmRequest
  /** Something failed in the background. */
  error: CoveyError
}

/** A person's device on the network: what an app talks to. */
export interface Peer extends Suspendable, EventSource<PeerEvents> {
  /** The person: the same on all of their devices. */
  readonly identity: Identity
  /** This device. */
  readonly device: Device
  /** The devices of the person: links another one, and takes one away. */
  readonly devices: Devices
  /** What this person says of themselves: name, picture, a line. */
  readonly profile: PeerProfile
  /** Whom this person knows, and whom they want nothing of. */
  readonly contacts: Contacts
  /** The rooms that this person shares with one other each, and who asks for one. */
  readonly directMessages: DirectMessages<CoveyRoom>
  /**
   * The direct room with somebody, by the id of their identity, or as a contact: `directMessages.open`.
   *
   * @throws as {@link DirectMessages.open} does
   * @example
   * ```ts
   * import { createPeer } from 'covey'
   *
   * const alice = await createPeer({ name: 'Alice' })
   * const bob = await createPeer({ name: 'Bob' })
   * bob.on('dm-request', ({ id }) => bob.directMessages.accept(id))
   * const room = await alice.dm(bob.identity.id)
   * await room.send('hello')
   * ```
   */
  dm(who: string | { readonly id: string }, options?: JoinOptions): Promise<CoveyRoom>
  /** The rooms of this peer. */
  readonly rooms: Rooms
  /** The mirrors that hold its rooms, and what they say. */
  readonly mirrors: PeerMirrors
  /** The files that it shares, and that it has of others. In a room: `room.files`. */
  readonly files: Files
  /** Requests, payments and receipts. Call `recover` after a start, where there is a wallet. */
  readonly payments: PeerPayments
  /**
   * Finds messages of all rooms, as `room.search` does: newest first by what their authors' clocks said.
   *
   * @throws {RoomError} ROOM_CLOSED, ROOM_STORAGE_FAILED
   */
  search(text: string, options?: PeerSearchOptions): Promise<FoundMessage[]>
  /** Whether the secrets in the folder are sealed, by a passphrase or a key provider. */
  readonly isSealed: boolean
  /** Whether this start has made the device: the time to show a new person their words. */
  readonly isNew: boolean
  /** Whether the recovery phrase is on this device; on a linked one it is not. */
  readonly hasPhrase: boolean
  /**
   * The 24 words that are all it takes to be this person on another machine: to be shown to the person and to nobody else.
   *
   * @throws {IdentityError} IDENTITY_NO_PHRASE on a linked device, IDENTITY_WIPED after `close`
   */
  revealPhrase(): string
  /**
   * An encrypted backup of the person, for a file: what the phrase says, and the name, but nothing of this device, nor its rooms.
   * `createPeer({ backup })` takes it.
   *
   * @throws {IdentityError} IDENTITY_NO_PHRASE, IDENTITY_WIPED
   * @throws {TypeError} when the passphrase is missing or empty
   */
  exportBackup(options: BackupOptions): Promise<Uint8Array>
  /** Closes the rooms, leaves the network and releases the folder. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
