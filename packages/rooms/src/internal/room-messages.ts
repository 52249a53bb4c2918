import {
  assertInteger,
  assertOptions,
  assertSignal,
  assertString,
  decodeZ32,
  encodeZ32,
  isCoveyError,
  raceSignal,
  throwIfAborted
} from '@covey/core'
import { RoomError } from '../errors.js'
import type { Message, MessagesOptions } from '../message.js'
import type { Room } from '../room.js'
import { HASH_BYTES } from './crypto.js'
import { encodeBody } from './message-body.js'
import type { OpLog } from './op-log.js'
import type { WhileOpen } from './open-room.js'
import { forbidden, type OwnRole } from './own-role.js'
import type { Reader } from './reader.js'
import type { Span, Timeline } from './timeline.js'
import type { MessageRow, RoomView } from './view.js'

export interface RoomMessagesInit {
  /** This device's writer core. */
  readonly writer: Uint8Array
  readonly view: RoomView
  readonly log: OpLog
  readonly reader: Reader
  readonly timeline: Timeline
  readonly ownRole: OwnRole
  readonly whileOpen: WhileOpen
}

export type RoomMessages = Pick<Room, 'send' | 'messages' | 'message' | 'settled'>

/** The messages of a room: sent, read, and waited for. */
export function createRoomMessages(init: RoomMessagesInit): RoomMessages {
  const { writer, view, log, reader, timeline, ownRole, whileOpen } = init

  /** Messages take their turn: each is handed to the log before the next, as it was sent. */
  let turn: Promise<unknown> = Promise.resolve()

  async function send(body: Uint8Array): Promise<Message> {
    const appended = turn.then(ownRole.demandVoice).then(() => {
      return { writing: log.append([{ type: 'message', body }], { underEpoch: true }) }
    })
    turn = appended.catch(() => undefined)
    const written = (await (await appended).writing)[0]!
    const message = written.isAccepted && (await reader.message({ ...written, writer, op: written.bytes }))
    if (!message) throw forbidden('The room did not take the message.', 'This member was muted or removed meanwhile.')
    return message
  }

  async function orderOf(id: string): Promise<number> {
    const row = await findMessage(id)
    if (row !== undefined) return row.order
    throw new RoomError('MESSAGE_NOT_FOUND', 'There is no message with this id in the room.', {
      hint: 'It may be of another room, or not have arrived here yet.'
    })
  }

  async function findMessage(id: string): Promise<MessageRow | undefined> {
    const bytes = decodeZ32(id, HASH_BYTES)
    return (bytes.ok && (await view.message(bytes.value))) || undefined
  }

  async function span({ since, before, limit, live }: MessagesOptions): Promise<Span> {
    const end = before === undefined ? await timeline.count() : await orderOf(before)
    const after = since === undefined ? undefined : (await orderOf(since)) + 1
    const from = after ?? Math.max(0, end - (limit ?? end))
    if (live === true) return { from, to: undefined }
    return { from, to: after === undefined || limit === undefined ? end : Math.min(end, after + limit) }
  }

  /** Begins only in an open room, and ends with it. */
  async function* iterate(options: MessagesOptions): AsyncGenerator<Message, void, undefined> {
    throwIfAborted(options.signal)
    let hasBegun = false
    try {
      const wanted = await whileOpen(() => {
        hasBegun = true
        return span(options)
      })
      for await (const row of timeline.rows(wanted, options.signal)) {
        const message = await whileOpen(() => reader.message(row))
        if (message !== undefined) yield message
      }
    } catch (error) {
      if (!hasBegun || !isCoveyError(error, 'ROOM_CLOSED')) throw error
    }
  }

  return {
    async send(content, options = {}) {
      assertOptions(options, 'options', ['signal'])
      const body = encodeBody(content)
      throwIfAborted(options.signal)
      return raceSignal(whileOpen(() => send(body)), options.signal)
    },
    messages(options = {}) {
      assertMessagesOptions(options)
      return { [Symbol.asyncIterator]: () => iterate(options) }
    },
    async message(id) {
      assertString(id, 'id')
      return whileOpen(async () => {
        const row = await findMessage(id)
        return row && reader.message(row)
      })
    },
    settled: () =>
      whileOpen(async () => {
        const count = await timeline.settled()
        const [last] = count === 0 ? [] : await view.messages(count - 1, count)
        return last && encodeZ32(last.id)
      })
  }
}

function assertMessagesOptions(options: MessagesOptions): void {
  assertOptions(options, 'options', ['since', 'before', 'limit', 'live', 'signal'])
  const { since, before, live } = options
  if (since !== undefined) assertString(since, 'options.since')
  if (before !== undefined) assertString(before, 'options.before')
  if (live !== undefined && typeof live !== 'boolean') throw new TypeError('options.live must be true or false')
  if (options.limit !== undefined) assertInteger(options.limit, 'options.limit', { min: 1 })
  assertSignal(options.signal, 'options.signal')
  if (live === true && before !== undefined) {
    throw new TypeError('options.live and options.before exclude each other')
  }
  if (live === true && since !== undefined && options.limit !== undefined) {
    throw new TypeError('options.limit cannot be given with options.live and options.since: there would be a gap')
  }
}
