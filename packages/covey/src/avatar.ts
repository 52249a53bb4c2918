import { assertBytes, assertOptions, assertSignal, equalBytes } from '@covey/core'
import { fileContent, type Files } from '@covey/files'
import type { CallOptions, PersonProfile, Profile, ProfileChange } from '@covey/rooms'

/** The largest picture of a person. */
export const MAX_AVATAR_BYTES = 256 * 1_024

/** What a picture of a person may be: what any display shows, and nothing that can hold a script. */
const AVATAR_TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif'] as const

/** The media type of a picture of a person. */
export type AvatarType = (typeof AVATAR_TYPES)[number]

/** A picture of a person. */
export interface Avatar {
  readonly type: AvatarType
  /** At most {@link MAX_AVATAR_BYTES}. Of somebody else: show it as you would any picture from a stranger. */
  readonly data: Uint8Array
}

/** What {@link PeerProfile.set} changes; what is left out stays. */
export interface PeerProfileChange extends Omit<ProfileChange, 'avatar'> {
  /** `null` for none. */
  readonly avatar?: Avatar | null
}

/** The profile of this peer's person: the same in all of their rooms, which show it. */
export interface PeerProfile extends Pick<PersonProfile, 'get'> {
  /**
   * Resolves when the change is durable on this device. Every room learns of it: at once where this device may write,
   * else when it may. Of what two devices of a person set, the later one by their clocks counts. A picture is shared as a
   * file: others get it from this device, or from anybody who has it.
   *
   * @throws {TypeError} that names the field
   * @throws {FileError} STORAGE_…, FILES_CLOSED
   * @example
   * ```ts
   * import { createPeer } from 'covey'
   *
   * const alice = await createPeer()
   * await alice.profile.set({ name: 'Alice', bio: 'tea, mostly' })
   * ```
   */
  set(change: PeerProfileChange): Promise<Profile>
}

/** What a room has for showing people. */
export interface RoomAvatars {
  /**
   * The picture of a member, or `undefined` where there is none that can be shown: of another type, too large, or taken
   * away. Fetched when it is asked for first, from whoever has it: waits for as long as nobody does.
   *
   * @throws {FileError} FILE_DAMAGED, FILES_CLOSED, STORAGE_…
   * @throws the signal's `reason` when it is aborted.
   */
  avatar(member: Pick<Profile, 'avatar'>, options?: CallOptions): Promise<Avatar | undefined>
}

export function createPeerProfile(profile: PersonProfile, files: Files): PeerProfile {
  return {
    get: profile.get,
    async set(change) {
      assertOptions(change, 'change', ['name', 'bio', 'avatar'])
      const { avatar, ...text } = change
      if (avatar === undefined) return profile.set(text)
      const before = profile.get().avatar
      if (avatar !== null) assertAvatar(avatar)
      const file = avatar && (await files.share(avatar.data, { name: 'avatar', type: avatar.type }))
      try {
        const set = await profile.set({ ...text, avatar: file && file.content })
        if (before !== undefined && fileContent.read(before) !== undefined) await files.open(before).forget()
        return set
      } catch (error) {
        // What was set is what there is; of what was not, nothing stays.
        const now = profile.get().avatar?.data
        if (file !== null && !(now && equalBytes(now, file.content.data))) await file.forget()
        throw error
      }
    }
  }
}

/** How the pictures of members are had, by this peer's files. */
export function avatarsIn(files: Files): RoomAvatars {
  return {
    async avatar({ avatar }, options = {}) {
      assertOptions(options, 'options', ['signal'])
      assertSignal(options.signal, 'options.signal')
      const offer = fileContent.read(avatar)
      const type = AVATAR_TYPES.find((one) => one === offer?.type)
      if (avatar === undefined || type === undefined || !offer?.size || offer.size > MAX_AVATAR_BYTES) return undefined
      const { signal } = options
      return { type, data: await files.open(avatar).bytes({ maxBytes: MAX_AVATAR_BYTES, ...(signal && { signal }) }) }
    }
  }
}

function assertAvatar(avatar: Avatar): void {
  assertOptions(avatar, 'change.avatar', ['type', 'data'])
  const { type, data } = avatar
  if (!AVATAR_TYPES.includes(type)) throw new TypeError(`change.avatar.type must be one of ${AVATAR_TYPES.join(', ')}`)
  assertBytes(data, 'change.avatar.data')
  if (data.length > 0 && data.length <= MAX_AVATAR_BYTES) return
  throw new TypeError(`change.avatar.data must be 1 to ${MAX_AVATAR_BYTES} bytes, it is ${data.length}`)
}
