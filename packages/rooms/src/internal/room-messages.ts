import {
  assertInteger,
  assertOptions,
  assertSignal,
  assertString,
  encodeZ32,
  isCoveyError,
  raceSignal,
  throwIfAborted,
  type Content
} from '@covey/core'
import type { RoomError } from '../errors.js'
import type { Message, MessagesOptions, SendOptions } from '../message.js'
import type { Room } from '../room.js'
import { aboutMessage } from './about-message.js'
import { notFound, type MessageFinder } from './find-message.js'
import { encodeBody } from './message-body.js'
import type { Draft, OpLog } from './op-log.js'
import type { WhileOpen } from './open-room.js'
import { forbidden, type OwnRole } from './own-role.js'
import type { OwnVoice } from './own-voice.js'
import type { Made } from './outbox.js'
import type { PendingMessage, PendingMessages } from './pending-messages.js'
import type { Reader } from './reader.js'
import { threadRows } from './thread-rows.js'
import type { Span, Timeline, TimelineRow } from './timeline.js'
import type { MessageRow, RoomView } from './view.js'

export interface RoomMessagesInit {
  /** This device's writer core. */
  readonly writer: Uint8Array
  readonly view: RoomView
  readonly log: OpLog
  readonly reader: Reader
  readonly timeline: Timeline
  readonly pending: PendingMessages
  readonly finder: MessageFinder
  /** Called with each message that is durable and not in the log yet. */
  readonly onpost: (message: PendingMessage) => void
  readonly onerror: (error: unknown) => void
  readonly ownRole: OwnRole
  readonly ownVoice: OwnVoice
  readonly whileOpen: WhileOpen
}

export type RoomMessages = Pick<Room, 'send' | 'forward' | 'messages' | 'message' | 'settled'>

/** The messages of a room: sent, read, and waited for. */
export function createRoomMessages(init: RoomMessagesInit): RoomMessages {
  const { writer, view, log, finder, reader, timeline, pending, onpost, onerror, ownRole, ownVoice, whileOpen } = init

  /** Messages take their turn: each is handed to the log before the next, as it was sent. */
  let turn: Promise<unknown> = Promise.resolve()

  async function send(content: string | Content, draft: () => Promise<Omit<Draft, 'type'>>): Promise<Message> {
    const posting = turn.then(async () => {
      await ownRole.demandVoice()
      const isPaced = await ownVoice.demandPace()
      const payload = await ownVoice.declare(content)
      const drafted = await draft()
      return { target: drafted.target, isPaced, posted: post({ type: 'message', ...(payload && { payload }), ...drafted }) }
    })
    // Where there is a pace, what is on its way counts as soon as it is durable.
    turn = posting.then(({ isPaced, posted }) => (isPaced ? posted : undefined)).catch(() => undefined)
    const { target, posted } = await posting
    const message = await reader.message({ thread: target ?? null, ...(await posted) })
    if (message === undefined) throw refused()
    return message
  }

  /** Resolves when the message is durable, which it mostly is before the log has it. */
  function post(draft: Draft): Promise<TimelineRow> {
    return new Promise((resolve, reject) => {
      /** As it is shown. */
      let message: PendingMessage | undefined
      let isDurable = false
      const settle = (isAccepted: boolean | undefined): void => {
        if (message !== undefined) pending.settle(message.id, isAccepted)
      }
      const onmade = ([op]: readonly Made[]): void => {
        settle(false)
        message = { id: op!.id, writer, op: op!.bytes }
        pending.addOwn(message)
      }
      const ondurable = (): void => {
        isDurable = true
        onpost(message!)
        resolve({ ...message!, isPending: true })
      }
      log.append([draft], { underEpoch: true, onmade, ondurable }).then(
        ([written]) => {
          settle(written!.isAccepted)
          if (isDurable) return
          if (written!.isAccepted) resolve({ id: written!.id, writer, op: written!.bytes })
          else reject(refused())
        },
        (error: unknown) => {
          settle(isDurable ? undefined : false)
          if (!isDurable) return reject(error as Error)
          // Who sent it has been told that it is durable, and it is: it is written when the room can.
          onerror(error)
        }
      )
    })
  }

  async function orderOf(id: string): Promise<number> {
    return (await finder.demand(id)).order
  }

  async function shown(row: TimelineRow): Promise<Message | undefined> {
    return reader.message(row, await aboutMessage(view, row))
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

  async function rowsOf({ thread, ...options }: MessagesOptions): Promise<AsyncIterable<TimelineRow>> {
    if (thread !== undefined) return threadRows(view, finder, timeline, { thread, ...options })
    return timeline.rows(await span(options), options.signal)
  }

  /** Begins only in an open room, and ends with it. */
  async function* iterate(options: MessagesOptions): AsyncGenerator<Message, void, undefined> {
    throwIfAborted(options.signal)
    let hasBegun = false
    try {
      const rows = await whileOpen(() => {
        hasBegun = true
        return rowsOf(options)
      })
      for await (const row of rows) {
        const message = await whileOpen(() => shown(row))
        if (message !== undefined) yield message
      }
    } catch (error) {
      if (!hasBegun || !isCoveyError(error, 'ROOM_CLOSED')) throw error
    }
  }

  return {
    async send(content, options = {}) {
      assertSendOptions(options)
      const { replyTo, thread, mentions, signal } = options
      // All but the message that it answers is looked at now.
      const body = encodeBody(content, { mentions })
      throwIfAborted(signal)
      const draft = async (): Promise<Omit<Draft, 'type'>> => {
        const target = thread !== undefined && { target: threadOf(await finder.demand(thread)) }
        if (replyTo === undefined) return { ...target, body }
        const answered = await finder.find(replyTo)
        if (answered === undefined) throw notFound()
        return { ...target, body: encodeBody(content, { mentions, replyTo: answered.id }) }
      }
      const sending = whileOpen(async () => {
        // Before its turn: what is shown may never be written, and what is sent meanwhile does not wait for it.
        if (thread !== undefined && finder.isPending(thread)) await finder.demand(thread)
        return send(content, draft)
      })
      return raceSignal(sending, signal)
    },
    async forward(message, options = {}) {
      assertOptions(options, 'options', ['signal'])
      const { kind, text, content } = message
      if (kind !== 'text' && kind !== 'content') throw new TypeError(`message must have something to pass on, it is ${kind}`)
      const said = content ?? text
      const body = encodeBody(said, { isForwarded: true })
      throwIfAborted(options.signal)
      return raceSignal(whileOpen(() => send(said, async () => ({ body }))), options.signal)
    },
    messages(options = {}) {
      assertMessagesOptions(options)
      return { [Symbol.asyncIterator]: () => iterate(options) }
    },
    async message(id) {
      assertString(id, 'id')
      return whileOpen(async () => {
        const row = await finder.find(id)
        return row && shown(row)
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

/** The id of what the thread begins with that a message is in, or begins. */
function threadOf({ id, thread }: MessageRow): Uint8Array {
  return thread ?? id
}

function assertSendOptions(options: SendOptions): void {
  assertOptions(options, 'options', ['replyTo', 'thread', 'mentions', 'signal'])
  if (options.replyTo !== undefined) assertString(options.replyTo, 'options.replyTo')
  if (options.thread !== undefined) assertString(options.thread, 'options.thread')
  assertSignal(options.signal, 'options.signal')
}

export function assertMessagesOptions(options: MessagesOptions): void {
  assertOptions(options, 'options', ['since', 'before', 'limit', 'thread', 'live', 'pending', 'signal'])
  const { since, before, thread, live, pending } = options
  if (thread !== undefined) assertString(thread, 'options.thread')
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
