import type Autobase from 'autobase'
import { assertInteger, assertOptions, assertSignal, decodeKey, encodeZ32, raceSignal, throwIfAborted } from '@covey/core'
import { MAX_INVITE_MS, MAX_INVITE_USES } from '../constants.js'
import { RoomError } from '../errors.js'
import { encodeInvite, type CreateInviteOptions, type InviteInfo } from '../invite.js'
import { isAtLeast, roleNumber, roleOf, ROLES, type Role } from '../roles.js'
import type { Room } from '../room.js'
import { leastRole } from './authority/rules.js'
import { createInviteKeys } from './invite-keys.js'
import type { Draft, OpLog } from './op-log.js'
import type { WhileOpen } from './open-room.js'
import { forbidden, type OwnRole, withArticle } from './own-role.js'
import { rulesOf } from './room-rules.js'
import { encodeStruct } from './structs.js'
import type { InviteRow, RoomView } from './view.js'

export interface RoomInvitesInit {
  readonly base: Autobase<RoomView>
  readonly view: RoomView
  readonly log: OpLog
  readonly ownRole: OwnRole
  readonly whileOpen: WhileOpen
  /** This device, and where it can be met; null for links that do not say. */
  readonly device: Uint8Array
  readonly meetingPlace: Uint8Array | null
}

export type RoomInvites = Pick<Room, 'createInvite' | 'invites' | 'revokeInvite'>

export function createRoomInvites({ base, view, log, ownRole, whileOpen, device, meetingPlace }: RoomInvitesInit): RoomInvites {
  async function append(draft: Draft): Promise<void> {
    const [written] = await log.append([draft])
    if (!written!.isAccepted) throw forbidden('The room did not take it.', 'Somebody changed roles meanwhile.')
  }

  async function write(options: CreateInviteOptions): Promise<string> {
    const { expiresInMs, uses, inviteeId, approval = false } = options
    const { role = rulesOf(await view.room()).broadcast ? 'reader' : 'member' } = options
    const invitee = inviteeId === undefined ? null : decodeKey(inviteeId, 'options.inviteeId')
    const own = await ownRole.demand(leastRole('invite'), 'invite')
    if ((await view.room())?.peer) throw forbidden('A direct room is for two people.', 'Make a room for more.')
    if (isAtLeast(role, own)) throw forbidden(`${withArticle(own)} may not invite ${withArticle(role)}.`, 'Invite for a lesser role.')
    if (options.public && !isAtLeast(own, 'admin')) throw forbidden(`${withArticle(own)} may not make a room public.`, 'Ask an admin.')
    const { id, publicKey, seed } = createInviteKeys(base.key!)
    const expiresAt = expiresInMs === undefined ? null : Date.now() + expiresInMs
    const limits = { role: roleNumber(role), expiresAt, uses: uses ?? null, invitee }
    const payload = encodeStruct('invite', { id, publicKey, ...limits, approval, public: options.public === true })
    await append({ type: 'invite', payload })
    const { key, encryptionKey } = base
    const keys = options.public && { key, encryptionKey }
    const hints = meetingPlace && { device, relays: meetingPlace }
    return encodeInvite({ seed, discoveryKey: base.discoveryKey!, expiresAt, approval, ...keys, ...hints })
  }

  return {
    async createInvite(options = {}) {
      assertInviteOptions(options)
      throwIfAborted(options.signal)
      return raceSignal(
        whileOpen(() => write(options)),
        options.signal
      )
    },
    invites: () => whileOpen(async () => (await view.all('invites')).map(describe)),
    async revokeInvite(id, options = {}) {
      assertOptions(options, 'options', ['signal'])
      const target = decodeKey(id, 'inviteId')
      throwIfAborted(options.signal)
      const revoking = whileOpen(async () => {
        await ownRole.demand(leastRole('revokeInvite'), 'revoke invites')
        const row = await view.invite(target)
        if (row === null) {
          throw new RoomError('INVITE_NOT_FOUND', 'There is no such invite in the room.', {
            hint: 'invites() lists those there are.'
          })
        }
        if (!row.revoked) await append({ type: 'revokeInvite', target })
      })
      await raceSignal(revoking, options.signal)
    }
  }
}

function describe(row: InviteRow): InviteInfo {
  const { id, author, role, used, uses, expiresAt, invitee, revoked, approval } = row
  return {
    id: encodeZ32(id),
    author: encodeZ32(author),
    role: roleOf(role) ?? 'reader',
    used,
    uses: uses || undefined,
    expiresAt: expiresAt || undefined,
    inviteeId: invitee ? encodeZ32(invitee) : undefined,
    isRevoked: revoked === true,
    needsApproval: approval === true,
    isPublic: row.public === true
  }
}

function assertInviteOptions(options: CreateInviteOptions): void {
  assertOptions(options, 'options', ['expiresInMs', 'uses', 'role', 'inviteeId', 'approval', 'public', 'signal'])
  const { expiresInMs, uses, role } = options
  for (const name of ['approval', 'public'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'boolean') {
      throw new TypeError(`options.${name} must be true or false`)
    }
  }
  if (options.public && options.approval) throw new TypeError('options.public and options.approval exclude each other')
  if (options.public && role !== undefined && role !== 'reader' && role !== 'member') {
    throw new TypeError('options.role must be "reader" or "member" with options.public')
  }
  if (expiresInMs !== undefined) assertInteger(expiresInMs, 'options.expiresInMs', { min: 1, max: MAX_INVITE_MS })
  if (uses !== undefined) assertInteger(uses, 'options.uses', { min: 1, max: MAX_INVITE_USES })
  if (role !== undefined && (!ROLES.includes(role) || (role as Role) === 'owner')) {
    throw new TypeError('options.role must be "reader", "member", "moderator" or "admin"')
  }
  assertSignal(options.signal, 'options.signal')
}
