import type { Content, ContentType } from '@covey/core'
import type { Member, Message, Room } from 'covey'
import type { Capability } from './capabilities.js'

/** What a handler is given: one message, and what can be done about it. */
export interface Context<Session> {
  /** The room that the message is in. */
  readonly room: Room
  readonly message: Message
  /** The text of the message; `''` unless it is one. From anybody: it may hold anything but half characters. */
  readonly text: string
  /**
   * What the bot remembers of this person in this room. Change it, or set another: it is written when all
   * handlers have ended, together with the note that the message is handled; not when one of them failed.
   */
  session: Session
  /** Aborted when the time of the handler is over, or the bot closes. Hand it to whatever takes time. */
  readonly signal: AbortSignal
  /** 1, and more where the process ended while it handled this message before. */
  readonly attempt: number
  /**
   * Answers in the room. It may wait for its turn within the limits. A reply that is not awaited is waited
   * for, and if it fails that is reported. What has been sent for this message before the process ended is
   * not sent again, by its place among the replies.
   *
   * @param content a text of 1 byte to `MAX_TEXT_BYTES` as UTF-8, or content of a type.
   * @throws {BotError} BOT_TOO_MANY_REPLIES, BOT_CALL_OVER
   * @throws {RoomError} what `room.send` throws
   */
  readonly reply: (content: string | Content) => Promise<Message>
  /** Whether the bot may do this here. */
  readonly can: (capability: Capability) => Promise<boolean>
  /** Who wrote the message, or `undefined` if they have left since. */
  readonly member: () => Promise<Member | undefined>
}

/** The context of a command: with its arguments. */
export interface CommandContext<Session, Args> extends Context<Session> {
  /** The name of the command. */
  readonly command: string
  /** Checked, and of the types that the command asks for. */
  readonly args: Args
}

/** The context of a message with content. */
export interface ContentContext<Session, Value> extends Context<Session> {
  /** What the message carries, as it was sent. */
  readonly content: Content
  /** What the type of content read. For the filter `content`, which knows no type, the content itself. */
  readonly value: Value
}

/** Handles a message. A promise that it returns is awaited. */
export type Handler<Ctx> = (ctx: Ctx) => unknown

/** Runs around all handlers of a message, in the order in which they were added: what follows runs in `next()`. */
export type Middleware<Session> = (ctx: Context<Session>, next: () => Promise<void>) => unknown

/**
 * Which messages a handler is called for:
 * - `text`: texts that are none of the bot's commands;
 * - `content`: those that carry content of any type;
 * - `unknown`: those made by an app or a version that this one does not know;
 * - `message`: all of these.
 *
 * For content of one type, the `ContentType` itself is the filter.
 */
export type Filter = 'text' | 'content' | 'unknown' | 'message'

/** A filter for content of one type. */
export type ContentFilter<Value> = Pick<ContentType<Value>, 'name' | 'read'>
