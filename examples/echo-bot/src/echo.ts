import type { Bot } from '@covey/bot'

/** What the bot does: all of it. */
export function echo(bot: Bot<Record<string, unknown>>): void {
  bot.command('ping', 'answers pong', (ctx) => ctx.reply('pong'))
  bot.on('text', (ctx) => ctx.reply(`Echo: ${ctx.text}`))
}
