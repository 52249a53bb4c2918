import { encodeZ32 } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import type { Message } from '../message.js'
import type { Member } from '../room.js'
import { roleOf } from '../roles.js'
import { open } from './crypto.js'
import type { Keyring } from './keyring.js'
import { decodeOp } from './op.js'
import { bodyContext } from './op-log.js'
import { decodeStruct } from './structs.js'
import type { MemberRow, MessageRow, RoomView } from './view.js'

/** Opens what the view holds sealed, for this device. */
export interface Reader {
  message(row: MessageRow): Promise<Message>
  member(row: MemberRow): Promise<Member>
  roomName(): Promise<string>
  /** To be called when members have changed. */
  changed(): void
}

export interface ReaderInit {
  readonly room: Uint8Array
  readonly identity: LocalIdentity
  readonly view: RoomView
  readonly keyring: Keyring
}

interface Author {
  readonly id: string
  readonly name: string
  readonly device: string
}

export function createReader({ room, identity, view, keyring }: ReaderInit): Reader {
  const self = identity.identity.id
  let authors = new Map<string, Promise<Author>>()

  /** The body of an op that `writer` wrote, or why there is none to read. */
  async function openBody(bytes: Uint8Array, writer: Uint8Array): Promise<Uint8Array | 'unreadable' | 'unknown'> {
    const op = decodeOp(bytes)
    if (op === undefined || !op.header.epoch) return 'unknown'
    const key = await keyring.key(op.header.epoch)
    if (key === undefined) return 'unreadable'
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
    return (typeof body === 'string' ? undefined : decodeStruct(kind, body))?.name ?? ''
  }

  function author(writer: Uint8Array): Promise<Author> {
    const key = String(writer)
    const known = authors.get(key)
    if (known !== undefined) return known
    const finding = findAuthor(writer)
    authors.set(key, finding)
    finding.catch(() => authors.delete(key))
    return finding
  }

  async function findAuthor(writer: Uint8Array): Promise<Author> {
    const device = await view.device(writer)
    const member = device && (await view.member(device.identity))
    return {
      id: device ? encodeZ32(device.identity) : '',
      name: await openName('profile-body', member?.profile, member?.profileWriter),
      device: device ? encodeZ32(device.device) : ''
    }
  }

  return {
    async message({ id, writer, op }) {
      const { id: authorId, name, device } = await author(writer)
      const body = await openBody(op, writer)
      const content = typeof body === 'string' ? undefined : decodeStruct('message-body', body)
      const text = content?.content ? undefined : content?.text
      return {
        id: encodeZ32(id),
        author: authorId,
        authorName: name,
        device,
        kind: typeof text === 'string' ? 'text' : body === 'unreadable' ? 'unreadable' : 'unknown',
        text: text ?? '',
        sentAt: decodeOp(op)?.header.sentAt ?? 0,
        isOwn: authorId === self
      }
    },
    async member({ identity: key, role, joinedAt, profile, profileWriter }) {
      const id = encodeZ32(key)
      const name = await openName('profile-body', profile, profileWriter)
      return { id, name, role: roleOf(role) ?? 'reader', joinedAt, isSelf: id === self }
    },
    async roomName() {
      const row = await view.room()
      return openName('settings-body', row?.settings, row?.settingsWriter)
    },
    changed() {
      authors = new Map()
    }
  }
}
