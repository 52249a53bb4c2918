/** A bot that repeats what it is told. `npm start` prints a link to its room; Ctrl-C ends it. */
import { createBot } from '@covey/bot'
import { echo } from './echo.js'
import { readOptions } from './options.js'

const { storage, network, join } = readOptions(process.argv.slice(2))
const bot = await createBot({ storage, network, name: 'echo' })
echo(bot)
await bot.start()
if (join !== undefined) await bot.join(join)
