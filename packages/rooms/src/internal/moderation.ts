import { assertOptions, assertSignal, assertString, decodeKey, raceSignal, throwIfAborted } from '@covey/core'
import { MAX_NAME_BYTES } from '../constants.js'
import { RoomError } from '../errors.js'
import { isAtLeast, roleNumber, roleOf, ROLES, type Role } from '../roles.js'
import type { CallOptions, RemoveOptions, Room } from '../room.js'
import type { Action } from './authority/action.js'
import { leastRole } from './authority/rules.js'
import type { AppendOptions, Draft, OpLog } from './op-log.js'
import type { WhileOpen } from './open-room.js'
import { forbidden, type OwnRole, withArticle } from './own-role.js'
import { encodeStruct, type Structs } from './structs.js'
import type { RoomView } from './view.js'

export interface ModerationInit {
  readonly view: RoomView
  readonly log: OpLog
  readonly ownRole: OwnRole
  readonly whileOpen: WhileOpen
}

export type Moderation = Pick<Room, 'setRole' | 'mute' | 'unmute' | 'remove' | 'unban' | 'transferOwnership' | 'rename'>

/** What members with authority do to others, and to the room. */
export function createModeration({ view, log, ownRole, whileOpen }: ModerationInit): Moderation {
  /** The identity of a member on whom this one may act; or of who was one, and has gone. */
  async function target(id: string, type: Exclude<Action['type'], 'create' | 'enter'>, what: string, orGone = false): Promise<Uint8Array> {
    const identity = decodeKey(id, 'memberId')
    const role = await ownRole.demand(leastRole(type), what)
    const member = await view.member(identity)
    const theirs = member === null ? undefined : roleOf(member.role)
    if (theirs === undefined) {
      if (member !== null && orGone) return identity
      throw new RoomError('MEMBER_NOT_FOUND', 'There is no such member in the room.', {
        hint: 'members() lists those who are.'
      })
    }
    if (isAtLeast(theirs, role)) throw forbidden(`${withArticle(role)} may not ${what} ${withArticle(theirs)}.`, 'Ask somebody with a higher role.')
    return identity
  }

  /** How much of a person's writing this device knows: what is not in it, the action makes void. */
  async function seen(identity: Uint8Array): Promise<Structs['seen'][]> {
    const devices = await view.devicesOf(identity)
    return Promise.all(
      devices.map(async ({ writer }) => ({ writer, length: (await view.writer(writer))?.length ?? 0 }))
    )
  }

  async function act(options: CallOptions, draft: () => Promise<Draft>, append?: AppendOptions): Promise<void> {
    assertSignal(options.signal, 'options.signal')
    throwIfAborted(options.signal)
    const acting = whileOpen(async () => {
      const [written] = await log.append([await draft()], append)
      if (!written!.isAccepted) throw forbidden('The room did not take it.', 'Somebody changed roles meanwhile.')
    })
    await raceSignal(acting, options.signal)
  }

  function setMuted(muted: boolean) {
    return async (id: string, options: CallOptions = {}): Promise<void> => {
      assertOptions(options, 'options', ['signal'])
      await act(options, async () => {
        const identity = await target(id, 'mute', muted ? 'mute' : 'unmute')
        return { type: 'mute', payload: encodeStruct('mute', { identity, muted }) }
      })
    }
  }

  return {
    async setRole(id, role, options = {}) {
      assertOptions(options, 'options', ['signal'])
      if (!ROLES.includes(role) || (role as Role) === 'owner') {
        throw new TypeError('role must be "reader", "member", "moderator" or "admin"')
      }
      await act(options, async () => {
        const identity = await target(id, 'setRole', 'change the role of')
        const own = await ownRole.demand(leastRole('setRole'), 'change roles')
        if (isAtLeast(role, own)) throw forbidden(`${withArticle(own)} may not make ${withArticle(role)}.`, 'Give a lesser role.')
        const payload = encodeStruct('set-role', { identity, role: roleNumber(role), seen: await seen(identity) })
        return { type: 'setRole', payload }
      })
    },
    mute: setMuted(true),
    unmute: setMuted(false),
    async remove(id, options: RemoveOptions = {}) {
      assertOptions(options, 'options', ['ban', 'signal'])
      await act(options, async () => {
        const identity = await target(id, 'remove', 'remove', options.ban)
        const payload = encodeStruct('remove', { identity, ban: options.ban === true, seen: await seen(identity) })
        return { type: 'remove', payload }
      })
      // At once, and not with the next message, so that others need not do it when they meet.
      await whileOpen(() => log.append([], { underEpoch: true }))
    },
    async unban(id, options = {}) {
      assertOptions(options, 'options', ['signal'])
      const identity = decodeKey(id, 'memberId')
      await act(options, async () => {
        const role = await ownRole.demand(leastRole('unban'), 'lift a ban')
        const ban = await view.ban(identity)
        if (ban === null) {
          throw new RoomError('MEMBER_NOT_FOUND', 'This person is not banned.', { hint: 'There is nothing to lift.' })
        }
        if (ban.role > roleNumber(role)) throw forbidden('Somebody with a higher role banned.', 'Ask them to lift it.')
        return { type: 'unban', payload: encodeStruct('unban', { identity }) }
      })
    },
    async transferOwnership(id, options = {}) {
      assertOptions(options, 'options', ['signal'])
      await act(options, async () => {
        const identity = await target(id, 'transfer', 'hand the room to')
        return { type: 'transfer', payload: encodeStruct('transfer', { identity }) }
      })
    },
    async rename(name, options = {}) {
      assertString(name, 'name', { minLength: 1, maxBytes: MAX_NAME_BYTES })
      assertOptions(options, 'options', ['signal'])
      const draft = async (): Promise<Draft> => {
        await ownRole.demand(leastRole('settings'), 'rename the room')
        return { type: 'settings', body: encodeStruct('settings-body', { name }) }
      }
      await act(options, draft, { underEpoch: true })
    }
  }
}
