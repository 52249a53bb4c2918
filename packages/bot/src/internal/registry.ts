import { assertFunction, assertOptions, assertString } from '@covey/core'
import { isCapability, isRole } from '../capabilities.js'
import type { ArgSpec } from '../args.js'
import type { CommandOptions } from '../bot.js'
import type { CommandContext, Context, ContentContext, ContentFilter, Filter, Handler, Middleware } from '../context.js'

/** A command, checked. */
export interface Command<Session> {
  readonly name: string
  readonly description: string
  readonly args: ArgSpec
  readonly options: CommandOptions<ArgSpec>
  readonly handler: Handler<CommandContext<Session, Record<string, unknown>>>
}

/** A handler of a filter: `undefined` for a message that it is not for. */
export type Matcher<Session> = (ctx: Context<Session>) => (() => unknown) | undefined

/** What an author has told a bot to do. */
export interface Registry<Session> {
  readonly commands: ReadonlyMap<string, Command<Session>>
  readonly matchers: readonly Matcher<Session>[]
  readonly middlewares: readonly Middleware<Session>[]
  use(middleware: Middleware<Session>): void
  command(name: string, description: string, options: CommandOptions<ArgSpec>, handler: Command<Session>['handler']): void
  on(filter: Filter | ContentFilter<unknown>, handler: Handler<never>): void
  /** From now on nothing can be added. */
  close(): void
}

const COMMAND_NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/
/** Not a number, which an object would put before all others. */
const ARG_NAME = /^[a-z][A-Za-z0-9]{0,31}$/
const FILTERS: readonly unknown[] = ['text', 'content', 'unknown', 'message'] satisfies Filter[]
/** So that /help is one message. */
const MAX_COMMANDS = 100
const MAX_DESCRIPTION_LENGTH = 200

export function createRegistry<Session>(): Registry<Session> {
  const commands = new Map<string, Command<Session>>()
  const matchers: Matcher<Session>[] = []
  const middlewares: Middleware<Session>[] = []
  let isClosed = false

  function assertOpen(): void {
    if (isClosed) throw new TypeError('the bot has started: add everything before bot.start()')
  }

  return {
    commands,
    matchers,
    middlewares,
    use(middleware) {
      assertOpen()
      assertFunction(middleware, 'middleware')
      middlewares.push(middleware)
    },
    command(name, description, options, handler) {
      assertOpen()
      assertString(name, 'name')
      if (!COMMAND_NAME.test(name)) throw new TypeError('name must be 1 to 32 of a–z, 0–9, "-" and "_"')
      assertString(description, 'description', { minLength: 1, maxLength: MAX_DESCRIPTION_LENGTH })
      assertOptions(options, 'options', ['args', 'from', 'needs'])
      assertFunction(handler, 'handler')
      const { args = {}, from, needs } = options
      assertArgs(args)
      if (from !== undefined && !isRole(from)) throw new TypeError('options.from must be a role')
      if (needs !== undefined && !isCapability(needs)) throw new TypeError('options.needs must be a capability')
      if (commands.has(name)) throw new TypeError(`name must be new: there is a command "${name}"`)
      if (commands.size === MAX_COMMANDS) throw new TypeError(`a bot has at most ${MAX_COMMANDS} commands`)
      commands.set(name, { name, description, args, options, handler })
    },
    on(filter, handler) {
      assertOpen()
      assertFunction(handler, 'handler')
      matchers.push(typeof filter === 'string' ? ofKind(filter, handler) : ofContent(filter, handler))
    },
    close() {
      isClosed = true
    }
  }
}

function assertArgs(args: ArgSpec): void {
  const all = Object.entries(args)
  for (const [i, [name, arg]] of all.entries()) {
    const field = `options.args.${name}`
    if (!ARG_NAME.test(name)) throw new TypeError('options.args must have names of letters and digits, small at the start')
    if (typeof arg?.read !== 'function' || typeof arg.expects !== 'string') throw new TypeError(`${field} must come from arg`)
    if (arg.takesRest && i < all.length - 1) throw new TypeError(`${field} takes the rest, and so must be the last`)
    if (!arg.isOptional && all[i - 1]?.[1].isOptional) throw new TypeError(`${field} must be optional, as the one before it is`)
  }
}

function ofKind<Session>(filter: Filter, handler: Handler<never>): Matcher<Session> {
  if (!FILTERS.includes(filter)) throw new TypeError('filter must be "text", "content", "unknown", "message" or a content type')
  const call = handler as Handler<Context<Session>>
  if (filter === 'content') return ofContent({ name: filter, read: (content) => content }, handler)
  return (ctx) => (filter === 'message' || ctx.message.kind === filter ? () => call(ctx) : undefined)
}

function ofContent<Session, Value>(filter: ContentFilter<Value>, handler: Handler<never>): Matcher<Session> {
  assertFunction(filter?.read, 'filter.read')
  const call = handler as Handler<ContentContext<Session, Value>>
  return (ctx) => {
    const { content } = ctx.message
    const value = content && filter.read(content)
    if (content === undefined || value === undefined) return undefined
    return () => call(Object.assign(ctx, { content, value }))
  }
}
