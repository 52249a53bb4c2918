import { equalBytes, isCoveyError, withTimeout } from '@covey/core'
import type { UpstreamAutobase } from '../guards/autobase-internals.js'
import { KEY_BYTES } from '../crypto.js'
import { mapKey } from '../map-key.js'
import type { OpenRoom } from '../open-room.js'
import { coresIn } from '../room-cores.js'
import { otherOf } from '../people/direct-rooms.js'
import type { OwnProfile } from '../people/own-profile.js'
import { isOut, profileVersion } from '../people/tell-profile.js'
import type { RoomNote } from '../records.js'
import { decodeStruct, encodeStruct } from '../structs.js'
import type { RoomView } from '../view.js'

/** How much of a writer there is. */
export interface Head {
  readonly key: Uint8Array
  readonly length: number
}

/**
 * Writes down what is asked of a room while it is asleep. What comes while it is read is missing, and wakes the room
 * once more.
 */
export async function takeNote(opened: OpenRoom, self: Uint8Array): Promise<RoomNote> {
  const { base, view } = opened
  const upstream = base as unknown as UpstreamAutobase<RoomView>
  const members = new Map((await view.all('members')).map(({ identity, minEpoch }) => [mapKey(identity), minEpoch]))
  const lengthOf = async (writer: Uint8Array): Promise<number> => (await upstream.system?.get(writer))?.length ?? 0
  const devices = await Promise.all(
    (await view.all('devices')).map(async ({ identity, device, writer, removed }) => {
      const minEpoch = members.get(mapKey(identity)) ?? 0
      return { identity, device, writer, removed: removed === true, length: await lengthOf(writer), minEpoch }
    })
  )
  const told = await view.profile(self)
  const note: RoomNote = {
    room: base.discoveryKey!,
    own: base.local.key,
    encryptionKey: base.encryptionKey!,
    devices,
    views: viewsOf(upstream),
    other: otherOf(await view.room(), self) ?? null,
    admitted: await opened.isAdmitted(),
    mirrorLinks: [...(await coresIn(opened).mirrors())],
    profile: told && !(await isOut(view, told)) ? profileVersion(told.op) : 0,
    silent: (await view.device(base.local.key))?.silent === true,
    // After the rest: who is told of too much asks for what is there, and of too little for nothing.
    heads: headsOf({ base })
  }
  // A copy: what it was read from are parts of blocks that are many times as large.
  return decodeStruct('room-note', encodeStruct('room-note', note))!
}

/** How long it is waited for who is in a room: of one that was joined just now, what says so may never come. */
const DEVICES_MS = 2_000

/** The least of a note: what an open room lies in. */
export async function briefNote({ base, view }: OpenRoom): Promise<RoomNote> {
  const upstream = base as unknown as UpstreamAutobase<RoomView>
  const devices = await withTimeout(view.all('devices'), { timeoutMs: DEVICES_MS }).catch((error: unknown) => {
    if (isCoveyError(error, 'TIMEOUT')) return []
    throw error
  })
  // Also those of whom the view does not say yet that they are in.
  const active = [...upstream.activeWriters].flatMap(({ core }) => core.key ?? [])
  const writers = new Map([...devices.map(({ writer }) => writer), ...active].map((writer) => [mapKey(writer), writer]))
  const nobody = new Uint8Array(KEY_BYTES)
  const note: RoomNote = {
    room: base.discoveryKey!,
    own: base.local.key,
    encryptionKey: base.encryptionKey!,
    devices: [...writers.values()].map((writer) => ({ identity: nobody, device: nobody, writer, length: 0 })),
    views: viewsOf(upstream),
    mirrorLinks: [],
    heads: []
  }
  return decodeStruct('room-note', encodeStruct('room-note', note))!
}

function viewsOf({ _viewStore }: UpstreamAutobase<RoomView>): Uint8Array[] {
  return [..._viewStore.byName.values()].flatMap(({ core }) => core.key ?? [])
}

/** The last of what a room is made of: whoever has it has all. */
export function headsOf({ base }: Pick<OpenRoom, 'base'>): Head[] {
  return base.heads().map(({ key, length }) => ({ key, length }))
}

/** Whether somebody who says to have this has something that the room had not when it went to sleep. */
export function isNews({ devices }: RoomNote, heads: readonly Head[]): boolean {
  const known = new Map(devices.map(({ writer, length }) => [mapKey(writer), length]))
  return heads.some(({ key, length }) => (known.get(mapKey(key)) ?? 0) < length)
}

/** Whether the room is yet to be told what this device's person has set. */
export function isUntold({ admitted, silent, profile }: RoomNote, own: OwnProfile): boolean {
  return admitted === true && silent !== true && (profile ?? 0) < own.current().profile.version
}

/** The keys of all cores of a room that is asleep, this device's own first. */
export function keysIn({ own, views, devices }: RoomNote): Uint8Array[] {
  return [own, ...views, ...devices.map(({ writer }) => writer).filter((writer) => !equalBytes(writer, own))]
}
