import type { Member, Message, Room } from 'covey'
import { capabilitiesOf, describeScope, isAtLeast, leastRole, withArticle } from '../capabilities.js'
import type { CommandContext, Context } from '../context.js'
import { addressOf, readArgs, readCommandLine, usageOf } from './command-line.js'
import type { Command, Registry } from './registry.js'

/** The kinds of which nothing is said to the bot: they were deleted, or are of somebody whom it has blocked. */
const SILENT: readonly Message['kind'][] = ['deleted', 'blocked', 'unreadable']

/** Hands a message to the handlers that it is for, in the middle of the middlewares. */
export function createDispatch<Session>(registry: Registry<Session>, botName: string): (ctx: Context<Session>) => Promise<void> {
  const address = addressOf(botName)

  async function runFrom(i: number, ctx: Context<Session>): Promise<void> {
    const middleware = registry.middlewares[i]
    if (middleware === undefined) return handle(ctx)
    let isCalled = false
    await middleware(ctx, () => {
      if (isCalled) return Promise.reject(new TypeError('next() was called twice in one middleware'))
      isCalled = true
      return runFrom(i + 1, ctx)
    })
  }

  async function handle(ctx: Context<Session>): Promise<void> {
    const line = ctx.message.kind === 'text' ? readCommandLine(ctx.text) : undefined
    const isForOther = line?.to !== undefined && line.to !== address
    const command = line && !isForOther ? registry.commands.get(line.name) : undefined
    if (line && command) return runCommand(command, line.rest, ctx)
    if (line?.name === 'help' && !isForOther) return void (await ctx.reply(await help(line.rest, ctx.room)))
    for (const matcher of registry.matchers) await matcher(ctx)?.()
  }

  async function runCommand(command: Command<Session>, rest: string, ctx: Context<Session>): Promise<void> {
    const { from, needs } = command.options
    if (from !== undefined && from !== 'reader' && !isAtLeast((await ctx.member())?.role, from)) {
      return void (await ctx.reply(`/${command.name} is for ${withArticle(from)}, and those above.`))
    }
    if (needs !== undefined && !(await ctx.can(needs))) {
      return void (await ctx.reply(`For /${command.name} I would have to be ${withArticle(leastRole(needs))} here.`))
    }
    const read = await readArgs(rest, command.args, ctx.room)
    if (!read.ok) return void (await ctx.reply(`${read.problem}\nUsage: ${usageOf(command.name, command.args)}`))
    await command.handler(Object.assign(ctx, { command: command.name, args: read.args }) satisfies CommandContext<Session, object>)
  }

  async function help(name: string, room: Room): Promise<string> {
    const command = registry.commands.get(name.replace(/^\//, '').toLowerCase())
    if (command !== undefined) return helpOn(command)
    const { role } = await room.info()
    const lines = [...registry.commands.values()].map((each) => `${usageOf(each.name, each.args)} — ${each.description}`)
    return [...lines, '/help — shows this', `I am ${describeScope(role)}.`].join('\n')
  }

  return async (ctx) => {
    if (!SILENT.includes(ctx.message.kind)) await runFrom(0, ctx)
  }
}

function helpOn<Session>({ name, description, args, options }: Command<Session>): string {
  const ofArgs = Object.entries(args).map(([arg, { expects, isOptional }]) => `  ${arg}: ${expects}${isOptional ? ', or nothing' : ''}`)
  const from = options.from === undefined || options.from === 'reader' ? [] : [`For ${withArticle(options.from)}, and those above.`]
  return [`${usageOf(name, args)} — ${description}`, ...ofArgs, ...from].join('\n')
}

export async function memberOf(room: Room, id: string): Promise<Member | undefined> {
  return (await room.members()).find((member) => member.id === id)
}

export async function isAllowed(room: Room, capability: Parameters<Context<unknown>['can']>[0]): Promise<boolean> {
  return capabilitiesOf((await room.info()).role).includes(capability)
}
