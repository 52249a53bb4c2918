import { encodeZ32, equalBytes } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import type { Message, MessageVersion } from '../message.js'
import type { Profile } from '../people.js'
import type { Member } from '../room.js'
import { roleOf } from '../roles.js'
import { NOTHING, type About } from './about-message.js'
import { pollContent } from '../contents/poll.js'
import { countReactions } from './count-reactions.js'
import { countVotes } from './count-votes.js'
import { open } from './crypto.js'
import type { EpochKeys } from './epoch-keys.js'
import { readBody, readEmoji, type ReadBody } from './message-body.js'
import { isAsDeclared, kindsOf } from './message-kinds.js'
import { decodeOp, isTalk, type Op } from './op.js'
import { readMirrors } from './mirror-setting.js'
import { bodyContext } from './op-log.js'
import { plain } from './people/own-profile.js'
import { readProfile } from './people/signed-profile.js'
import { profileVersion } from './people/tell-profile.js'
import { decodeStruct, type Structs } from './structs.js'
import type { TimelineRow } from './timeline.js'
import type { EditRow, MemberRow, MessageRow, ProfileRow, ReactionRow, RoomView } from './view.js'
import { mapKey } from './map-key.js'
import { readName } from './read-name.js'

/** Opens what the view holds sealed, for this device. */
export interface Reader {
  /** `undefined` for the message of a device whose admission turned out to be void. */
  message(row: TimelineRow, about?: About): Promise<Message | undefined>
  /** The versions of a message that are kept, oldest first. */
  versions(row: Pick<MessageRow, 'writer' | 'op'>, edits: readonly EditRow[]): Promise<MessageVersion[]>
  /** The emoji of a reaction, or `undefined` where there is none to read. */
  emoji(row: ReactionRow): Promise<string | undefined>
  /** `undefined` for a former member. */
  member(row: MemberRow): Promise<Member | undefined>
  /** What somebody has said last of themselves in this room, as it was signed, if it was. */
  signedProfile(person: Uint8Array): Promise<Uint8Array | undefined>
  roomName(): Promise<string>
  /** The links of the mirrors that the room names. */
  mirrors(): Promise<readonly string[]>
  /** What a device has said is about to be shown: who is behind it is looked up beside others. */
  expect(row: Said): void
  /** The id of the identity behind a writer, or `undefined` where its admission turned out to be void. */
  authorOf(writer: Uint8Array): Promise<string | undefined>
  /** The body of an op that `writer` wrote, or why there is none to read. */
  body(op: Uint8Array, writer: Uint8Array): Promise<Uint8Array | 'unreadable' | 'unknown'>
  /** To be called when members have changed. */
  changed(): void
}

export interface ReaderInit {
  readonly room: Uint8Array
  readonly identity: LocalIdentity
  readonly view: Pick<RoomView, 'meta' | 'room' | 'device' | 'profile'>
  readonly epochKeys: Pick<EpochKeys, 'messageKey' | 'stateKey'>
  /** Called with the id of an epoch whose key is needed and not there. */
  readonly onmissing: (epoch: Uint8Array) => void
  /** Whether what somebody has written, by the id of their identity, is not shown. */
  readonly isBlocked: (identity: string) => boolean
}

/** How many reactions are remembered: all of a few that are liked by everyone. */
const MAX_KNOWN_EMOJIS = 16_384

/** How many profiles are remembered: of all that a large room shows at a time. */
const MAX_KNOWN_PROFILES = 4_096

const NO_PROFILE: Profile = { name: '', bio: '' }

/** One that its person has signed, and of the version by which the room has judged it; or a name alone, which came first. */
function soundProfile({ name, signed }: Structs['profile-body'], { identity, op }: ProfileRow): Profile | undefined {
  const version = profileVersion(op)
  if (!signed) return version === 0 ? { name: readName(name), bio: '' } : undefined
  const profile = readProfile(signed, identity)
  return profile?.version === version ? plain(profile) : undefined
}

const BLOCKED: ReadBody = { kind: 'blocked', text: '', mentions: [], isForwarded: false }
const DELETED: ReadBody = { kind: 'deleted', text: '', mentions: [], isForwarded: false }

/** What its author says, who may say anything: but nothing was sent later than now. */
function sentAtOf(op: Op | undefined): number {
  return Math.min(op?.header.sentAt ?? 0, Date.now())
}

/** Who wrote something, as far as its row tells. */
type Said = Pick<TimelineRow, 'writer' | 'identity' | 'device'>

interface Author {
  readonly id: string
  readonly name: string
  readonly device: string
}

export function createReader({ room, identity, view, epochKeys, onmissing, isBlocked }: ReaderInit): Reader {
  const self = identity.identity.id
  let authors = new Map<string, Promise<Author | undefined>>()
  let anyVoid: Promise<boolean> | undefined

  function openBody(bytes: Uint8Array, writer: Uint8Array): Promise<Uint8Array | 'unreadable' | 'unknown'> {
    return openBodyOf(decodeOp(bytes), writer)
  }

  async function openBodyOf(op: Op | undefined, writer: Uint8Array): Promise<Uint8Array | 'unreadable' | 'unknown'> {
    if (op === undefined || !op.header.epoch) return 'unknown'
    const key = await (isTalk(op.header.type) ? epochKeys.messageKey(op.header.epoch) : epochKeys.stateKey(op.header.epoch))
    if (key === undefined) {
      onmissing(op.header.epoch)
      return 'unreadable'
    }
    // Sealed under the right key, but not as a member's software would: nothing to wait for.
    return open(op.sealed, bodyContext(room, writer, op.clear), key) ?? 'unknown'
  }

  /** What an op says, if it has nothing in it that it does not declare: by that it was allowed. */
  async function said(op: Op | undefined, writer: Uint8Array): Promise<ReadBody> {
    const body = readBody(await openBodyOf(op, writer))
    return op === undefined || isAsDeclared(op, kindsOf(body)) ? body : readBody('unknown')
  }

  function author(said: Said): Promise<Author | undefined> {
    const key = mapKey(said.writer)
    const known = authors.get(key)
    if (known !== undefined) return known
    const finding = findAuthor(said)
    authors.set(key, finding)
    finding.catch(() => authors.delete(key))
    return finding
  }

  async function findAuthor({ writer, identity, device }: Said): Promise<Author | undefined> {
    const by = identity && device && !(await isAnyVoid()) ? { identity, device } : await view.device(writer)
    if (by === null) return undefined
    const { name } = await profileOf(by.identity)
    return { id: encodeZ32(by.identity), name, device: encodeZ32(by.device) }
  }

  /** Whether an admission of this room has turned out to be void: then a message may be of somebody who never was in it. */
  function isAnyVoid(): Promise<boolean> {
    if (anyVoid !== undefined) return anyVoid
    const finding = view.meta().then(({ voided }) => (voided ?? 0) > 0)
    anyVoid = finding
    finding.catch(() => finding === anyVoid && (anyVoid = undefined))
    return finding
  }

  async function profileBody(row: ProfileRow): Promise<Structs['profile-body'] | undefined> {
    const body = await openBody(row.op, row.writer)
    return typeof body === 'string' ? undefined : decodeStruct('profile-body', body)
  }

  /** Verified once: a room shows all of its members at a time. */
  const profiles = new Map<string, { readonly op: Uint8Array; readonly profile: Profile }>()

  async function profileOf(person: Uint8Array): Promise<Profile> {
    const row = await view.profile(person)
    if (row === null) return NO_PROFILE
    const known = profiles.get(mapKey(person))
    if (known !== undefined && equalBytes(known.op, row.op)) return known.profile
    const body = await profileBody(row)
    if (body === undefined) return NO_PROFILE
    const profile = soundProfile(body, row) ?? NO_PROFILE
    if (profiles.size >= MAX_KNOWN_PROFILES) profiles.clear()
    profiles.set(mapKey(person), { op: row.op, profile })
    return profile
  }

  /** Opened once: a message may have thousands, and is shown again with each. */
  const emojis = new Map<string, string>()

  async function emoji({ id, op, writer }: ReactionRow): Promise<string | undefined> {
    const name = mapKey(id)
    const known = emojis.get(name)
    if (known !== undefined) return known
    const body = await openBody(op, writer)
    const found = typeof body === 'string' ? undefined : readEmoji(body)
    if (found === undefined) return undefined
    if (emojis.size >= MAX_KNOWN_EMOJIS) emojis.clear()
    emojis.set(name, found)
    return found
  }

  return {
    async message({ id, op: bytes, isPending, ...row }, { state, edit, reactions, votes } = NOTHING) {
      const { writer } = row
      const from = await author(row)
      if (from === undefined) return undefined
      const op = decodeOp(bytes)
      const edited = edit === null ? undefined : decodeOp(edit.op)
      const deletedBy = state?.deletedBy && (await author({ writer: state.deletedBy }))
      const hidden = state?.deletedBy ? DELETED : isBlocked(from.id) ? BLOCKED : undefined
      const first = hidden ?? (await said(op, writer))
      const now = edit === null || hidden ? first : await said(edited, edit.writer)
      const { kind, text, content, mentions } = now
      // What was asked first, whatever it has been edited to: that is what the votes are for.
      const asked = pollContent.read(first.content)
      const poll = asked && (await countVotes(asked, state, votes, self, (vote) => openBody(vote.op, vote.writer)))
      // What a message answers, and that it was passed on, no edit changes.
      const { replyTo, isForwarded } = first
      // Who sends into a thread names what it begins with.
      const thread = isPending ? op?.header.target : row.thread
      return {
        id: encodeZ32(id),
        author: from.id,
        authorName: from.name,
        device: from.device,
        kind,
        text,
        ...(content && { content }),
        mentions,
        ...(replyTo !== undefined && { replyTo }),
        isForwarded,
        ...(thread && { thread: encodeZ32(thread) }),
        sentAt: sentAtOf(op),
        isOwn: from.id === self,
        state: isPending ? 'pending' : 'sent',
        edits: state?.edits ?? 0,
        ...(edit !== null && { editedAt: sentAtOf(edited) }),
        reactions: await countReactions(reactions, self, emoji),
        ...(poll && { poll }),
        replies: state?.replies ?? 0,
        isPinned: state?.pinned === true,
        ...(deletedBy && { deletedBy: deletedBy.id })
      }
    },
    async versions(row, edits) {
      const versions: MessageVersion[] = []
      const by = await author(row)
      if (by !== undefined && isBlocked(by.id)) return []
      for (const { op: bytes, writer } of [row, ...edits]) {
        const op = decodeOp(bytes)
        const { kind, text, content, mentions } = await said(op, writer)
        versions.push({ kind, text, ...(content && { content }), mentions, sentAt: sentAtOf(op) })
      }
      return versions
    },
    emoji,
    async member({ identity: person, role: number, joinedAt, muted }) {
      const role = roleOf(number)
      if (role === undefined) return undefined
      const id = encodeZ32(person)
      return { id, ...(await profileOf(person)), role, joinedAt, isMuted: muted === true, isSelf: id === self }
    },
    async signedProfile(person) {
      const row = await view.profile(person)
      return (row && (await profileBody(row))?.signed) || undefined
    },
    async roomName() {
      const { settings, settingsWriter } = (await view.room()) ?? {}
      if (!settings || !settingsWriter) return ''
      const body = await openBody(settings, settingsWriter)
      return readName((typeof body === 'string' ? undefined : decodeStruct('settings-body', body))?.name)
    },
    async mirrors() {
      const { mirrors, mirrorsWriter } = (await view.room()) ?? {}
      const body = mirrors && mirrorsWriter ? await openBody(mirrors, mirrorsWriter) : 'unknown'
      return typeof body === 'string' ? [] : readMirrors(body)
    },
    expect: (row) => void author(row),
    authorOf: async (writer) => (await author({ writer }))?.id,
    body: openBody,
    changed() {
      authors = new Map()
      anyVoid = undefined
    }
  }
}
