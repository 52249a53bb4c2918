import type BlindPairing from 'blind-pairing'
import type { MemberRequest } from 'blind-pairing-core'
import { equalBytes } from '@covey/core'
import { isAtLeast, roleOf } from '../roles.js'
import { verifyClaim, type Claimant } from './claim.js'
import type { OpenRoom } from './open-room.js'
import { decodeStruct, encodeStruct } from './structs.js'
import type { InviteRow } from './view.js'

/** How the pairing protocol names its refusals. */
const Refusal = { refused: 1, usedUp: 2, expired: 3 } as const

/** Lets in who comes with an invite of this room, as long as the room is open. */
export interface Admission {
  close(): Promise<void>
}

export function createAdmission(
  pairing: BlindPairing,
  { base, view, log, keyring }: OpenRoom,
  identity: Uint8Array,
  onerror: (error: unknown) => void
): Admission {
  const room = base.discoveryKey!
  let previous: Promise<void> = Promise.resolve()

  async function answer(request: MemberRequest): Promise<void> {
    const invite = await view.invite(request.inviteId)
    // Not known here, or not for us to decide: another member may.
    if (invite === null || !(await mayAdmit())) return
    const wanted = openRequest(request, invite)
    if (wanted === undefined) return

    if (!(await isIn(wanted.writer))) {
      const refusal = refuse(invite)
      if (refusal !== undefined) return request.deny({ status: refusal })
      const claimant = verifyClaim(room, wanted.writer, wanted, Date.now())
      if (claimant === undefined || !isFor(invite, claimant)) return request.deny({ status: Refusal.refused })

      const newcomer = { writer: wanted.writer, box: claimant.box }
      const payload = encodeStruct('admit', { ...wanted, role: invite.role, invite: invite.id })
      await log.append([{ type: 'admit', payload }, ...(await keyring.welcome(newcomer))])
      if (!(await isIn(wanted.writer))) return request.deny({ status: Refusal.refused })
      // Where the newcomer may not have the present key, there is a new one.
      keyring.changed()
      await keyring.current()
    }
    request.confirm({ key: base.key!, encryptionKey: base.encryptionKey })
  }

  async function isIn(writer: Uint8Array): Promise<boolean> {
    const device = await view.device(writer)
    return device !== null && !device.removed
  }

  async function mayAdmit(): Promise<boolean> {
    const member = await view.member(identity)
    const role = member === null ? undefined : roleOf(member.role)
    return base.writable && role !== undefined && isAtLeast(role, 'member')
  }

  const member = pairing.addMember({
    discoveryKey: room,
    onadd(request) {
      // One after another, so that the uses of an invite are counted before the next is let in.
      previous = previous.then(() => answer(request)).catch(onerror)
      return previous
    }
  })

  return {
    async close() {
      await member.close()
      await previous
    }
  }
}

/** What the candidate asks for, or `undefined` if it does not hold the invite or asks for nothing sound. */
function openRequest(request: MemberRequest, invite: InviteRow) {
  try {
    return decodeStruct('join-request', request.open(invite.publicKey))
  } catch {
    // The one thing that `open` throws for: the request was not made with this invite.
    return undefined
  }
}

function isFor({ invitee }: InviteRow, { identity }: Claimant): boolean {
  return !invitee || equalBytes(invitee, identity)
}

function refuse({ uses, used, expiresAt, revoked }: InviteRow): 1 | 2 | 3 | undefined {
  if (revoked) return Refusal.refused
  if (expiresAt && Date.now() >= expiresAt) return Refusal.expired
  if (uses && used >= uses) return Refusal.usedUp
  return undefined
}
