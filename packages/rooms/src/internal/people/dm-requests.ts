import type { DmRequest } from '../../people.js'
import { decodeKey } from '@covey/core'
import { createRateLimit } from '../guards/rate-limit.js'
import { decodeStruct, encodeStruct, type Structs } from '../structs.js'
import type { PeopleStore } from './people-store.js'
import { readProfile } from './signed-profile.js'

const PREFIX = 'dm/'

/** What this device's person and somebody want of each other. */
export const DmState = {
  /** This device's person wants, or has, a direct room with them. */
  wanted: 1,
  /** They want one, and wait. */
  asked: 2,
  /** They wanted one, and are not heard any more. */
  declined: 3
} as const

/** How many strangers wait at a time: a person looks through so many, and anybody can make up more. */
export const MAX_STRANGERS = 32
/** How many in all: people whom this device's person knows have the places that strangers cannot take. */
const MAX_WAITING = 256
const MAX_DECLINED = 1_024
/** How often what somebody says who waits takes the place of what they said before: all of it stays on the disk. */
const AGAIN_RATE = { burst: 8, perSecond: 0.01 }

export type DmRecord = Structs['dm-record']

/** Who wants a direct room with whom: durable, so that nothing has to be asked twice. */
export interface DmRequests {
  state(person: string): number | undefined
  /** Everybody of a state. */
  of(state: number): string[]
  record(person: string): DmRecord | undefined
  set(person: string, state: number): Promise<void>
  forget(person: string): Promise<void>
  /**
   * Somebody asks. Gives the request if it is a new one, and is kept.
   *
   * @param isKnown whether this device's person knows them.
   */
  ask(person: string, how: Pick<DmRecord, 'device' | 'profile'>, isKnown: boolean): Promise<DmRequest | undefined>
  list(): DmRequest[]
}

export function createDmRequests(store: PeopleStore, isKnown: (person: string) => boolean): DmRequests {
  const record = (person: string): DmRecord | undefined => {
    const value = store.get(PREFIX + person)
    return value && decodeStruct('dm-record', value)
  }
  const again = createRateLimit(AGAIN_RATE)
  const put = (person: string, row: DmRecord): Promise<void> => store.set(PREFIX + person, encodeStruct('dm-record', row))
  const of = (state: number): string[] => store.entries(PREFIX).flatMap(([id]) => (record(id)?.state === state ? id : []))

  function describe(id: string): DmRequest {
    const { at, profile } = record(id)!
    const shown = (profile && readProfile(profile, decodeKey(id))) || { name: '', bio: '' }
    const { name, bio, avatar } = shown as DmRequest
    return { id, name, bio, ...(avatar && { avatar }), askedAt: at }
  }

  /** Those of the newest profile: nobody shows an older one of theirs again. */
  function newer(id: string, before: DmRecord | undefined, profile: Uint8Array | null | undefined): Uint8Array | null {
    const key = decodeKey(id)
    const now = profile ? readProfile(profile, key) : undefined
    const known = before?.profile ? readProfile(before.profile, key) : undefined
    if (now === undefined || (known !== undefined && known.version >= now.version)) return before?.profile ?? null
    return profile!
  }

  return {
    record,
    state: (person) => record(person)?.state,
    of,
    async set(person, state) {
      await put(person, { ...record(person), state, at: record(person)?.at ?? Date.now() })
      if (state !== DmState.declined) return
      const declined = of(state).toSorted((a, b) => record(a)!.at - record(b)!.at)
      for (const id of declined.slice(0, Math.max(0, declined.length - MAX_DECLINED))) await store.set(PREFIX + id, null)
    },
    async forget(person) {
      if (record(person) !== undefined) await store.set(PREFIX + person, null)
    },
    async ask(person, { device, profile }, known) {
      const before = record(person)
      if (before === undefined) {
        const waiting = of(DmState.asked)
        const strangers = known ? 0 : waiting.filter((id) => !isKnown(id)).length
        if (waiting.length >= MAX_WAITING || strangers >= MAX_STRANGERS) return undefined
      }
      const newest = newer(person, before, profile)
      if (before !== undefined && (newest === (before.profile ?? null) || !again.take())) return undefined
      await put(person, { state: before?.state ?? DmState.asked, at: before?.at ?? Date.now(), device: device ?? null, profile: newest })
      return before === undefined ? describe(person) : undefined
    },
    list: () => of(DmState.asked).map(describe).toSorted((a, b) => a.askedAt - b.askedAt)
  }
}
