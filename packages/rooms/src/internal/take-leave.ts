import { equalBytes } from '@covey/core'
import { roleOf } from '../roles.js'
import type { OpenRoom } from './open-room.js'
import { forbidden } from './own-role.js'

/**
 * Gives up the membership, where there is one and somebody to tell.
 *
 * @param self the identity of this person
 * @returns whether there was
 * @throws {RoomError} ROOM_FORBIDDEN
 */
export async function takeLeave({ base, view, room, mayWrite }: OpenRoom, self: Uint8Array): Promise<boolean> {
  if ((await view.room())?.peer) throw forbidden('A direct room is not left.', 'Block the other person.')
  if (!(await mayWrite())) return false
  const members = (await view.all('members')).filter(({ role }) => roleOf(role) !== undefined)
  if (members.every(({ identity }) => equalBytes(identity, self))) return false
  if (base.isIndexer && (await room.health()).indexers.length === 1) {
    throw forbidden('This device alone settles what is said in the room.', 'Have the owner name others first, by setIndexers().')
  }
  await room.leave()
  return true
}
