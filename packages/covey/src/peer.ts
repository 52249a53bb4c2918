import type { EventSource } from '@covey/core'
import type { Files } from '@covey/files'
import type { Device, Identity, KeyProvider } from '@covey/identity'
import type { MirrorClientEvents } from '@covey/mirror/client'
import type { Payments, PaymentsInit } from '@covey/payments'
import type { Room } from '@covey/rooms'
import type { Network, PathPolicy, RelayAddress, Suspendable } from '@covey/transport'
import type { RoomPayments } from './room-payments.js'
import type { Rooms } from './rooms.js'

/** How {@link createPeer} makes a peer. */
export interface PeerInit {
  /**
   * The folder in which the peer keeps everything: made where it does not exist, and open in one
   * process at a time. Default: a temporary one that is removed by `close()`.
   */
  readonly storage?: string
  /** The name that other members see, at most 256 bytes as UTF-8. Default: what the folder holds. */
  readonly name?: string
  /** The 24 words of an identity that exists already. Default: what the folder holds, or a new one. */
  readonly phrase?: string
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
  /** Which paths to other devices are used. Default `auto`. `relay-only` hides this device's address from them. */
  readonly policy?: PathPolicy
  /** How to pay, to be paid, and to verify. Default: not at all. */
  readonly payments?: PeerPaymentsInit
  /** Stops the start, with its reason. */
  readonly signal?: AbortSignal
}

/** The wallet of a peer: see `PaymentsInit`. Its journal is in the peer's folder, and goes with it. */
export type PeerPaymentsInit = Pick<PaymentsInit, 'providers' | 'assets' | 'policy'>

/** The wallet of a peer. */
export interface PeerPayments extends Pick<Payments, 'pay' | 'recover' | 'heedCancel' | 'verify' | 'verifyAll' | 'verifyRefund' | 'list'> {
  /** The payments of one of this peer's rooms. */
  in(room: Room): RoomPayments
}

/** The mirrors of a peer. */
export interface PeerMirrors extends EventSource<MirrorClientEvents> {
  /** All of them, by id, and whether each can be reached now. */
  list(): readonly { readonly id: string; readonly isConnected: boolean }[]
}

/** A person's device on the network: what an app talks to. */
export interface Peer extends Suspendable {
  /** The person: the same on all of their devices. */
  readonly identity: Identity
  /** This device. */
  readonly device: Device
  /** The rooms of this peer. */
  readonly rooms: Rooms
  /** The mirrors that hold its rooms, and what they say. */
  readonly mirrors: PeerMirrors
  /** The files that it shares, and that it has of others. In a room: `room.files`. */
  readonly files: Files
  /** Requests, payments and receipts. Call `recover` after a start, where there is a wallet. */
  readonly payments: PeerPayments
  /** Whether the secrets in the folder are sealed, by a passphrase or a key provider. */
  readonly isSealed: boolean
  /** Closes the rooms, leaves the network and releases the folder. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
