import type { ApplyHost } from 'autobase'
import { isAtLeast, roleOf, type Role } from '../../roles.js'
import { mapKey } from '../map-key.js'
import type { Act, Acting } from './acts.js'
import type { AuthorityState } from './state.js'
import { hasVoice } from './voices.js'

type Authority = Pick<AuthorityState, 'room' | 'device' | 'member'>

/** How often an admin names indexers: each change has every device and mirror copy the view. */
export const MAX_NAMINGS = 16

/** An indexer, as far as the room's own rules are concerned. */
interface Indexer {
  readonly writer: Uint8Array
  readonly person: string
  readonly role: Role
}

/**
 * Names the devices that are to index the room, all at once: what is signed moves to a core of the new ones, and two of
 * them for a moment would be one too many. The owner names whom they like. Of admins three have to come to an
 * agreement to hold the order up: an admin names three of as many people, the owner excepted, and leaves in what is there of the owner's.
 */
export const nameIndexers: Act<'indexers'> = async (acting, { writers }) => {
  const { state, identity, role } = acting
  if (!(await mayName(state, acting, writers))) return false
  const member = (await state.member(identity))!
  if (role !== 'owner') await state.put('members', { ...member, namings: namingsOf(member) + 1 })
  await state.put('room', { ...(await state.room())!, indexers: [...writers] })
  return true
}

/** Whether somebody may name these to index. */
export async function mayName(
  state: Authority,
  { identity, role }: Pick<Acting, 'identity' | 'role'>,
  writers: readonly Uint8Array[]
): Promise<boolean> {
  const [room, member] = [await state.room(), await state.member(identity)]
  if (room === null || member === null || member.muted) return false
  const named = await Promise.all(writers.map((writer) => indexerOf(state, writer)))
  if (named.some((indexer) => indexer === undefined)) return false
  if (role !== 'owner') {
    if (namingsOf(member) >= MAX_NAMINGS) return false
    const others = named.flatMap((indexer) => (indexer!.role === 'owner' ? [] : [indexer!.person]))
    if (writers.length !== 3 || new Set(others).size !== others.length) return false
    const kept = new Set(writers.map(mapKey))
    for (const writer of room.indexers ?? []) {
      if (!kept.has(mapKey(writer)) && (await indexerOf(state, writer))?.role === 'owner') return false
    }
  }
  return true
}

/** Who may index of those that were named: all three, or one; nobody where none of them may any more. */
export async function indexersIn(state: Authority): Promise<Uint8Array[]> {
  return oneOrThree(await fitting(state, (await state.room())?.indexers ?? []))
}

async function fitting(state: Authority, writers: readonly Uint8Array[]): Promise<Indexer[]> {
  const indexers = await Promise.all(writers.map((writer) => indexerOf(state, writer)))
  return indexers.filter((indexer) => indexer !== undefined)
}

/** Two would need each other: one of the owner's devices goes on alone, or else the first. */
function oneOrThree(indexers: readonly Indexer[]): Uint8Array[] {
  const isTwo = indexers.length === 2
  const staying = isTwo ? [indexers.find(({ role }) => role === 'owner') ?? indexers[0]!] : indexers
  return staying.map(({ writer }) => writer)
}

function namingsOf({ namings }: { readonly namings?: number | null | undefined }): number {
  return namings ?? 0
}

/** A device that may index is in, is heard, and is an admin's or the owner's. */
async function indexerOf(state: Authority, writer: Uint8Array): Promise<Indexer | undefined> {
  const device = await state.device(writer)
  if (device === null || !hasVoice(device)) return undefined
  const role = roleOf((await state.member(device.identity))?.role ?? 0)
  return role !== undefined && isAtLeast(role, 'admin') ? { writer, person: mapKey(device.identity), role } : undefined
}

/**
 * Has those index who are to; where nobody may, who did before goes on. Of who has written nothing Autobase would wait
 * for the first block, and does not forget it again. So those that were named take over together, when each has
 * written: without one of three, another of them would index alone.
 */
export async function settleIndexers(state: AuthorityState, host: ApplyHost): Promise<void> {
  const present = new Map(host.system.indexers.map(({ key }) => [mapKey(key), key]))
  const named = await indexersIn(state)
  const isThere = async (writer: Uint8Array): Promise<boolean> => {
    return present.has(mapKey(writer)) || ((await host.system.get(writer))?.length ?? 0) > 0
  }
  const isComplete = (await Promise.all(named.map(isThere))).every(Boolean)
  const going = isComplete ? named : oneOrThree(await fitting(state, [...present.values()]))
  const wanted = new Map(going.map((writer) => [mapKey(writer), writer]))
  if (wanted.size === 0) return
  // First in, then out: there is never none.
  for (const [name, writer] of wanted) if (!present.has(name)) await host.addWriter(writer, { indexer: true })
  for (const [name, writer] of present) {
    if (wanted.has(name)) continue
    const device = await state.device(writer)
    if (device !== null && hasVoice(device)) await host.addWriter(writer, { indexer: false })
    else await host.removeWriter(writer)
  }
}
