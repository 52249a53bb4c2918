import { assertOptions, assertSignal, assertString, raceSignal, throwIfAborted } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import type Hypercore from 'hypercore'
import type { Message } from '../message.js'
import type { Room } from '../room.js'
import type { MessageFinder } from './find-message.js'
import type { WhileOpen } from './open-room.js'
import type { Reader } from './reader.js'
import { decodeStruct, encodeStruct } from './structs.js'
import { createTurnTaker } from './take-turns.js'
import type { MessageRow, RoomView } from './view.js'

export interface ReadMarksInit {
  /** This device's own, with whose storage the mark is kept. */
  readonly core: Hypercore<unknown>
  readonly identity: LocalIdentity
  readonly view: RoomView
  readonly finder: MessageFinder
  readonly reader: Reader
  readonly whileOpen: WhileOpen
  /** Called with the message that the mark has moved to. */
  readonly onmarked: (message: Uint8Array) => void
}

/** How many messages are counted: a display says "999+" of more, and each has to be opened. */
const MAX_UNREAD = 1_000

const PAGE_ROWS = 64
const LABEL = 'covey/room/read-mark/1'

/** How far this device's person has read: kept on this device, sealed. Who else is told of it is the matter of `onmarked`. */
export function createReadMarks(init: ReadMarksInit): Pick<Room, 'markRead' | 'unread'> {
  const { core, identity, view, finder, reader, whileOpen, onmarked } = init
  const takeTurns = createTurnTaker()

  /** The order of the first message that is not read. */
  async function firstUnread(): Promise<number> {
    const sealed = await core.getUserData(LABEL)
    const mark = sealed === null ? undefined : decodeStruct('read-mark', identity.unseal(LABEL, sealed))
    if (mark === undefined) return 0
    const row = await view.message(mark.message)
    // One that has left the room: whatever came before it was read.
    return row === null ? mark.order : row.order + 1
  }

  async function mark({ id: message, order }: MessageRow): Promise<void> {
    if (order < (await firstUnread())) return
    await core.setUserData(LABEL, identity.seal(LABEL, encodeStruct('read-mark', { message, order })))
    onmarked(message)
  }

  async function lastMessage(): Promise<MessageRow | undefined> {
    const { messages } = await view.meta()
    return (await view.messages(Math.max(0, messages - 1), Infinity)).at(-1)
  }

  async function* messagesFrom(from: number): AsyncGenerator<Message> {
    for (let start = from; ; start += PAGE_ROWS) {
      const rows = await view.messages(start, start + PAGE_ROWS)
      for (const row of rows) {
        const state = await view.messageState(row.order)
        const edit = state !== null && state.edits > 0 ? await view.lastEdit(row.order) : null
        const message = await reader.message(row, { state, edit, reactions: [], votes: [] })
        if (message !== undefined) yield message
      }
      if (rows.length < PAGE_ROWS) return
    }
  }

  return {
    async markRead(id, options = {}) {
      if (id !== undefined) assertString(id, 'id')
      assertOptions(options, 'options', ['signal'])
      assertSignal(options.signal, 'options.signal')
      throwIfAborted(options.signal)
      const work = async (): Promise<void> => {
        const row = id === undefined ? await lastMessage() : await finder.demand(id)
        if (row !== undefined) await mark(row)
      }
      await raceSignal(
        whileOpen(() => takeTurns('mark', work)),
        options.signal
      )
    },
    unread: () =>
      whileOpen(async () => {
        const self = identity.identity.id
        const { messages: end } = await view.meta()
        let [count, mentions] = [0, 0]
        let first: string | undefined
        for await (const message of messagesFrom(Math.max(await firstUnread(), end - MAX_UNREAD))) {
          if (message.isOwn || message.kind === 'deleted' || message.kind === 'blocked') continue
          count++
          first ??= message.id
          if (message.mentions.some(({ member }) => member === self)) mentions++
        }
        return { count, mentions, ...(first !== undefined && { first }) }
      })
  }
}
