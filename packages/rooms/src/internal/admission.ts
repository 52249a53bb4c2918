import type BlindPairing from 'blind-pairing'
import type { MemberRequest } from 'blind-pairing-core'
import { isCoveyError } from '@covey/core'
import { isAtLeast, roleOf, type Role } from '../roles.js'
import { refusalOf } from './authority/acts.js'
import { leastRole } from './authority/rules.js'
import { createRateLimit } from './guards/rate-limit.js'
import { openRequest } from './invite-keys.js'
import { isIn, letIn, readAsked } from './let-in.js'
import { mapKey } from './map-key.js'
import type { OpenRoom } from './open-room.js'
import type { Place } from './shelf/place.js'
import { encodeStruct, type Structs } from './structs.js'
import type { InviteRow } from './view.js'

/** How the pairing protocol names its refusals. */
const Refusal = { refused: 1, usedUp: 2, expired: 3 } as const

/** How many requests this device tells the room of: each is an op, and a link has many readers. */
const KNOCK_RATE = { burst: 16, perSecond: 0.1 }
const MAX_HEARD = 256
const MIN_WAIT_MS = 1_000
const MAX_WAIT_MS = 6_000

/** Lets in who comes with an invite of this room, which is opened for it. */
export interface Admission {
  close(): Promise<void>
}

export function createAdmission(
  pairing: BlindPairing,
  { discoveryKey: room, use }: Pick<Place, 'discoveryKey' | 'use'>,
  identity: Uint8Array,
  /** Is told of each device that is in, and asked to be. */
  onconfirm: (opened: OpenRoom, device: Uint8Array) => Promise<void>,
  onerror: (error: unknown) => void
): Admission {
  let previous: Promise<void> = Promise.resolve()
  let isClosing = false
  const rate = createRateLimit(KNOCK_RATE)
  /** When it is this device's turn to tell of somebody who asks. */
  const heard = new Map<string, number>()

  async function answer(opened: OpenRoom, request: MemberRequest): Promise<void> {
    const { base, view, log, keyring } = opened
    const invite = await view.invite(request.inviteId)
    // Not known here, or not for us to decide: another member may.
    if (invite === null || !base.writable || !(await hasRole(opened, leastRole('admit')))) return
    const shown = openRequest(request, invite.publicKey)
    if (shown === undefined) return

    const now = Date.now()
    const asked = readAsked(room, shown.request, invite, now)
    if (asked === undefined) return request.deny({ status: Refusal.refused })
    const { writer, claimant } = asked
    if (!(await isIn(view, writer))) {
      const refusal = await refusalOf(view, invite, claimant.identity, now)
      if (refusal !== undefined) return request.deny({ status: Refusal[refusal] })
      if (invite.approval) {
        if ((await view.ban(claimant.identity)) !== null) return request.deny({ status: Refusal.refused })
        return knock(opened, request, invite, writer, shown)
      }

      const payload = encodeStruct('admit', { ...shown, role: invite.role })
      const isLetIn = await letIn({ view, log, keyring }, { writer, box: claimant.box }, { type: 'admit', payload })
      if (!isLetIn) return request.deny({ status: Refusal.refused })
    }
    request.confirm({ key: base.key!, encryptionKey: base.encryptionKey })
    await onconfirm(opened, claimant.device)
  }

  /** Tells the room of somebody whom a moderator has to approve. They will ask again. */
  async function knock(
    opened: OpenRoom,
    request: MemberRequest,
    { expiresAt, id }: InviteRow,
    writer: Uint8Array,
    shown: Structs['knock-body']
  ): Promise<void> {
    const state = await opened.joinRequests.stateOf(writer, id)
    if (state === 'declined') return request.deny({ status: Refusal.refused })
    if (state === 'pending') return
    const now = Date.now()
    if (expiresAt && now >= expiresAt) return request.deny({ status: Refusal.expired })
    if (!(await isOurTurn(opened, writer, now)) || !rate.take()) return
    const payload = encodeStruct('knock', { writer, invite: id })
    await opened.log.append([{ type: 'knock', payload, body: encodeStruct('knock-body', shown) }], { underEpoch: true })
  }

  /** Moderators tell at once, other members when none has, so that mostly one tells. */
  async function isOurTurn(opened: OpenRoom, writer: Uint8Array, now: number): Promise<boolean> {
    if (await hasRole(opened, 'moderator')) return true
    const name = mapKey(writer)
    if (heard.size >= MAX_HEARD) heard.clear()
    const turn = heard.get(name) ?? now + MIN_WAIT_MS + Math.random() * (MAX_WAIT_MS - MIN_WAIT_MS)
    heard.set(name, turn)
    return now >= turn
  }

  async function hasRole({ view }: OpenRoom, least: Role): Promise<boolean> {
    const member = await view.member(identity)
    const role = member === null ? undefined : roleOf(member.role)
    return role !== undefined && isAtLeast(role, least)
  }

  const member = pairing.addMember({
    discoveryKey: room,
    onadd(request) {
      // One after another, so that the uses of an invite are counted before the next is let in.
      previous = previous
        .then(() => use((opened) => answer(opened, request)))
        .catch((error: unknown) => {
          // What is closed beneath an answer is no news.
          if (!isClosing && !isCoveyError(error, 'ROOM_CLOSED')) onerror(error)
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
