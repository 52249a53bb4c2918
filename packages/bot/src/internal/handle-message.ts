import { isCoveyError, withTimeout } from '@covey/core'
import type { Message, Room } from 'covey'
import type { Handled } from '../bot.js'
import { MAX_ATTEMPTS } from '../constants.js'
import type { Context } from '../context.js'
import { BotError } from '../errors.js'
import { isAllowed, memberOf } from './dispatch.js'
import type { Lane } from './lanes.js'
import type { Begun, Progress } from './progress.js'
import type { Replies, RoomReplies } from './replies.js'
import type { LoadedSession, Sessions } from './sessions.js'

export interface HandleMessageInit<Session> {
  readonly room: Room
  readonly progress: Progress
  readonly replies: RoomReplies
  readonly sessions: Sessions<Session>
  readonly dispatch: (ctx: Context<Session>) => Promise<void>
  readonly timeoutMs: number
  /** Aborted when the bot ends and its handlers have had their time. */
  readonly closing: AbortSignal
  readonly onhandled: (handled: Handled) => void
  readonly onerror: (error: BotError) => void
}

/**
 * The boundary around an author's handlers: whatever they do, the message counts as handled in the end, and
 * nothing of it reaches the process.
 */
export function createMessageHandler<Session>(init: HandleMessageInit<Session>): (message: Message, lane: Lane) => Promise<void> {
  const { room, progress, replies, sessions, dispatch, timeoutMs, closing, onhandled, onerror } = init

  async function handle(message: Message, lane: Lane): Promise<void> {
    if (closing.aborted) return
    const begun = await progress.begin(message.id)
    const session = await sessions.load(room.id, message.author)
    if (begun.attempt > MAX_ATTEMPTS) return skip(message, begun)

    const call = new AbortController()
    const answers = replies.open({ messageId: message.id, begun, personOut: lane.outgoing, signal: call.signal })
    const ctx = createContext(message, session, answers, call.signal, begun.attempt)
    const failures: unknown[] = []
    try {
      const work = async (): Promise<unknown> => {
        await dispatch(ctx)
        return answers.settled()
      }
      const failure = await withTimeout(work, { timeoutMs, signal: closing, onTimeout: () => timedOut(timeoutMs) })
      // The handlers may have seen to it, or not have waited for it at all.
      if (failure !== undefined) report(message, failure)
    } catch (error) {
      if (closing.aborted || (await isClosedBeneath(error))) {
        call.abort(closing.reason ?? error)
        return progress.interrupt(message.id, answers.begun())
      }
      failures.push(error)
    }
    call.abort(callOver())
    await finish(message, ctx, session, answers, failures)
  }

  /** A room that closes refuses what is asked of it before it says that it is closed. */
  async function isClosedBeneath(error: unknown): Promise<boolean> {
    if (!isCoveyError(error, 'ROOM_CLOSED')) return false
    return room.info().then(
      () => false,
      (cause: unknown) => isCoveyError(cause, 'ROOM_CLOSED')
    )
  }

  async function finish(
    message: Message,
    ctx: Context<Session>,
    session: LoadedSession<Session>,
    answers: Replies,
    failures: unknown[]
  ): Promise<void> {
    const changes = failures.length > 0 ? [] : changesOf(session, ctx, failures)
    for (const failure of failures) report(message, failure)
    await progress.finish(message.id, changes)
    const outcome = failures.length > 0 ? 'failed' : 'done'
    onhandled({ roomId: room.id, messageId: message.id, outcome, replies: answers.ids() })
  }

  function changesOf(session: LoadedSession<Session>, ctx: Context<Session>, failures: unknown[]) {
    try {
      return session.save(ctx.session)
    } catch (error) {
      failures.push(error)
      return []
    }
  }

  async function skip({ id }: Message, { attempt, sent }: Begun): Promise<void> {
    await progress.finish(id)
    onerror(
      new BotError('BOT_MESSAGE_SKIPPED', `A message was begun ${attempt - 1} times, and the process ended each time.`, {
        roomId: room.id,
        messageId: id,
        hint: 'Look for what in its handling ends the process: memory, or process.exit.'
      })
    )
    onhandled({ roomId: room.id, messageId: id, outcome: 'skipped', replies: sent.filter((each) => each !== null) })
  }

  function createContext(
    message: Message,
    session: LoadedSession<Session>,
    answers: Replies,
    signal: AbortSignal,
    attempt: number
  ): Context<Session> {
    const { text, author } = message
    let isLateTold = false
    const tellLate = (error: unknown): void => {
      if (!signal.aborted || closing.aborted || isLateTold) return
      isLateTold = true
      report(message, error)
    }
    return {
      room,
      message,
      text,
      session: session.value,
      signal,
      attempt,
      reply(reply) {
        const sending = answers.reply(reply)
        // Whoever does not wait for it must not bring the process down: `settled` tells of it, or this where it is too late.
        sending.catch(tellLate)
        return sending
      },
      can: (capability) => isAllowed(room, capability),
      member: () => memberOf(room, author)
    }
  }

  function report({ id: messageId }: Message, cause: unknown): void {
    const about = { roomId: room.id, messageId }
    if (cause instanceof BotError) onerror(new BotError(cause.code, cause.message, { ...about, cause: cause.cause, ...(cause.hint !== undefined && { hint: cause.hint }) }))
    else onerror(new BotError('BOT_HANDLER_FAILED', 'A handler failed.', { ...about, cause, hint: 'Its cause is what it threw.' }))
  }

  return (message, lane) =>
    handle(message, lane).catch((cause: unknown) => {
      // The disk, or the room: it is begun, and begun again at the next start.
      if (!closing.aborted) report(message, cause)
    })
}

function timedOut(timeoutMs: number): BotError {
  return new BotError('BOT_HANDLER_TIMEOUT', `The handlers of a message did not end within ${timeoutMs} ms.`, {
    hint: 'Hand ctx.signal to what takes time, or raise handlerTimeoutMs.'
  })
}

function callOver(): BotError {
  return new BotError('BOT_CALL_OVER', 'The handling of this message is over.', {
    hint: 'Wait for everything that replies before the handler ends.'
  })
}
