/** A bot that sells invites to a room. `NWC_URL=… npm start` prints a link to its lobby; Ctrl-C ends it. */
import { createBot } from '@covey/bot'
import { readOptions } from './options.js'
import { paidRoom } from './paid-room.js'

const { storage, network, wallet, price } = readOptions(process.argv.slice(2), process.env)
const bot = await createBot({ storage, network, name: 'doorkeeper', payments: { providers: [wallet] } })
const { lobby, gate } = await paidRoom(bot, { price, folder: `${storage}/gate` })
await bot.start({ invite: false })
console.log('Who has this link can come to the lobby, and write /join there:')
console.log(await lobby.createInvite())
// Who has paid, and was given nothing when the process ended.
await gate.recover()
