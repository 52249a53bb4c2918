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
import type { Draft, OpLog } from './op-log.js'
import type { WhileOpen } from './open-room.js'
import { forbidden, type OwnRole } from './own-role.js'
import type { Made } from './outbox.js'
import type { PendingMessage, PendingMessages } from './pending-messages.js'
import type { Reader } from './reader.js'
import type { Span, Timeline, TimelineRow } from './timeline.js'
import type { RoomView } from './view.js'

export interface RoomMessagesInit {
  /** This device's writer core. */
  readonly writer: Uint8Array
  readonly view: RoomView
  readonly log: OpLog
  readonly reader: Reader
  readonly timeline: Timeline
  readonly pending: PendingMessages
  /** Called with each message that is durable and not in the log yet. */
  readonly onpost: (message: PendingMessage) => void
  readonly onerror: (error: unknown) => void
  readonly ownRole: OwnRole
  readonly whileOpen: WhileOpen
}

export type RoomMessages = Pick<Room, 'send' | 'messages' | 'message' | 'settled'>

/** The messages of a room: sent, read, and waited for. */
export function createRoomMessages(init: RoomMessagesInit): RoomMessages {
  const { writer, view, log, reader, timeline, pending, onpost, onerror, ownRole, whileOpen } = init

  /** Messages take their turn: each is handed to the log before the next, as it was sent. */
  let turn: Promise<unknown> = Promise.resolve()

  async function send(body: Uint8Array): Promise<Message> {
    const posting = turn.then(ownRole.demandVoice).then(() => ({ posted: post({ type: 'message', body }) }))
    turn = posting.catch(() => undefined)
    const row = await (await posting).posted
    const message = await reader.message(row)
    if (message === undefined) throw refused()
    return message
  }

  /** Resolves when the message is durable, which it mostly is before the log has it. */
  function post(draft: Draft): Promise<TimelineRow> {
    return new Promise((resolve, reject) => {
      let message: PendingMessage | undefined
      const ondurable = ([op]: readonly Made[]): void => {
        message = { id: op!.id, writer, op: op!.bytes }
        pending.addOwn(message)
        onpost(message)
        resolve({ ...message, isPending: true })
      }
      log.append([draft], { underEpoch: true, ondurable }).then(
        ([written]) => {
          if (message !== undefined) pending.settle(message.id, written!.isAccepted)
          else if (written!.isAccepted) resolve({ id: written!.id, writer, op: written!.bytes })
          else reject(refused())
        },
        (error: unknown) => {
          // Who sent it has been told that it is durable, and it is: it is written when the room can.
          if (message === undefined) return reject(error as Error)
          pending.settle(message.id, undefined)
          onerror(error)
        }
      )
    })
  }

  async function orderOf(id: string): Promise<number> {
    const bytes = decodeZ32(id, HASH_BYTES)
    if (bytes.ok) await pending.settled(bytes.value)
    const row = bytes.ok ? await view.message(bytes.value) : null
    if (row !== null) return row.order
    throw new RoomError('MESSAGE_NOT_FOUND', 'There is no message with this id in the room.', {
      hint: 'It may be of another room, or not have arrived here yet.'
    })
  }

  async function findMessage(id: string): Promise<TimelineRow | undefined> {
    const bytes = decodeZ32(id, HASH_BYTES)
    if (!bytes.ok) return undefined
    const row = await view.message(bytes.value)
    if (row !== null) return row
    const waiting = pending.get(bytes.value)
    return waiting && { ...waiting, isPending: true }
  }

  async function span({ since, before, limit, live, pending: withPending = true }: MessagesOptions): Promise<Span> {
    // What was sent is read.
    await log.settled()
    const end = before === undefined ? await timeline.count() : await orderOf(before)
    const after = since === undefined ? undefined : (await orderOf(since)) + 1
    const from = after ?? Math.max(0, end - (limit ?? end))
    if (live === true) return { from, to: undefined, isSentOnly: !withPending }
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

function refused(): RoomError {
  return forbidden('The room did not take the message.', 'This member was muted or removed meanwhile.')
}

function assertMessagesOptions(options: MessagesOptions): void {
  assertOptions(options, 'options', ['since', 'before', 'limit', 'live', 'pending', 'signal'])
  const { since, before, live, pending } = options
  if (since !== undefined) assertString(since, 'options.since')
  if (before !== undefined) assertString(before, 'options.before')
  if (live !== undefined && typeof live !== 'boolean') throw new TypeError('options.live must be true or false')
  if (pending !== undefined && typeof pending !== 'boolean') throw new TypeError('options.pending must be true or false')
  if (options.limit !== undefined) assertInteger(options.limit, 'options.limit', { min: 1 })
  assertSignal(options.signal, 'options.signal')
  if (live === true && before !== undefined) {
    throw new TypeError('options.live and options.before exclude each other')
  }
  if (live === true && since !== undefined && options.limit !== undefined) {
    throw new TypeError('options.limit cannot be given with options.live and options.since: there would be a gap')
  }
}
