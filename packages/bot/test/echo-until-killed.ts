// A process of its own, because what is tested is that it may be killed at any moment.
import { appendFileSync } from 'node:fs'
import { createBot } from '@covey/bot'
import type { Network } from 'covey'

const [storage, network, journal, invite] = process.argv.slice(2)
const fast = { burst: 1_000, perMinute: 1_000_000 }
const bot = await createBot({
  storage: storage!,
  name: 'echo',
  network: JSON.parse(network!) as Network,
  session: () => ({ count: 0 }),
  limits: { personIn: fast, roomIn: fast, personOut: fast, roomOut: fast }
})
const note = (line: string): void => appendFileSync(journal!, `${line}\n`)
bot.on('text', async (ctx) => {
  note(`begun ${ctx.text} ${ctx.attempt}`)
  if (ctx.text === 'poison') process.kill(process.pid, 'SIGKILL')
  if (ctx.text === 'cut' && ctx.attempt === 1) {
    const { send } = ctx.room
    // Between the moment when a reply is durable and the one when that is noted.
    ctx.room.send = async (...args) => {
      const message = await send(...args)
      process.kill(process.pid, 'SIGKILL')
      return message
    }
  }
  if (ctx.text === 'crossed' && ctx.attempt === 1) {
    const { send } = ctx.room
    // As above, where something else was sent meanwhile that is no reply.
    ctx.room.send = async (...args) => {
      for (const text of ['by the way', 'third crossed 1']) await send(text)
      const message = await send(...args)
      process.kill(process.pid, 'SIGKILL')
      return message
    }
  }
  ctx.session.count++
  await ctx.reply(`first ${ctx.text} ${ctx.session.count}`)
  await ctx.reply(`second ${ctx.text} ${ctx.session.count}`)
})
bot.events.on('handled', ({ outcome, messageId }) => note(`${outcome} ${messageId}`))
bot.events.on('error', (error) => note(`error ${error.code} ${String(error.cause)}`))
await bot.start({ invite: false, print: () => undefined })
if (invite !== undefined && bot.peer.rooms.list().length === 0) await bot.join(invite)
note('started')
