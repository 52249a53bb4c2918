import { equalBytes } from '@covey/core'
import type { BanRow, CollectionRow, DeviceRow, InviteRow, MemberRow, RoomRow, Rows } from '../view.js'
import { mapKey } from '../map-key.js'

/** The collections of the view that authority is about. */
export const AUTHORITY_COLLECTIONS = ['room', 'members', 'devices', 'bans', 'invites', 'collections'] as const

export type AuthorityCollection = (typeof AUTHORITY_COLLECTIONS)[number]

/** Who may do what, at one point of a room's order. */
export interface AuthorityState {
  room(): Promise<RoomRow | null>
  member(identity: Uint8Array): Promise<MemberRow | null>
  device(writer: Uint8Array): Promise<DeviceRow | null>
  devicesOf(identity: Uint8Array): Promise<DeviceRow[]>
  /** All of them, removed ones too. */
  devices(): Promise<DeviceRow[]>
  invite(id: Uint8Array): Promise<InviteRow | null>
  ban(identity: Uint8Array): Promise<BanRow | null>
  collection(id: Uint8Array): Promise<CollectionRow | null>
  collections(): Promise<CollectionRow[]>
  put<Name extends AuthorityCollection>(collection: Name, row: Rows[Name]): Promise<void>
  unban(identity: Uint8Array): Promise<void>
}

/** The key of a row within its collection. */
export function keyOf<Name extends AuthorityCollection>(collection: Name, row: Rows[Name]): string {
  switch (collection) {
    case 'room':
      return ''
    case 'devices':
      return mapKey((row as DeviceRow).writer)
    case 'invites':
    case 'collections':
      return mapKey((row as InviteRow | CollectionRow).id)
    default:
      return mapKey((row as MemberRow).identity)
  }
}

/** An {@link AuthorityState} in memory, to go through a room's history once more. */
export interface MemoryState extends AuthorityState {
  rows<Name extends AuthorityCollection>(collection: Name): ReadonlyMap<string, Rows[Name]>
}

export function createMemoryState(): MemoryState {
  const rows: { [Name in AuthorityCollection]: Map<string, Rows[Name]> } = {
    room: new Map(),
    members: new Map(),
    devices: new Map(),
    bans: new Map(),
    invites: new Map(),
    collections: new Map()
  }
  return {
    room: async () => rows.room.get('') ?? null,
    member: async (identity) => rows.members.get(mapKey(identity)) ?? null,
    device: async (writer) => rows.devices.get(mapKey(writer)) ?? null,
    devicesOf: async (identity) =>
      [...rows.devices.values()].filter((row) => equalBytes(row.identity, identity)),
    devices: async () => [...rows.devices.values()],
    invite: async (id) => rows.invites.get(mapKey(id)) ?? null,
    ban: async (identity) => rows.bans.get(mapKey(identity)) ?? null,
    collection: async (id) => rows.collections.get(mapKey(id)) ?? null,
    collections: async () => [...rows.collections.values()],
    put: async (collection, row) => void rows[collection].set(keyOf(collection, row), row),
    unban: async (identity) => void rows.bans.delete(mapKey(identity)),
    rows: (collection) => rows[collection]
  }
}
