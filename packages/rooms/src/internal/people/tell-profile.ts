import { isCoveyError } from '@covey/core'
import type { Draft, OpLog } from '../op-log.js'
import { decodeOp } from '../op.js'
import type { Reader } from '../reader.js'
import { decodeStruct, encodeStruct } from '../structs.js'
import { createTurnTaker } from '../take-turns.js'
import type { RoomView } from '../view.js'
import type { OwnProfile } from './own-profile.js'

export interface ProfileTellerInit {
  readonly self: Uint8Array
  readonly view: RoomView
  readonly log: OpLog
  readonly reader: Reader
  readonly profile: OwnProfile
  /** Whether this device may write, and has what a profile is sealed with, or is about to make it. */
  readonly maySeal: () => Promise<boolean>
  /** Resolves when nobody waits for what the room is read for first. */
  readonly calm: () => Promise<void>
  /** Reads who is in, which may take long: else all that this device writes meanwhile would wait behind the profile. */
  readonly prepare: () => Promise<unknown>
  readonly onerror: (error: unknown) => void
}

/** Keeps what a room knows of this device's person as new as what this device knows. */
export interface ProfileTeller {
  /** Tells the room, where it knows less and this device may write. */
  tell(): Promise<void>
  /** The room, or the profile, may be other. */
  changed(): void
  close(): void
}

export function createProfileTeller({ self, view, log, reader, profile, maySeal, calm, prepare, onerror }: ProfileTellerInit): ProfileTeller {
  const takeTurns = createTurnTaker()
  let isWaiting = false

  async function tellNow(): Promise<void> {
    const row = await view.profile(self)
    const known = row === null ? -1 : profileVersion(row.op)
    if (known > profile.current().profile.version) {
      const theirs = await reader.signedProfile(self)
      if (theirs !== undefined) await profile.adopt(theirs)
    }
    const own = profile.current().profile
    // What a device has said that is out makes way, however new it says to be.
    const isUntold = known < own.version || (row !== null && (await isOut(view, row)))
    if (isUntold && !isNothing(own) && (await maySeal())) {
      await prepare()
      await log.append([profileDraft(profile)], { underEpoch: true })
    }
  }

  const tell = (): Promise<void> => takeTurns('tell', tellNow)

  function changed(): void {
    if (isWaiting) return
    isWaiting = true
    // To tell it one has to know of all who are in.
    const telling = calm().then(() => takeTurns('tell', () => {
      isWaiting = false
      return tellNow()
    }))
    telling.catch((error: unknown) => {
      // Removed meanwhile, or closed beneath it.
      if (!isCoveyError(error, 'ROOM_NOT_WRITABLE') && !isCoveyError(error, 'ROOM_CLOSED')) onerror(error)
    })
  }

  return { tell, changed, close: profile.watch(changed) }
}

/** Nobody need be told that somebody has not said anything. */
export function isNothing({ version, name }: { readonly version: number; readonly name: string }): boolean {
  return version === 0 && name === ''
}

export function profileDraft(own: OwnProfile): Draft {
  const { profile, signed } = own.current()
  return {
    type: 'profile',
    // In the clear, so that `apply` can tell which is newer.
    payload: encodeStruct('profile-version', { version: profile.version }),
    body: encodeStruct('profile-body', { signed })
  }
}

/** Which version of a profile an op has, or `undefined` where it does not say it in a way that counts. */
export function profileVersionOf(payload: Uint8Array | null | undefined): number | undefined {
  if (!payload) return 0
  const version = decodeStruct('profile-version', payload)?.version
  return version !== undefined && version <= MAX_VERSION ? version : undefined
}

/** The version of one that the view has; 0 where it has none. */
export function profileVersion(op: Uint8Array | undefined): number {
  return (op && profileVersionOf(decodeOp(op)?.header.payload)) ?? 0
}

/** Whether a profile is of a device that is out: `apply` takes any other in its place. */
export async function isOut(view: RoomView, { writer }: { readonly writer: Uint8Array }): Promise<boolean> {
  return (await view.device(writer))?.removed === true
}

/** A time, as far as one can be: each is later than those before it. */
const MAX_VERSION = 8.64e15
