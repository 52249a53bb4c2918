import { equalBytes } from '@covey/core'
import type { ApplyHost } from 'autobase'
import { mapKey } from '../map-key.js'
import { encodeStruct } from '../structs.js'
import type { DeviceRow, MetaRow, Rows, RoomView, WriterRow } from '../view.js'
import { AUTHORITY_COLLECTIONS, keyOf, type AuthorityCollection, type AuthorityState, type MemoryState } from './state.js'
import { hasVoice } from './voices.js'

/** A view to which ops are applied. */
export interface ViewRun {
  readonly view: RoomView
  readonly host: ApplyHost
  /** Rows that most ops change: read once, and written after the last op. Until then only these are true. */
  readonly meta: MetaRow
  readonly writers: Map<string, WriterRow>
}

export async function appliedOf({ view, writers }: ViewRun, writer: Uint8Array): Promise<WriterRow | null> {
  return writers.get(mapKey(writer)) ?? view.writer(writer)
}

/** An {@link AuthorityState} that is the view itself, lets devices in and out of the log, counts in `meta` those that go, and forgets what they ask for. */
export function createViewState(run: ViewRun): AuthorityState {
  const { view, meta } = run

  async function changeDevice(row: DeviceRow): Promise<void> {
    const before = await view.device(row.writer)
    if (before !== null && !before.removed && row.removed) {
      meta.removals = (meta.removals ?? 0) + 1
      for (const request of await view.keyRequestsOf(row.writer)) await view.delete('key-requests', request)
    }
    await changeWriter(run, before, row)
  }

  return {
    room: view.room,
    member: view.member,
    device: view.device,
    devicesOf: view.devicesOf,
    devices: () => view.all('devices'),
    invite: view.invite,
    ban: view.ban,
    collection: view.collection,
    collections: () => view.all('collections'),
    async put(collection, row) {
      if (collection === 'devices') await changeDevice(row as DeviceRow)
      await view.put(collection, row)
    },
    unban: (identity) => view.delete('bans', { identity, role: 0 })
  }
}

/** Makes the view what `state` is, where it differs. */
export async function writeState(run: ViewRun, state: MemoryState): Promise<void> {
  const target = createViewState(run)
  for (const collection of AUTHORITY_COLLECTIONS) await writeCollection(run, target, collection, state)
}

const STRUCTS = {
  room: 'room',
  members: 'member',
  devices: 'device',
  bans: 'ban',
  invites: 'invite-row',
  collections: 'collection'
} as const

async function writeCollection<Name extends AuthorityCollection>(
  run: ViewRun,
  target: AuthorityState,
  collection: Name,
  state: MemoryState
): Promise<void> {
  const wanted = state.rows(collection)
  const { view, meta } = run
  const encode = (row: Rows[Name]): Uint8Array => encodeStruct(STRUCTS[collection], row as never)
  const found = new Map((await view.all(collection)).map((row) => [keyOf(collection, row), row]))
  for (const [key, row] of wanted) {
    const before = found.get(key)
    if (before === undefined || !equalBytes(encode(before), encode(row))) await target.put(collection, row)
  }
  for (const [key, row] of found) {
    if (wanted.has(key)) continue
    // Out of the log first: a writer without a row would be let in again by nobody.
    if (collection === 'devices') {
      await target.put('devices', { ...(row as DeviceRow), removed: true })
      meta.voided = (meta.voided ?? 0) + 1
    }
    await view.delete(collection, row)
  }
}

/** Lets a device's core into the log, or out of it, as its new row says. */
async function changeWriter(run: ViewRun, before: DeviceRow | null, row: DeviceRow): Promise<void> {
  const { host, writers } = run
  const isFounder = equalBytes(row.writer, host.key)
  // The founder's core is in the log before there is anything in the view.
  const wasActive = before === null ? isFounder : hasVoice(before)
  if (wasActive === hasVoice(row)) return
  if (!wasActive) {
    // What it wrote while it was out has not been applied: its chain begins anew.
    const applied = await appliedOf(run, row.writer)
    if (applied !== null) writers.set(mapKey(row.writer), { ...applied, head: null })
    // Who indexed alone went on, though nothing else of it was taken.
    const indexer = isFounder || host.system.indexers.some(({ key }) => equalBytes(key, row.writer))
    return host.addWriter(row.writer, { indexer })
  }
  // The last indexer cannot go; that it is no member any more is enough.
  if (host.removeable(row.writer)) await host.removeWriter(row.writer)
}
