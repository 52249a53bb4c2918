/** A bot that keeps a room civil. `npm start -- --join <invite>` brings it to a room, where it has to be a moderator. */
import { readFile } from 'node:fs/promises'
import { createBot } from '@covey/bot'
import { moderate, newConduct } from './moderate.js'
import { readOptions } from './options.js'

const { storage, network, join } = readOptions(process.argv.slice(2))
const file = new URL('../words.txt', import.meta.url)
const words = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
const bot = await createBot({ storage, network, name: 'moderator', session: newConduct })
moderate(bot, words)
await bot.start()
if (join !== undefined) await bot.join(join)
