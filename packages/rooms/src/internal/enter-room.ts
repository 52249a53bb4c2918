import type { LocalIdentity } from '@covey/identity'
import type { InviteLink } from '../invite.js'
import { opensTo, refusalOf } from './authority/acts.js'
import { hintDevices } from './hint-devices.js'
import { makeReceipt } from './invite-keys.js'
import type { OpenRoom } from './open-room.js'
import { refusalError } from './pairing.js'
import { encodeStruct } from './structs.js'

/**
 * Comes into a room by a public invite. Everybody judges this by their own view, so that it may turn out
 * that others were faster: then this device is in no more, as if it had been removed.
 *
 * @param request the join request of this device
 * @throws {RoomError} INVITE_EXPIRED, INVITE_USED_UP, INVITE_REFUSED
 */
export async function enterRoom(
  { base, view, log, until, isAdmitted }: OpenRoom,
  { identity }: Pick<LocalIdentity, 'identity'>,
  link: InviteLink,
  request: Uint8Array
): Promise<void> {
  const receipt = makeReceipt(link, request)
  const invite = await until(async () => (await view.invite(receipt.invite)) ?? (await hintDevices({ base, view })))
  if (await isAdmitted()) return
  const isBanned = (await view.ban(identity.publicKey)) !== null
  const shown = { id: receipt.invite, publicKey: receipt.publicKey }
  if (isBanned || !opensTo(invite, shown)) throw refusalError('refused')
  // Asked first, because what is refused stays in this device's core, and others look at few such blocks.
  const refusal = await refusalOf(view, invite, identity.publicKey, Date.now())
  if (refusal !== undefined) throw refusalError(refusal)
  const payload = encodeStruct('enter', { request, receipt })
  const [written] = await log.append([{ type: 'enter', payload }], { isStranger: true })
  if (!written!.isAccepted) throw refusalError('refused')
}
