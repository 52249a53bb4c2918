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
 * One is written at a time: where one was noted before and not after, it is among the device's messages after the
 * last that was noted after; others there were sent by something else than a reply.
 */
export interface RoomReplies {
  open(init: RepliesInit): Replies
}

/**
 * That a reply is about to be sent. Of what it says there is what tells it from others, and too little to try what it
 * may say against: the rest stays in the room.
 */
interface Pending {
  readonly message: string
  readonly index: number
  readonly bytes: number
  readonly checksum: number
}

/** Among how many of the device's own messages a reply is looked for that may have been sent. */
const MAX_LOOKED_AT = 256

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

  async function findSent({ message, bytes, checksum }: Pending): Promise<string | undefined> {
    const lastSent = await state.get(sentKey)
    let found: string | undefined
    let lookedAt = 0
    for await (const { id, device: by, content, text } of messagesSince(room, message)) {
      if (by !== device) continue
      const said = bytesOf(content ?? text)
      // A device's messages follow what it had read, and each other, in every order that the room may take.
      if (id === lastSent) [found, lookedAt] = [undefined, 0]
      else if (++lookedAt <= MAX_LOOKED_AT && said.length === bytes && checksumOf(said) === checksum) found ??= id
    }
    return found
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
        const bytes = bytesOf(content)
        const pending: Pending = { message: messageId, index, bytes: bytes.length, checksum: checksumOf(bytes) }
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
function bytesOf(content: string | Content): Uint8Array {
  if (typeof content === 'string') return encodeUtf8(content.isWellFormed() ? content : '')
  return content?.data instanceof Uint8Array ? content.data : new Uint8Array()
}

/** FNV-1a, folded to 16 bits. Nobody has a reason to forge it: what it is compared with, this device has written. */
function checksumOf(bytes: Uint8Array): number {
  const sum = bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5)
  return (sum ^ (sum >>> 16)) & 0xffff
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
