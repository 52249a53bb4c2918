import Autobase from 'autobase'
import type Corestore from 'corestore'
import type ProtomuxWakeup from 'protomux-wakeup'
import {
  assertInteger,
  assertOptions,
  assertSignal,
  createEvents,
  decodeZ32,
  encodeUtf8,
  encodeZ32,
  onAbort,
  raceSignal,
  throwIfAborted
} from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { MAX_TEXT_BYTES } from '../constants.js'
import { RoomError } from '../errors.js'
import type { MessagesOptions } from '../message.js'
import type { Room, RoomEvents } from '../room.js'
import { applyOps, type Touched } from './apply.js'
import { HASH_BYTES } from './crypto.js'
import { leastRole } from './authority/rules.js'
import { createKeyring, HISTORY, type Keyring } from './keyring.js'
import { createModeration } from './moderation.js'
import { createOpLog, type OpLog } from './op-log.js'
import { createOwnRole, forbidden } from './own-role.js'
import { createReader } from './reader.js'
import { createRoomInvites } from './room-invites.js'
import { encodeStruct } from './structs.js'
import { createTimeline, type Span } from './timeline.js'
import { openView, type RoomView } from './view.js'

export interface OpenRoomInit {
  readonly corestore: Corestore
  readonly wakeup: ProtomuxWakeup
  readonly identity: LocalIdentity
  /** Where in the store the room's cores are; random, and of this device alone. */
  readonly namespace: Uint8Array
  /** The key of the room's first writer. Absent: this device founds the room. */
  readonly key?: Uint8Array
  /** K0, where it is not known on disk yet. */
  readonly encryptionKey?: Uint8Array
  /** The core to fast-forward to, from an invite. */
  readonly systemKey?: Uint8Array
}

/** A room, and what its own package does with it. */
export interface OpenRoom {
  readonly room: Room
  readonly base: Autobase<RoomView>
  readonly view: RoomView
  readonly log: OpLog
  readonly keyring: Keyring
  /** Whether this device may write. */
  isAdmitted(): Promise<boolean>
  /** Resolves when `check` does, which is asked now and after every change of the room. */
  until<Value>(check: () => Promise<Value | undefined>, signal?: AbortSignal): Promise<Value>
}

/** The namespace of a room's cores within the store that a peer has. */
export function roomStore(corestore: Corestore, namespace: Uint8Array): Corestore {
  return corestore.namespace(`covey/room/${encodeZ32(namespace)}`)
}

export async function openRoom(init: OpenRoomInit): Promise<OpenRoom> {
  const { corestore, wakeup, identity, namespace, key, encryptionKey, systemKey } = init
  const events = createEvents<RoomEvents>()
  const touched: Touched = { order: Infinity, people: false }

  const base = new Autobase<RoomView>(roomStore(corestore, namespace), key ?? null, {
    open: openView,
    apply: (nodes, view, host) => applyOps(nodes, view, host, touched),
    close: (view) => view.db.close(),
    encrypted: true,
    encryptionKey: encryptionKey ?? null,
    blindEncryption: sealedKey(identity),
    fastForward: systemKey === undefined ? true : { key: systemKey },
    wakeup
  })
  let broken: RoomError | undefined
  base.on('error', (cause) => {
    broken = new RoomError('ROOM_BROKEN', 'The log of the room cannot be read on.', {
      cause,
      hint: 'Close the peer and open it again; what was sent is safe.'
    })
    void events.emit('error', broken)
    void events.emit('update', undefined)
    timeline?.close(broken)
  })

  let timeline: ReturnType<typeof createTimeline> | undefined
  await base.ready()
  const discoveryKey = base.discoveryKey!
  const view = base.view
  const log = createOpLog(base, discoveryKey, Date.now)
  const keyring = createKeyring({ room: discoveryKey, writer: base.local.key, identity, view, log })
  const reader = createReader({ room: discoveryKey, identity, view, keyring })
  const messages = (timeline = createTimeline(view))

  base.on('fast-forward', () => {
    touched.people = true
    messages.changed(undefined)
  })
  base.on('update', () => {
    const { order, people } = touched
    Object.assign(touched, { order: Infinity, people: false })
    if (people) {
      keyring.changed()
      reader.changed()
    }
    if (order !== Infinity) messages.changed(order)
    void events.emit('update', undefined)
  })

  let closing: Promise<void> | undefined
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      messages.close()
      await base.close()
      await events.emit('close', undefined)
    })())

  function assertOpen(): void {
    if (broken !== undefined) throw broken
    if (closing !== undefined) throw closedError()
  }

  const ownRole = createOwnRole(view, identity.identity.publicKey)

  async function orderOf(id: string): Promise<number> {
    const row = await findMessage(id)
    if (row !== undefined) return row.order
    throw new RoomError('MESSAGE_NOT_FOUND', 'There is no message with this id in the room.', {
      hint: 'It may be of another room, or not have arrived here yet.'
    })
  }

  async function findMessage(id: string) {
    const bytes = decodeZ32(id, HASH_BYTES)
    return (bytes.ok && (await view.message(bytes.value))) || undefined
  }

  async function span({ since, before, limit, live }: MessagesOptions): Promise<Span> {
    const end = before === undefined ? await messages.count() : await orderOf(before)
    const after = since === undefined ? undefined : (await orderOf(since)) + 1
    const from = after ?? Math.max(0, end - (limit ?? end))
    if (live === true) return { from, to: undefined }
    return { from, to: after === undefined || limit === undefined ? end : Math.min(end, after + limit) }
  }

  async function* iterate(options: MessagesOptions) {
    throwIfAborted(options.signal)
    assertOpen()
    for await (const row of messages.rows(await span(options), options.signal)) {
      const message = await reader.message(row)
      if (message !== undefined) yield message
    }
  }

  const room: Room = {
    id: encodeZ32(discoveryKey),
    async info() {
      assertOpen()
      const row = await view.room()
      return {
        name: await reader.roomName(),
        createdAt: row?.createdAt ?? 0,
        history: row?.history === HISTORY.full ? 'full' : 'since-join',
        role: await ownRole.current()
      }
    },
    async members() {
      assertOpen()
      const members = await Promise.all((await view.all('members')).map(reader.member))
      return members.filter((member) => member !== undefined)
    },
    async send(text, options = {}) {
      assertOptions(options, 'options', ['signal'])
      const plain = encodeStruct('message-body', { text: sendable(text) })
      throwIfAborted(options.signal)
      assertOpen()
      const sending = (async () => {
        await ownRole.demand('member', 'send messages')
        const epoch = await keyring.current()
        const [id] = await log.append([{ type: 'message', body: { plain, epoch } }])
        const row = await view.message(id!)
        const message = row && (await reader.message(row))
        if (!message) throw forbidden('The room did not take the message.', 'This member is muted or was just removed.')
        return message
      })()
      return raceSignal(sending, options.signal)
    },
    messages(options = {}) {
      assertMessagesOptions(options)
      return { [Symbol.asyncIterator]: () => iterate(options) }
    },
    async message(id) {
      assertOpen()
      const row = await findMessage(id)
      return row && reader.message(row)
    },
    ...createRoomInvites({ base, view, log, ownRole, assertOpen }),
    ...createModeration({ view, log, keyring, ownRole, assertOpen }),
    async leave(options = {}) {
      assertOptions(options, 'options', ['signal'])
      throwIfAborted(options.signal)
      assertOpen()
      const role = await ownRole.demand(leastRole('leave'), 'leave')
      if (role === 'owner') throw forbidden('The owner may not leave the room.', 'Hand it to another member first.')
      await raceSignal(log.append([{ type: 'leave' }]), options.signal)
    },
    on: events.on.bind(events),
    once: events.once.bind(events),
    close,
    [Symbol.asyncDispose]: close
  }

  async function until<Value>(check: () => Promise<Value | undefined>, signal?: AbortSignal): Promise<Value> {
    let wake = (): void => undefined
    const stops = [
      events.on('update', () => wake()),
      events.on('close', () => wake()),
      onAbort(signal, () => wake())
    ]
    try {
      for (;;) {
        throwIfAborted(signal)
        assertOpen()
        const woken = new Promise<void>((resolve) => (wake = resolve))
        const value = await check()
        if (value !== undefined) return value
        await woken
      }
    } finally {
      for (const stop of stops) stop()
    }
  }

  async function isAdmitted(): Promise<boolean> {
    const device = await view.device(base.local.key)
    return base.writable && device !== null && !device.removed
  }

  return { room, base, view, log, keyring, isAdmitted, until }
}

/** K0 on disk: sealed for this device's identity, under the one label for such keys. */
function sealedKey(identity: LocalIdentity) {
  const label = 'covey/room/key/1'
  return {
    encrypt: async (key: Uint8Array) => ({ value: identity.seal(label, key), type: 1 }),
    decrypt: async ({ value }: { value: Uint8Array }) => ({ value: identity.unseal(label, value), rotated: false })
  }
}

function closedError(): RoomError {
  return new RoomError('ROOM_CLOSED', 'The room is closed.', { hint: 'Open the peer again.' })
}

function sendable(text: string): string {
  if (typeof text !== 'string') throw new TypeError(`text must be a string, got ${typeof text}`)
  if (text === '') {
    throw new RoomError('MESSAGE_EMPTY', 'There is no text to send.', { hint: 'Give it at least one character.' })
  }
  // By characters first, each of which takes a byte at least: counting bytes of a huge text is slow.
  if (text.length <= MAX_TEXT_BYTES) {
    if (!text.isWellFormed()) {
      throw new RoomError('MESSAGE_MALFORMED', 'The text has half of a surrogate pair in it.', {
        hint: 'It was cut in the middle of a character; text.toWellFormed() mends it.'
      })
    }
    if (encodeUtf8(text).length <= MAX_TEXT_BYTES) return text
  }
  throw new RoomError('MESSAGE_TOO_LARGE', `The text takes more than ${MAX_TEXT_BYTES} bytes as UTF-8.`, {
    hint: 'Send it as a file, or in parts.'
  })
}

function assertMessagesOptions(options: MessagesOptions): void {
  assertOptions(options, 'options', ['since', 'before', 'limit', 'live', 'signal'])
  if (options.limit !== undefined) assertInteger(options.limit, 'options.limit', { min: 1 })
  assertSignal(options.signal, 'options.signal')
  if (options.live === true && options.before !== undefined) {
    throw new TypeError('options.live and options.before exclude each other')
  }
}
