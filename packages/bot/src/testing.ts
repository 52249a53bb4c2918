/**
 * What a bot is tested with: people who talk to it over a real network.
 *
 * @example
 * ```ts
 * import { createBot } from '@covey/bot'
 * import { testBot } from '@covey/bot/testing'
 * import { createLocalNetwork } from '@covey/testing'
 * import { localNetwork } from 'covey'
 *
 * const net = await createLocalNetwork()
 * const bot = await createBot({ name: 'echo', network: localNetwork(net.bootstrap) })
 * bot.command('ping', 'answers pong', (ctx) => ctx.reply('pong'))
 * const chat = testBot(bot)
 * console.log(await chat.say('/ping')) // ['pong']
 * await chat.close()
 * await bot.close()
 * await net.close()
 * ```
 *
 * @packageDocumentation
 */
export { testBot, type BotChat, type BotChatInit } from './test-bot.js'
