import { CoveyError, type CoveyErrorInit } from '@covey/core'

/**
 * - `BOT_HANDLER_FAILED`: a handler threw; the cause is what it threw. The message counts as handled.
 * - `BOT_HANDLER_TIMEOUT`: a handler did not end in time. The message counts as handled.
 * - `BOT_TOO_MANY_REPLIES`: a handler sent more replies to one message than the limits allow.
 * - `BOT_CALL_OVER`: a context was used when its handler had ended, or its time was over.
 * - `BOT_SESSION_TOO_LARGE`: a session is no JSON of the size that fits; what it was before is kept.
 * - `BOT_MESSAGE_SKIPPED`: a message was begun several times, and the process ended each time.
 * - `BOT_CURSOR_LOST`: the message up to which a room was handled is not in it any more; the bot goes on from now.
 * - `BOT_ROOM_FAILED`: a room could not be read for now; the bot tries again.
 * - `BOT_STATE_FAILED`: the bot's folder does not open, or did not take what has to be durable.
 * - `BOT_CLOSED`: the bot was closed.
 */
export type BotErrorCode =
  | 'BOT_HANDLER_FAILED'
  | 'BOT_HANDLER_TIMEOUT'
  | 'BOT_TOO_MANY_REPLIES'
  | 'BOT_CALL_OVER'
  | 'BOT_SESSION_TOO_LARGE'
  | 'BOT_MESSAGE_SKIPPED'
  | 'BOT_CURSOR_LOST'
  | 'BOT_ROOM_FAILED'
  | 'BOT_STATE_FAILED'
  | 'BOT_CLOSED'

/** What of a bot an error is about, besides what every error says. */
export interface BotErrorInit extends CoveyErrorInit {
  /** The id of the room, where it is about one. */
  readonly roomId?: string
  /** The id of the message that was being handled, if one was. */
  readonly messageId?: string
}

/** What `@covey/bot` throws and reports; see {@link BotErrorCode}. Nothing that a member wrote is in its message. */
export class BotError extends CoveyError<BotErrorCode> {
  override readonly name = 'BotError'
  /** The id of the room, where it is about one. */
  readonly roomId: string | undefined
  /** The id of the message that was being handled, if one was. */
  readonly messageId: string | undefined

  constructor(code: BotErrorCode, message: string, { roomId, messageId, ...init }: BotErrorInit = {}) {
    super(code, message, init)
    this.roomId = roomId
    this.messageId = messageId
  }
}
