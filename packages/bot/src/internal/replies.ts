import { encodeUtf8, type Content } from '@covey/core'
import type { Message, Room } from 'covey'
import type { BotLimits } from '../limits.js'
import { BotError } from '../errors.js'
import { createBucket, type Bucket } from './bucket.js'
import { begunKey, messagesSince, type Begun } from './progress.js'
import type { State } from './state.js'
import { wait } from './wait.js'

/** The replies to one message. */
export interface Replies {
  reply(content: string | Content): Promise<Message>
  /** Resolves when all replies are sent or have failed, with the first failure. */
  settled(): Promise<unknown>
  /** Those that were sent, and those that were before this attempt. */
  begun(): Begun
  ids(): string[]
}

export interface RepliesInit {
  readonly messageId: string
  readonly begun: Begun
  /** The allowance of the person who is answered. */
  readonly personOut: Bucket
  readonly signal: AbortSignal
}

/**
 * What a bot says in a room, noted before and after, so that a reply is sent once whenever the process ends.
 * One is written at a time: where one was noted before and not after, it is the device's first message after
 * the last that was noted after.
 */
export interface RoomReplies {
  open(init: RepliesInit): Replies
}

/** That a reply is about to be sent. Of what it says there is the length alone: the rest stays in the room. */
interface Pending {
  readonly message: string
  readonly index: number
  readonly bytes: number
}

export async function openReplies(
  room: Room,
  device: string,
  state: State,
  { roomOut, repliesPerMessage }: Required<BotLimits>
): Promise<RoomReplies> {
  const pendingKey = `pending/${room.id}`
  const sentKey = `sent/${room.id}`
  const allowance = createBucket(roomOut)
  let turn: Promise<unknown> = Promise.resolve()
  await resolvePending()

  async function resolvePending(): Promise<void> {
    const pending = (await state.get(pendingKey)) as Pending | undefined
    if (pending === undefined) return
    const key = begunKey(room.id, pending.message)
    const begun = (await state.get(key)) as Begun | undefined
    const found = begun && (await findSent(pending))
    if (begun === undefined || found === undefined) return state.write([[pendingKey, undefined]])
    await state.write([[key, withReply(begun, pending.index, found)], [sentKey, found], [pendingKey, undefined]])
  }

  /** One that was sent is in the room when the room has read what this device wrote; or was never taken. */
  async function findKnown(id: string): Promise<Message | undefined> {
    const found = await room.message(id)
    if (found !== undefined) return found
    for await (const message of room.messages({ limit: 1 })) if (message.id === id) return message
    return room.message(id)
  }

  async function findSent({ message, bytes }: Pending): Promise<string | undefined> {
    const lastSent = await state.get(sentKey)
    // A device's messages follow what it had read, and each other, in every order that the room may take.
    const own = (await messagesSince(room, message)).filter((each) => each.device === device)
    const next = own[own.findIndex(({ id }) => id === lastSent) + 1]
    return next !== undefined && byteLength(next.content ?? next.text) === bytes ? next.id : undefined
  }

  return {
    open({ messageId, begun: before, personOut, signal }) {
      let begun = before
      let count = 0
      let ownTurn: Promise<unknown> = Promise.resolve()
      let failure: unknown

      async function send(index: number, content: string | Content): Promise<Message> {
        const known = begun.sent[index]
        const sent = known === undefined || known === null ? undefined : await findKnown(known)
        if (sent !== undefined) return sent
        for (const bucket of [personOut, allowance]) {
          while (!bucket.take()) await wait(bucket.waitMs(), signal)
        }
        const sending = turn.then(() => write(index, content))
        turn = sending.catch(() => undefined)
        return sending
      }

      async function write(index: number, content: string | Content): Promise<Message> {
        if (signal.aborted) throw signal.reason
        const pending: Pending = { message: messageId, index, bytes: byteLength(content) }
        await state.write([[pendingKey, pending]])
        const message = await room.send(content)
        begun = withReply(begun, index, message.id)
        await state.write([[begunKey(room.id, messageId), begun], [sentKey, message.id], [pendingKey, undefined]])
        return message
      }

      function refuse(error: unknown): Promise<never> {
        failure ??= error
        return Promise.reject(error)
      }

      return {
        reply(content) {
          if (signal.aborted) return refuse(signal.reason)
          if (count >= repliesPerMessage) return refuse(tooMany(repliesPerMessage))
          const index = count++
          const sending = ownTurn.then(() => send(index, content))
          ownTurn = sending.catch((error: unknown) => (failure ??= error))
          return sending
        },
        async settled() {
          await ownTurn
          return failure
        },
        begun: () => begun,
        ids: () => begun.sent.filter((id) => id !== null)
      }
    }
  }
}

/** Of what is malformed, nothing: the room refuses it, in its own words. */
function byteLength(content: string | Content): number {
  if (typeof content === 'string') return content.isWellFormed() ? encodeUtf8(content).length : 0
  return content?.data instanceof Uint8Array ? content.data.length : 0
}

function withReply({ attempt, sent }: Begun, index: number, id: string): Begun {
  const places = Array.from({ length: Math.max(sent.length, index + 1) }, (_, place) => sent[place] ?? null)
  return { attempt, sent: places.with(index, id) }
}

function tooMany(limit: number): BotError {
  return new BotError('BOT_TOO_MANY_REPLIES', `One message gets at most ${limit} replies.`, {
    hint: 'Put more into one reply, or raise limits.repliesPerMessage.'
  })
}
