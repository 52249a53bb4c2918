import { expect, test } from 'vitest'
import { MAX_WAITING_PER_PERSON } from '@covey/bot'
import { errorsOf, handles, makeBot, QUIET, talkTo, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('what a person writes over the rate waits, in its order, and others do not wait for it', async () => {
  const bot = await makeBot(net, { limits: { personIn: { burst: 2, perMinute: 60 } } })
  const handled: string[] = []
  bot.on('text', ({ text }) => handled.push(text))
  const [alice, bob] = [talkTo(bot, { name: 'Alice' }), talkTo(bot, { name: 'Bob' })]
  const rooms = [await alice.room(), await bob.room()]
  const [burst, all] = [handles(bot, 2), handles(bot, 6)]
  const startedAt = performance.now()
  await Promise.all(['1', '2', '3', '4'].map((text) => rooms[0]!.send(text)))
  await burst
  await Promise.all([bob.say('b1'), bob.say('b2')])
  expect(handled).not.toContain('4')
  await all
  // Two more than the burst, one a second.
  expect(performance.now() - startedAt).toBeGreaterThan(1_900)
  expect(handled.filter((text) => !text.startsWith('b'))).toEqual(['1', '2', '3', '4'])
})

test('of a flood so much waits and the rest is passed over, which is told once; the room goes on', { timeout: 90_000 }, async () => {
  const bot = await makeBot(net, { limits: { personIn: { burst: 5, perMinute: 60 } } })
  const errors = errorsOf(bot)
  const limited: unknown[] = []
  bot.events.on('limited', (event) => limited.push(event))
  bot.on('text', (ctx) => ctx.reply(`Echo: ${ctx.text}`))
  const [eve, bob] = [talkTo(bot, { name: 'Eve' }), talkTo(bot, { name: 'Bob' })]
  await bob.say('hello')
  const room = await eve.room()
  const over = bot.events.once('limited')
  await Promise.all(Array.from({ length: MAX_WAITING_PER_PERSON + 100 }, (_, i) => room.send(`flood ${i}`)))
  const { id } = (await room.members()).find(({ isSelf }) => isSelf)!
  expect(await over).toEqual({ roomId: bot.room!.id, personId: id })
  expect(await bob.say('and I?')).toEqual(['Echo: and I?'])
  expect(limited).toHaveLength(1)
  expect(errors.codes).toEqual([])
})

test('a room is handled no faster than its rate, whoever writes', async () => {
  const bot = await makeBot(net, { limits: { roomIn: { burst: 2, perMinute: 120 } } })
  const [alice, bob] = [talkTo(bot, { name: 'Alice' }), talkTo(bot, { name: 'Bob' })]
  const rooms = [await alice.room(), await bob.room()]
  const all = handles(bot, 6)
  const startedAt = performance.now()
  for (const room of rooms) await Promise.all(['1', '2', '3'].map((text) => room.send(text)))
  await all
  // Four more than the burst, two a second; what came in by joining may have been counted too.
  expect(performance.now() - startedAt).toBeGreaterThan(1_900)
})

test('replies in a room are paced together', async () => {
  const bot = await makeBot(net, { limits: { roomOut: { burst: 1, perMinute: 120 } } })
  bot.command('three', 'sends three', async (ctx) => {
    for (const text of ['1', '2', '3']) await ctx.reply(text)
  })
  await bot.start(QUIET)
  const chat = talkTo(bot)
  await chat.room()
  const startedAt = performance.now()
  expect(await chat.say('/three')).toEqual(['1', '2', '3'])
  expect(performance.now() - startedAt).toBeGreaterThan(950)
})
