import { assertOptions, assertString, isContent } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { MAX_AVATAR_OFFER_BYTES, MAX_BIO_BYTES, MAX_NAME_BYTES } from '../../constants.js'
import type { Profile, ProfileChange } from '../../people.js'
import { createTurnTaker } from '../take-turns.js'
import type { PeopleStore } from './people-store.js'
import { readProfile, signProfile, type VersionedProfile } from './signed-profile.js'

const KEY = 'profile'

/** A clock that is ahead by more would keep its person from changing anything for as long. */
const MAX_AHEAD_MS = 24 * 3_600_000

/** What this device's person says of themselves, wherever they are. */
export interface OwnProfile {
  /** The newest, and as it is told; of version 0 while nothing but the name of the identity is known. */
  current(): { readonly profile: VersionedProfile; readonly signed: Uint8Array }
  /** @throws {TypeError} that names the field */
  set(change: ProfileChange): Promise<Profile>
  /** Takes what another device of this person has said, if it is newer. */
  adopt(signed: Uint8Array): Promise<void>
  watch(listener: () => void): () => void
}

/** @param store where it is kept; by default nowhere. */
export function createOwnProfile(identity: LocalIdentity, store: Pick<PeopleStore, 'get' | 'set' | 'watch'> = KEPT_NOWHERE): OwnProfile {
  const self = identity.identity.publicKey
  const takeTurns = createTurnTaker()
  const first: VersionedProfile = { version: 0, name: identity.identity.name, bio: '' }
  const unsaved = { profile: first, signed: signProfile(identity, first) }

  function current(): ReturnType<OwnProfile['current']> {
    const signed = store.get(KEY)
    const profile = signed && readProfile(signed, self)
    return signed && profile ? { profile, signed } : unsaved
  }

  return {
    current,
    set(change) {
      assertChange(change)
      return takeTurns('set', async () => {
        const { version, avatar: kept, ...before } = current().profile
        const { name = before.name, bio = before.bio, avatar = kept } = change
        const next = { version: Math.max(Date.now(), version + 1), name, bio, ...(avatar && { avatar }) }
        const signed = signProfile(identity, next)
        await store.set(KEY, signed)
        return plain(readProfile(signed, self)!)
      })
    },
    adopt: (signed) =>
      takeTurns('set', async () => {
        const profile = readProfile(signed, self)
        if (profile === undefined || profile.version > Date.now() + MAX_AHEAD_MS) return
        if (profile.version > current().profile.version) await store.set(KEY, signed)
      }),
    watch: (listener) => store.watch((key) => key === KEY && listener())
  }
}

export function plain({ name, bio, avatar }: Profile): Profile {
  return { name, bio, ...(avatar && { avatar }) }
}

function assertChange(change: ProfileChange): void {
  assertOptions(change, 'change', ['name', 'bio', 'avatar'])
  const { name, bio, avatar } = change
  if (name !== undefined) assertString(name, 'change.name', { maxBytes: MAX_NAME_BYTES })
  if (bio !== undefined) assertString(bio, 'change.bio', { maxBytes: MAX_BIO_BYTES })
  if (avatar === undefined || avatar === null) return
  if (!isContent(avatar) || avatar.data.length > MAX_AVATAR_OFFER_BYTES) {
    throw new TypeError(`change.avatar must be a content of at most ${MAX_AVATAR_OFFER_BYTES} bytes, or null`)
  }
}

const KEPT_NOWHERE: Pick<PeopleStore, 'get' | 'set' | 'watch'> = {
  get: () => undefined,
  set: async () => undefined,
  watch: () => () => undefined
}
