import { isCoveyError } from '@covey/core'
import type { Peer, Room } from 'covey'
import type { State } from './state.js'

/** The room that a bot has made for itself, made on the first call. */
export async function openOwnRoom(peer: Peer, name: string, state: State): Promise<Room> {
  const id = await state.get('own-room')
  const known = typeof id === 'string' ? peer.rooms.get(id) : undefined
  if (known !== undefined) return known
  const room = await peer.rooms.create({ name })
  await state.write([['own-room', room.id]])
  return room
}

/** A new invite to it, and the end of the one before: a link that was printed once does not open it for ever. */
export async function renewInvite(room: Room, state: State): Promise<string> {
  const before = await state.get('own-invite')
  const known = new Set((await room.invites()).map(({ id }) => id))
  const invite = await room.createInvite()
  const made = (await room.invites()).find(({ id }) => !known.has(id))
  await state.write([['own-invite', made?.id]])
  if (typeof before === 'string') {
    await room.revokeInvite(before).catch((error: unknown) => {
      if (!isCoveyError(error, 'INVITE_NOT_FOUND')) throw error
    })
  }
  return invite
}
