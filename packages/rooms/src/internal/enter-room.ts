import type { LocalIdentity } from '@covey/identity'
import type { RoomError } from '../errors.js'
import type { InviteLink } from '../invite.js'
import type { Room } from '../room.js'
import { opensTo, refusalOf } from './authority/acts.js'
import { hintDevices } from './hint-devices.js'
import { makeReceipt } from './invite-keys.js'
import type { OpenRoom } from './open-room.js'
import { refusalError } from './pairing.js'
import { encodeStruct } from './structs.js'

/** How long nothing has to change until this device counts as one that has heard what there is to hear. */
const QUIET_MS = 500

/** Resolves when the room has not changed for a while: who knows of others does not compete with them. */
function quiet(room: Room): Promise<void> {
  return new Promise((resolve) => {
    let timer = setTimeout(end, QUIET_MS)
    const stops = [
      room.on('update', () => {
        clearTimeout(timer)
        timer = setTimeout(end, QUIET_MS)
      }),
      room.on('close', end)
    ]
    function end(): void {
      clearTimeout(timer)
      for (const stop of stops) stop()
      resolve()
    }
  })
}

/**
 * Comes into a room by a public invite, as far as this device can tell.
 *
 * Everybody judges it by their own view. So it may turn out that others were faster; then this device is
 * in no more, as if it had been removed.
 *
 * @param request the join request of this device
 * @returns what looks whether others turned out to be faster, and why this device is not in then.
 * @throws {RoomError} INVITE_EXPIRED, INVITE_USED_UP, INVITE_REFUSED
 */
export async function enterRoom(
  { room, base, view, log, until, isAdmitted }: OpenRoom,
  { identity }: Pick<LocalIdentity, 'identity'>,
  link: InviteLink,
  request: Uint8Array
): Promise<() => Promise<RoomError | undefined>> {
  const receipt = makeReceipt(link, request)
  const shown = { id: receipt.invite, publicKey: receipt.publicKey }

  async function refusal(): Promise<RoomError | undefined> {
    const invite = await view.invite(shown.id)
    const isBanned = (await view.ban(identity.publicKey)) !== null
    if (invite === null || isBanned || !opensTo(invite, shown)) return refusalError('refused')
    const reason = await refusalOf(view, invite, identity.publicKey, Date.now())
    return reason && refusalError(reason)
  }

  const lost = async (): Promise<RoomError | undefined> => ((await isAdmitted()) ? undefined : refusal())
  await until(async () => (await view.invite(shown.id)) ?? (await hintDevices({ base, view })))
  if (await isAdmitted()) return lost
  await hintDevices({ base, view })
  await quiet(room)
  // Asked first, because what is refused stays in this device's core, and others look at few such blocks.
  const refused = await refusal()
  if (refused !== undefined) throw refused
  const payload = encodeStruct('enter', { request, receipt })
  const [written] = await log.append([{ type: 'enter', payload }], { isStranger: true })
  if (!written!.isAccepted) throw (await refusal()) ?? refusalError('refused')
  return lost
}
