import { RoomError } from '../errors.js'
import { isAtLeast, roleOf, type Role } from '../roles.js'
import type { RoomView } from './view.js'

/** What this device's identity may do, asked before an op is written that nobody would accept. */
export interface OwnRole {
  current(): Promise<Role | undefined>
  /** @throws {RoomError} ROOM_NOT_WRITABLE, ROOM_FORBIDDEN */
  demand(least: Role, what: string): Promise<Role>
  /** @throws {RoomError} ROOM_NOT_WRITABLE, ROOM_FORBIDDEN where messages may not be sent */
  demandVoice(): Promise<void>
}

export function createOwnRole(view: RoomView, identity: Uint8Array): OwnRole {
  async function current(): Promise<Role | undefined> {
    const member = await view.member(identity)
    return member === null ? undefined : roleOf(member.role)
  }
  async function demand(least: Role, what: string): Promise<Role> {
    const role = await current()
    if (role === undefined) {
      throw new RoomError('ROOM_NOT_WRITABLE', 'This device is no member of the room.', {
        hint: 'Its admission has not arrived yet, or it was removed. Join by a new invite.'
      })
    }
    if (isAtLeast(role, least)) return role
    throw forbidden(`A ${role} may not ${what}.`, `Ask a ${least} to do it.`)
  }

  return {
    current,
    demand,
    async demandVoice() {
      await demand('member', 'send messages')
      if (!(await view.member(identity))?.muted) return
      throw forbidden('This member is muted.', 'Ask a moderator.')
    }
  }
}

export function forbidden(message: string, hint: string): RoomError {
  return new RoomError('ROOM_FORBIDDEN', message, { hint })
}
