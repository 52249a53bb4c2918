import { assertOptions, assertSignal, decodeKey, encodeZ32, equalBytes, raceSignal, throwIfAborted } from '@covey/core'
import { RoomError } from '../errors.js'
import { isAtLeast, roleNumber, roleOf } from '../roles.js'
import type { CallOptions, JoinRequest, Room } from '../room.js'
import { isReceipt } from './invite-keys.js'
import type { Keyring } from './keyring.js'
import { isPending } from './knocks.js'
import { letIn, readAsked } from './let-in.js'
import { mapKey } from './map-key.js'
import { decodeOp } from './op.js'
import type { OpLog } from './op-log.js'
import type { WhileOpen } from './open-room.js'
import { forbidden, type OwnRole, withArticle } from './own-role.js'
import type { Reader } from './reader.js'
import type { Recipient } from './slots.js'
import { decodeStruct, encodeStruct, type Structs } from './structs.js'
import type { InviteRow, KnockRow, RoomView } from './view.js'

export interface JoinRequestsInit {
  /** The room's discovery key. */
  readonly room: Uint8Array
  readonly view: RoomView
  readonly log: OpLog
  readonly reader: Reader
  readonly keyring: Keyring
  readonly ownRole: OwnRole
  readonly whileOpen: WhileOpen
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** Who asks to be let in, as members see it, and what moderators do about it. */
export interface JoinRequests extends Pick<Room, 'joinRequests' | 'approve' | 'decline'> {
  /** What has been told of a device that asks by an invite: only what holds when it is looked at. */
  stateOf(writer: Uint8Array, invite: Uint8Array): Promise<'unknown' | 'pending' | 'declined'>
}

/** A request that is what it says. */
interface Sound extends Recipient {
  readonly request: JoinRequest
  /** The join request alone, as an admission has it. */
  readonly bytes: Uint8Array
}

export function createJoinRequests(init: JoinRequestsInit): JoinRequests {
  const { room, view, log, reader, ownRole, whileOpen, now } = init

  /** What a row tells, or `undefined` where a member has told what is not so, or this device cannot read it. */
  async function open({ writer, author, invite: id, op: bytes }: KnockRow): Promise<Sound | undefined> {
    const [invite, body] = await Promise.all([view.invite(id), reader.body(bytes, author)])
    const knock = typeof body === 'string' ? undefined : decodeStruct('knock-body', body)
    const role = invite === null ? undefined : roleOf(invite.role)
    if (invite === null || role === undefined || knock === undefined) return undefined
    const asked = isReceiptOf(invite, knock) ? readAsked(room, knock.request, invite, now()) : undefined
    if (asked === undefined || !equalBytes(asked.writer, writer)) return undefined
    const { name, request, claimant } = asked
    const askedAt = decodeOp(bytes)?.header.sentAt ?? 0
    const [identity, inviteId] = [encodeZ32(claimant.identity), encodeZ32(id)]
    return { request: { id: encodeZ32(writer), identity, name, inviteId, role, askedAt }, bytes: request, writer, box: claimant.box }
  }

  /** Of several members who tell of the same device, the earliest who tells the truth counts. */
  async function pending(rows: readonly KnockRow[]): Promise<Sound[]> {
    const found = new Map<string, Sound>()
    for (const row of rows) {
      const sound = (await isPending(view, row)) ? await open(row) : undefined
      if (sound === undefined) continue
      const earlier = found.get(mapKey(row.writer))
      if (earlier === undefined || sound.request.askedAt < earlier.request.askedAt) found.set(mapKey(row.writer), sound)
    }
    return [...found.values()].sort((a, b) => a.request.askedAt - b.request.askedAt)
  }

  async function find(writer: Uint8Array): Promise<Sound> {
    const [sound] = await pending(await view.knocksOf(writer))
    if (sound !== undefined) return sound
    throw new RoomError('JOIN_REQUEST_NOT_FOUND', 'Nobody waits under this id to be let in.', {
      hint: 'Somebody else may have decided; joinRequests() lists those who wait.'
    })
  }

  async function approve(writer: Uint8Array): Promise<void> {
    const own = await ownRole.demand('moderator', 'approve')
    const { request, bytes, box } = await find(writer)
    const { role, inviteId } = request
    if (isAtLeast(role, own)) throw forbidden(`${withArticle(own)} may not let in ${withArticle(role)}.`, 'Ask somebody with a higher role.')
    const admit = { request: bytes, role: roleNumber(role), approved: decodeKey(inviteId, 'inviteId') }
    const isLetIn = await letIn(init, { writer, box }, { type: 'admit', payload: encodeStruct('admit', admit) })
    if (!isLetIn) throw forbidden('The room did not take it.', 'The person may be banned, or the invite used up meanwhile.')
  }

  async function decline(writer: Uint8Array): Promise<void> {
    await ownRole.demand('moderator', 'decline')
    const { request } = await find(writer)
    const payload = encodeStruct('knock', { writer, invite: decodeKey(request.inviteId, 'inviteId'), declined: true })
    const [written] = await log.append([{ type: 'knock', payload }])
    if (!written!.isAccepted) throw forbidden('The room did not take it.', 'Somebody else may have decided meanwhile.')
  }

  function deciding(decide: (writer: Uint8Array) => Promise<void>) {
    return async (requestId: string, options: CallOptions = {}): Promise<void> => {
      assertOptions(options, 'options', ['signal'])
      assertSignal(options.signal, 'options.signal')
      const writer = decodeKey(requestId, 'requestId')
      throwIfAborted(options.signal)
      await raceSignal(
        whileOpen(() => decide(writer)),
        options.signal
      )
    }
  }

  return {
    joinRequests: () =>
      whileOpen(async () => (await pending(await view.all('knocks'))).map(({ request }) => request)),
    approve: deciding(approve),
    decline: deciding(decline),
    async stateOf(writer, invite) {
      const rows = (await view.knocksOf(writer)).filter((row) => equalBytes(row.invite, invite))
      if (rows.some(({ declined }) => declined)) return 'declined'
      return (await pending(rows)).length > 0 ? 'pending' : 'unknown'
    }
  }
}

/** Whether who asks has shown to hold the invite. */
function isReceiptOf({ id, publicKey }: InviteRow, { request, receipt }: Structs['knock-body']): boolean {
  return equalBytes(receipt.invite, id) && equalBytes(receipt.publicKey, publicKey) && isReceipt(receipt, request)
}
