/** A bot that answers by a model. The key comes from the environment, and goes to the endpoint alone. */
import { createBot } from '@covey/bot'
import { assist, newMemory } from './assistant.js'
import { readOptions } from './options.js'

const { storage, network, join } = readOptions(process.argv.slice(2))
const { OPENAI_API_KEY: key, OPENAI_BASE_URL: url = 'https://api.openai.com/v1', OPENAI_MODEL: model = 'gpt-4o-mini' } = process.env
if (!key) {
  console.error('Put the key of the endpoint into OPENAI_API_KEY.')
  process.exit(1)
}
const bot = await createBot({
  storage,
  network,
  name: 'assistant',
  session: newMemory,
  // Models take their time, and cost money.
  handlerTimeoutMs: 120_000,
  limits: { personIn: { burst: 5, perMinute: 6 }, roomIn: { burst: 20, perMinute: 30 } }
})
assist(bot, { url, key, model })
await bot.start()
if (join !== undefined) await bot.join(join)
