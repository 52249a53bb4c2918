import { assertOptions, assertSignal, assertString, equalBytes, raceSignal, throwIfAborted } from '@covey/core'
import { RoomError } from '../errors.js'
import type { Message, PollResult } from '../message.js'
import type { Role } from '../roles.js'
import type { CallOptions, Room } from '../room.js'
import { aboutMessage } from './about-message.js'
import { MAX_PINS, MAX_REACTIONS, MAX_REACTIONS_BY_ONE } from './apply/messages.js'
import { areChoices } from './count-votes.js'
import type { MessageFinder } from './find-message.js'
import { encodeBody, encodeEmoji } from './message-body.js'
import type { Draft, OpLog } from './op-log.js'
import type { WhileOpen } from './open-room.js'
import { forbidden, type OwnRole } from './own-role.js'
import type { OwnVoice } from './own-voice.js'
import type { Reader } from './reader.js'
import { encodeStruct } from './structs.js'
import { createTurnTaker } from './take-turns.js'
import type { MessageRow, MessageStateRow, ReactionRow, RoomView } from './view.js'

export interface MessageChangesInit {
  /** The key of this device's identity. */
  readonly self: Uint8Array
  readonly view: RoomView
  readonly finder: MessageFinder
  readonly log: OpLog
  readonly reader: Reader
  readonly ownRole: OwnRole
  readonly ownVoice: OwnVoice
  readonly whileOpen: WhileOpen
}

export type MessageChanges = Pick<Room, 'edit' | 'edits' | 'delete' | 'react' | 'unreact' | 'vote' | 'closePoll' | 'pin' | 'unpin' | 'pins'>

/** What members do to messages that are there. */
export function createMessageChanges(init: MessageChangesInit): MessageChanges {
  const { self, view, finder, log, reader, ownRole, ownVoice, whileOpen } = init
  /** Of one message each is done before the next looks, so that a reaction can be taken back at once. */
  const takeTurns = createTurnTaker()

  /** @param drafts what is to be written, of which there may be nothing. */
  async function change(
    id: string,
    { signal }: CallOptions,
    drafts: (row: MessageRow, state: MessageStateRow | null) => Promise<readonly Draft[]>
  ): Promise<void> {
    assertString(id, 'id')
    assertSignal(signal, 'options.signal')
    throwIfAborted(signal)
    const work = async (): Promise<void> => {
      const { row, state } = await demandLeft(id)
      const wanted = await drafts(row, state)
      const written = await log.append(wanted, { underEpoch: wanted.some(({ body }) => body !== undefined) })
      if (written.every(({ isAccepted }) => isAccepted)) return
      // Somebody may have deleted it meanwhile.
      await demandLeft(id)
      throw forbidden('The room did not take it.', 'Somebody changed roles meanwhile.')
    }
    await raceSignal(whileOpen(() => takeTurns(id, work)), signal)
  }

  /** @throws {RoomError} MESSAGE_NOT_FOUND, MESSAGE_DELETED */
  async function demandLeft(id: string): Promise<{ row: MessageRow; state: MessageStateRow | null }> {
    const row = await finder.demand(id)
    const state = await view.messageState(row.order)
    if (!state?.deletedBy) return { row, state }
    throw new RoomError('MESSAGE_DELETED', 'The message was deleted.', { hint: 'Nothing more becomes of it.' })
  }

  async function isOwn({ writer }: MessageRow): Promise<boolean> {
    const author = await view.device(writer)
    return author !== null && equalBytes(author.identity, self)
  }

  async function ownReactions({ order }: MessageRow, emoji: string): Promise<{ all: ReactionRow[]; same: ReactionRow[] }> {
    const all = await view.reactionsBy(order, self)
    const emojis = await Promise.all(all.map(reader.emoji))
    return { all, same: all.filter((_, i) => emojis[i] === emoji) }
  }

  async function shown(row: MessageRow): Promise<Message | undefined> {
    return reader.message(row, await aboutMessage(view, row))
  }

  async function openPoll(row: MessageRow, state: MessageStateRow | null): Promise<PollResult> {
    const poll = (await reader.message(row))?.poll
    if (poll === undefined) throw new RoomError('POLL_NOT_FOUND', 'The message is no poll.', { hint: 'Send one as pollContent.create(…).' })
    if (state?.closed) throw new RoomError('POLL_CLOSED', 'The poll has ended.', { hint: 'What was voted stands.' })
    return poll
  }

  function setPinned(pinned: boolean) {
    return async (id: string, options: CallOptions = {}): Promise<void> => {
      assertOptions(options, 'options', ['signal'])
      await change(id, options, async ({ id: target }, state) => {
        await ownRole.demandVoice('moderator', pinned ? 'pin messages' : 'unpin messages')
        if ((state?.pinned === true) === pinned) return []
        if (pinned && (await view.all('pins')).length >= MAX_PINS) {
          throw new RoomError('TOO_MANY_PINS', `A room has at most ${MAX_PINS} pins.`, { hint: 'Unpin another message first.' })
        }
        return [{ type: pinned ? 'pin' : 'unpin', target }]
      })
    }
  }

  return {
    async edit(id, content, options = {}) {
      assertOptions(options, 'options', ['mentions', 'signal'])
      const body = encodeBody(content, { mentions: options.mentions })
      await change(id, options, async (row) => {
        await ownRole.demandVoice('member', 'edit messages')
        if (!(await isOwn(row))) throw forbidden('Only its author edits a message.', 'Reply to it.')
        const payload = await ownVoice.declare(content)
        return [{ type: 'edit', target: row.id, body, ...(payload && { payload }) }]
      })
      return whileOpen(async () => (await shown(await finder.demand(id)))!)
    },
    async edits(id) {
      assertString(id, 'id')
      return whileOpen(async () => {
        const row = await finder.demand(id)
        if ((await view.messageState(row.order))?.deletedBy) return []
        return reader.versions(row, await view.edits(row.order))
      })
    },
    async delete(id, options = {}) {
      assertOptions(options, 'options', ['signal'])
      await change(id, options, async (row) => {
        const least: Role = (await isOwn(row)) ? 'reader' : 'moderator'
        await ownRole.demand(least, 'delete messages of others')
        return [{ type: 'delete', target: row.id }]
      })
    },
    async react(id, emoji, options = {}) {
      assertOptions(options, 'options', ['signal'])
      const body = encodeEmoji(emoji)
      await change(id, options, async (row, state) => {
        await ownRole.demandVoice('member', 'react')
        const { all, same } = await ownReactions(row, emoji)
        if (same.length > 0) return []
        if (all.length >= MAX_REACTIONS_BY_ONE || (state?.reactions ?? 0) >= MAX_REACTIONS) {
          throw new RoomError('TOO_MANY_REACTIONS', 'The message has as many reactions as it may have.', {
            hint: `Of one person there are at most ${MAX_REACTIONS_BY_ONE}; take one back first.`
          })
        }
        return [{ type: 'react', target: row.id, body }]
      })
    },
    async unreact(id, emoji, options = {}) {
      assertOptions(options, 'options', ['signal'])
      encodeEmoji(emoji)
      await change(id, options, async (row) => {
        await ownRole.demand('reader', 'react')
        const { same } = await ownReactions(row, emoji)
        return same.map(({ id: reaction }) => ({ type: 'unreact', target: row.id, payload: encodeStruct('unreact', { reaction }) }))
      })
    },
    async vote(id, choices, options = {}) {
      assertOptions(options, 'options', ['signal'])
      if (!Array.isArray(choices)) throw new TypeError('choices must be an array of the numbers of options')
      await change(id, options, async (row, state) => {
        const poll = await openPoll(row, state)
        if (!areChoices(choices, poll.options.length, poll.isMultiple)) {
          throw new TypeError(`choices must be ${poll.isMultiple ? 'numbers' : 'one number'} of options, each once`)
        }
        await ownRole.demandVoice('member', 'vote')
        return [{ type: 'vote', target: row.id, body: encodeStruct('vote-body', { choices }) }]
      })
    },
    async closePoll(id, options = {}) {
      assertOptions(options, 'options', ['signal'])
      await change(id, options, async (row, state) => {
        await openPoll(row, state)
        await ownRole.demand((await isOwn(row)) ? 'reader' : 'moderator', 'end polls of others')
        return [{ type: 'closeVote', target: row.id }]
      })
    },
    pin: setPinned(true),
    unpin: setPinned(false),
    pins: () =>
      whileOpen(async () => {
        const rows = await Promise.all((await view.all('pins')).map(({ order }) => view.messages(order, order + 1)))
        const messages = await Promise.all(rows.flat().map(shown))
        return messages.filter((message) => message !== undefined)
      })
  }
}
