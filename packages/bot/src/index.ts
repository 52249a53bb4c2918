/**
 * Bots in Covey rooms: commands with typed arguments, middleware, sessions, limits, and every message handled once.
 *
 * @example
 * ```ts
 * import { createBot } from '@covey/bot'
 *
 * const bot = await createBot({ storage: './bot', name: 'echo' })
 * bot.command('ping', 'answers pong', (ctx) => ctx.reply('pong'))
 * bot.on('text', (ctx) => ctx.reply(`Echo: ${ctx.text}`))
 * await bot.start() // prints its invite; Ctrl-C closes cleanly
 * ```
 *
 * @packageDocumentation
 */
export { createBot } from './create-bot.js'
export {
  arg,
  type Arg,
  type ArgScope,
  type ArgsOf,
  type ArgSpec,
  type CustomArg,
  type NumberArgOptions,
  type TextArgOptions
} from './args.js'
export {
  CLOSE_GRACE_MS,
  type Bot,
  type BotEvents,
  type BotInit,
  type BotScope,
  type CommandOptions,
  type Handled,
  type StartOptions
} from './bot.js'
export { capabilitiesOf, type Capability } from './capabilities.js'
export { DEFAULT_HANDLER_TIMEOUT_MS, MAX_ATTEMPTS, MAX_COMMAND_LENGTH, MAX_SESSION_BYTES, MAX_SESSIONS, MAX_WAITING_PER_PERSON } from './constants.js'
export type { CommandContext, ContentContext, ContentFilter, Context, Filter, Handler, Middleware } from './context.js'
export { BotError, type BotErrorCode, type BotErrorInit } from './errors.js'
export { DEFAULT_LIMITS, type BotLimits, type Rate } from './limits.js'
