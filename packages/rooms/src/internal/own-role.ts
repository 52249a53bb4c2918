import { RoomError } from '../errors.js'
import { isAtLeast, roleOf, type Role } from '../roles.js'
import type { MemberRow, RoomView } from './view.js'

/** What this device's identity may do, asked before an op is written that nobody would accept. */
export interface OwnRole {
  current(): Promise<Role | undefined>
  /** @throws {RoomError} ROOM_NOT_WRITABLE, ROOM_FORBIDDEN */
  demand(least: Role, what: string): Promise<Role>
  /** As {@link demand}, of somebody who is not muted either. By default for sending messages. */
  demandVoice(least?: Role, what?: string): Promise<void>
  /** To be called when members have changed. */
  changed(): void
}

export function createOwnRole(view: RoomView, identity: Uint8Array): OwnRole {
  let known: Promise<MemberRow | null> | undefined

  function member(): Promise<MemberRow | null> {
    const asked = (known ??= view.member(identity))
    asked.catch(() => {
      if (known === asked) known = undefined
    })
    return asked
  }

  async function current(): Promise<Role | undefined> {
    const row = await member()
    return row === null ? undefined : roleOf(row.role)
  }

  async function demand(least: Role, what: string): Promise<Role> {
    const role = await current()
    if (role === undefined) {
      throw new RoomError('ROOM_NOT_WRITABLE', 'This device is no member of the room.', {
        hint: 'Its admission has not arrived yet, or it was removed. Join by a new invite.'
      })
    }
    if (isAtLeast(role, least)) return role
    throw forbidden(`${withArticle(role)} may not ${what}.`, `Ask ${withArticle(least)} to do it.`)
  }

  return {
    current,
    demand,
    async demandVoice(least = 'member', what = 'send messages') {
      await demand(least, what)
      if (!(await member())?.muted) return
      throw forbidden('This member is muted.', 'Ask a moderator.')
    },
    changed() {
      known = undefined
    }
  }
}

/** A role with its article: "an admin". */
export function withArticle(role: Role): string {
  return `${role === 'admin' || role === 'owner' ? 'an' : 'a'} ${role}`
}

/** @param message may begin with a role. */
export function forbidden(message: string, hint: string): RoomError {
  return new RoomError('ROOM_FORBIDDEN', message[0]!.toUpperCase() + message.slice(1), { hint })
}
