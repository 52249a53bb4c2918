import { RoomError } from '../errors.js'
import { isAtLeast, roleOf, type Role } from '../roles.js'
import type { RoomView } from './view.js'

/** What this device's identity may do, asked before an op is written that nobody would accept. */
export interface OwnRole {
  current(): Promise<Role | undefined>
  /** @throws {RoomError} ROOM_NOT_WRITABLE, ROOM_FORBIDDEN */
  demand(least: Role, what: string): Promise<Role>
}

export function createOwnRole(view: RoomView, identity: Uint8Array): OwnRole {
  async function current(): Promise<Role | undefined> {
    const member = await view.member(identity)
    return member === null ? undefined : roleOf(member.role)
  }
  return {
    current,
    async demand(least, what) {
      const role = await current()
      if (role === undefined) {
        throw new RoomError('ROOM_NOT_WRITABLE', 'This device is no member of the room.', {
          hint: 'Its admission has not arrived yet, or it was removed. Join by a new invite.'
        })
      }
      if (isAtLeast(role, least)) return role
      throw forbidden(`A ${role} may not ${what}.`, `Ask a ${least} to do it.`)
    }
  }
}

export function forbidden(message: string, hint: string): RoomError {
  return new RoomError('ROOM_FORBIDDEN', message, { hint })
}
