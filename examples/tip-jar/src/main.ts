/** A bot that takes tips. `NWC_URL=… npm start` prints a link to its room; Ctrl-C ends it. */
import { createBot } from '@covey/bot'
import { knownAssets } from '@covey/payments'
import { openLedger } from './ledger.js'
import { readOptions } from './options.js'
import { tipJar } from './tip-jar.js'

const { storage, network, wallet, asset } = readOptions(process.argv.slice(2), process.env)
const bot = await createBot({ storage, network, name: 'tip-jar', payments: { providers: [wallet] } })
// In the folder that the bot has made, and that it alone has open.
tipJar(bot, { asset: knownAssets.get(asset), ledger: await openLedger(`${storage}/ledger.jsonl`) })
await bot.start()
