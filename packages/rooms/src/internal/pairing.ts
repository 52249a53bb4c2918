import type BlindPairing from 'blind-pairing'
import type { PairingResult } from 'blind-pairing-core'
import { RoomError } from '../errors.js'
import type { InviteLink } from '../invite.js'
import { encodePairingInvite } from './invite-keys.js'

/** A question to whoever is there: may this device come in? */
export interface Asking {
  readonly answer: Promise<PairingResult>
  /** Stops asking. Idempotent. */
  close(): Promise<void>
}

export function ask(pairing: BlindPairing, invite: InviteLink, payload: Uint8Array): Asking {
  const candidate = pairing.addCandidate({ invite: encodePairingInvite(invite), userData: payload })
  const answer = new Promise<PairingResult>((resolve, reject) => {
    candidate.request.on('accepted', resolve)
    candidate.request.on('rejected', (error) => reject(refusal(error)))
    candidate.on('close', () => reject(closedError()))
  })
  return { answer, close: () => candidate.close() }
}

function closedError(): RoomError {
  return new RoomError('ROOM_CLOSED', 'The peer was closed before anybody answered.', { retryable: true })
}

function refusal(cause: Error & { code?: string }): RoomError {
  switch (cause.code) {
    case 'INVITE_EXPIRED':
      return expiredError()
    case 'INVITE_USED':
      return refusalError('usedUp', cause)
    default:
      return refusalError('refused', cause)
  }
}

/** Why the room does not let this device in, in the words of an app. */
export function refusalError(reason: 'refused' | 'usedUp' | 'expired', cause?: Error): RoomError {
  switch (reason) {
    case 'expired':
      return expiredError()
    case 'usedUp':
      return new RoomError('INVITE_USED_UP', 'The invite has been used as often as it may be.', {
        cause,
        hint: 'Ask for a new one.'
      })
    case 'refused':
      return new RoomError('INVITE_REFUSED', 'The room did not let this device in.', {
        cause,
        hint: 'The invite may have been revoked, or the request declined. Ask for a new one.'
      })
  }
}

export function expiredError(): RoomError {
  return new RoomError('INVITE_EXPIRED', 'The invite has expired.', { hint: 'Ask for a new one.' })
}
