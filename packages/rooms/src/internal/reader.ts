import { encodeZ32 } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import type { Message } from '../message.js'
import type { Member } from '../room.js'
import { roleOf } from '../roles.js'
import { open } from './crypto.js'
import type { EpochKeys } from './epoch-keys.js'
import { readBody } from './message-body.js'
import { decodeOp, OpType } from './op.js'
import { bodyContext } from './op-log.js'
import { decodeStruct } from './structs.js'
import type { TimelineRow } from './timeline.js'
import type { MemberRow, RoomView } from './view.js'
import { mapKey } from './map-key.js'
import { readName } from './read-name.js'

/** Opens what the view holds sealed, for this device. */
export interface Reader {
  /** `undefined` for the message of a device whose admission turned out to be void. */
  message(row: TimelineRow): Promise<Message | undefined>
  /** `undefined` for a former member. */
  member(row: MemberRow): Promise<Member | undefined>
  roomName(): Promise<string>
  /** The body of an op that `writer` wrote, or why there is none to read. */
  body(op: Uint8Array, writer: Uint8Array): Promise<Uint8Array | 'unreadable' | 'unknown'>
  /** To be called when members have changed. */
  changed(): void
}

export interface ReaderInit {
  readonly room: Uint8Array
  readonly identity: LocalIdentity
  readonly view: RoomView
  readonly epochKeys: EpochKeys
  /** Called with the id of an epoch whose key is needed and not there. */
  readonly onmissing: (epoch: Uint8Array) => void
}

interface Author {
  readonly id: string
  readonly name: string
  readonly device: string
}

export function createReader({ room, identity, view, epochKeys, onmissing }: ReaderInit): Reader {
  const self = identity.identity.id
  let authors = new Map<string, Promise<Author | undefined>>()

  async function openBody(bytes: Uint8Array, writer: Uint8Array): Promise<Uint8Array | 'unreadable' | 'unknown'> {
    const op = decodeOp(bytes)
    if (op === undefined || !op.header.epoch) return 'unknown'
    const isMessage = op.header.type === OpType.message
    const key = await (isMessage ? epochKeys.messageKey(op.header.epoch) : epochKeys.stateKey(op.header.epoch))
    if (key === undefined) {
      onmissing(op.header.epoch)
      return 'unreadable'
    }
    // Sealed under the right key, but not as a member's software would: nothing to wait for.
    return open(op.sealed, bodyContext(room, writer, op.clear), key) ?? 'unknown'
  }

  async function openName(
    kind: 'profile-body' | 'settings-body',
    bytes: Uint8Array | null | undefined,
    writer: Uint8Array | null | undefined
  ): Promise<string> {
    if (!bytes || !writer) return ''
    const body = await openBody(bytes, writer)
    return readName((typeof body === 'string' ? undefined : decodeStruct(kind, body))?.name)
  }

  function author(writer: Uint8Array): Promise<Author | undefined> {
    const key = mapKey(writer)
    const known = authors.get(key)
    if (known !== undefined) return known
    const finding = findAuthor(writer)
    authors.set(key, finding)
    finding.catch(() => authors.delete(key))
    return finding
  }

  async function findAuthor(writer: Uint8Array): Promise<Author | undefined> {
    const device = await view.device(writer)
    if (device === null) return undefined
    const name = await profileName(device.identity)
    return { id: encodeZ32(device.identity), name, device: encodeZ32(device.device) }
  }

  async function profileName(person: Uint8Array): Promise<string> {
    const profile = await view.profile(person)
    return openName('profile-body', profile?.op, profile?.writer)
  }

  return {
    async message({ id, writer, op, isPending }) {
      const from = await author(writer)
      if (from === undefined) return undefined
      const body = await openBody(op, writer)
      const said = typeof body === 'string' ? ({ kind: body, text: '' } as const) : readBody(body)
      return {
        id: encodeZ32(id),
        author: from.id,
        authorName: from.name,
        device: from.device,
        ...said,
        // What its author says, who may say anything: but nothing was sent later than now.
        sentAt: Math.min(decodeOp(op)?.header.sentAt ?? 0, Date.now()),
        isOwn: from.id === self,
        state: isPending === true ? 'pending' : 'sent'
      }
    },
    async member({ identity: person, role: number, joinedAt, muted }) {
      const role = roleOf(number)
      if (role === undefined) return undefined
      const id = encodeZ32(person)
      return { id, name: await profileName(person), role, joinedAt, isMuted: muted === true, isSelf: id === self }
    },
    async roomName() {
      const row = await view.room()
      return openName('settings-body', row?.settings, row?.settingsWriter)
    },
    body: openBody,
    changed() {
      authors = new Map()
    }
  }
}
