import type BlindPairing from 'blind-pairing'
import type { MemberRequest } from 'blind-pairing-core'
import { isAtLeast, roleOf } from '../roles.js'
import { refusalOf } from './authority/acts.js'
import { verifyClaim } from './claim.js'
import { openRequest } from './invite-keys.js'
import type { OpenRoom } from './open-room.js'
import { decodeStruct, encodeStruct } from './structs.js'

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
  let isClosing = false

  async function answer(request: MemberRequest): Promise<void> {
    const invite = await view.invite(request.inviteId)
    // Not known here, or not for us to decide: another member may.
    if (invite === null || !(await mayAdmit())) return
    const opened = openRequest(request, invite.publicKey)
    const claim = opened && decodeStruct('join-request', opened.request)
    if (opened === undefined || claim === undefined) return

    const { writer } = claim
    const now = Date.now()
    const claimant = verifyClaim(room, writer, claim, now)
    if (claimant === undefined) return request.deny({ status: Refusal.refused })
    if (!(await isIn(writer))) {
      const refusal = await refusalOf(view, invite, claimant.identity, now)
      if (refusal !== undefined) return request.deny({ status: Refusal[refusal] })

      const payload = encodeStruct('admit', { ...opened, role: invite.role })
      const welcome = await keyring.welcome({ writer, box: claimant.box })
      await log.append([{ type: 'admit', payload }, ...welcome], { underEpoch: true })
      if (!(await isIn(writer))) return request.deny({ status: Refusal.refused })
      // Where the newcomer may not have the present key, there is a new one.
      await log.append([], { underEpoch: true })
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
      previous = previous
        .then(() => answer(request))
        .catch((error: unknown) => {
          // What is closed beneath an answer is no news.
          if (!isClosing && !base.closing) onerror(error)
        })
      return previous
    }
  })

  return {
    async close() {
      isClosing = true
      await member.close()
      await previous
    }
  }
}
