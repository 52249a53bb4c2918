import type { Content, EventSource } from '@covey/core'
import type { JoinOptions, Network, Peer, PeerInit, Role, Room } from 'covey'
import type { ArgsOf, ArgSpec } from './args.js'
import type { Capability } from './capabilities.js'
import type { CommandContext, Context, ContentContext, ContentFilter, Filter, Handler, Middleware } from './context.js'
import type { BotError } from './errors.js'
import type { BotLimits } from './limits.js'

/** How `createBot` makes a bot: as `createPeer` makes a peer, and more. */
export interface BotInit<Session> extends PeerInit {
  /** What members see, and what a command is addressed by, as in `/ping@echo`. */
  readonly name: string
  /**
   * Makes the session of a person whom the bot has not met in a room. Sessions are JSON of at most
   * {@link MAX_SESSION_BYTES}, in the bot's folder, and not sealed. Default: an empty object.
   */
  readonly session?: () => Session
  /** Default {@link DEFAULT_LIMITS}. */
  readonly limits?: BotLimits
  /** How long the handlers of one message may take. Default {@link DEFAULT_HANDLER_TIMEOUT_MS}. */
  readonly handlerTimeoutMs?: number
}

/** What a command asks for. */
export interface CommandOptions<Spec extends ArgSpec> {
  /** Its arguments, in their order. Default: none. */
  readonly args?: Spec
  /** The least role of who may use it. Default `reader`, which is everybody. */
  readonly from?: Role
  /** What the bot itself has to be allowed, for the command to work. */
  readonly needs?: Capability
}

/** How {@link Bot.start} starts. */
export interface StartOptions {
  /**
   * Whether the bot has a room of its own, made on the first run, and prints a new invite to it; the one that it
   * printed before ends. Default `true`.
   */
  readonly invite?: boolean
  /** Takes each line that a person should see. Default `console.log`. */
  readonly print?: (line: string) => void
  /** Whether SIGINT (Ctrl-C) and SIGTERM close the bot. Default `true`. */
  readonly handleSignals?: boolean
}

/** What a bot may do in a room. */
export interface BotScope {
  /** The id of the room. */
  readonly roomId: string
  /** Chosen by its admins. */
  readonly roomName: string
  /** `undefined` while it is no member. */
  readonly role: Role | undefined
  readonly capabilities: readonly Capability[]
}

/** What became of a message. */
export interface Handled {
  /** The id of the room. */
  readonly roomId: string
  readonly messageId: string
  /** `failed` where a handler threw, or its time was over; `skipped` after too many attempts. */
  readonly outcome: 'done' | 'failed' | 'skipped'
  /** The ids of the replies, in their order. */
  readonly replies: readonly string[]
}

/** What happens to a bot. */
export interface BotEvents {
  /** A message is handled, and will not be again. */
  handled: Handled
  /** A person writes more than the limits allow, and messages of theirs are passed over; once until they pause. */
  limited: { readonly roomId: string; readonly personId: string }
  /** The bot is in a room: from the start, or anew. */
  room: BotScope
  /** Something failed; the bot goes on. Without a listener it is printed. */
  error: BotError
}

/**
 * A bot: a peer that answers. Each message of each room is handled once, also when the bot is stopped, killed and
 * started again: docs/guides/bots.md says what that means. Messages of one person in one room are handled one after the
 * other; those of several, side by side.
 */
export interface Bot<Session> {
  /** What it is on the network. Rooms that it joins or makes are the bot's. */
  readonly peer: Peer
  readonly name: string
  /** The network that it was made with; `undefined` for the public one. */
  readonly network: Network | undefined
  /** Its own room, once it has started; see {@link StartOptions.invite}. */
  readonly room: Room | undefined
  readonly events: EventSource<BotEvents>
  /** Adds what runs around all handlers. Before the start. */
  use(middleware: Middleware<Session>): void
  /**
   * Adds a command. `/help` lists it with its description; who uses it wrongly is told how.
   *
   * @param name 1 to 32 of `a`–`z`, `0`–`9`, `-` and `_`. Members may write it large or small.
   * @throws {TypeError} for a malformed name, spec or description; for a name that is taken; after the start
   */
  command(name: string, description: string, handler: Handler<CommandContext<Session, Record<never, never>>>): void
  command<const Spec extends ArgSpec>(
    name: string,
    description: string,
    options: CommandOptions<Spec>,
    handler: Handler<CommandContext<Session, ArgsOf<Spec>>>
  ): void
  /**
   * Adds a handler for messages of some kind. All that match are called, one after the other, unless the
   * message is a command of this bot.
   *
   * @throws {TypeError} for an unknown filter; after the start
   */
  on(filter: 'content', handler: Handler<ContentContext<Session, Content>>): void
  on(filter: Exclude<Filter, 'content'>, handler: Handler<Context<Session>>): void
  on<Value>(filter: ContentFilter<Value>, handler: Handler<ContentContext<Session, Value>>): void
  /**
   * Begins: what came since the bot was last there is handled first. Resolves when it listens. Idempotent.
   *
   * @throws {BotError} BOT_CLOSED
   */
  start(options?: StartOptions): Promise<void>
  /**
   * Joins a room by invite, as `peer.rooms.join` does, and says what the bot may do there. What was said before
   * it came is not handled; nor, where it was in the room before and left it by `peer.rooms.leave`, what was said between.
   */
  join(invite: string, options?: JoinOptions): Promise<Room>
  /** What the bot may do, room by room. */
  scopes(): Promise<BotScope[]>
  /**
   * Ends. What is being handled has {@link CLOSE_GRACE_MS} to end well; then its signal is aborted, and it is
   * handled again at the next start. Idempotent.
   */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** How long handlers may go on after {@link Bot.close}. */
export const CLOSE_GRACE_MS = 2_000

