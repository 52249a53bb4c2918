import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Bot } from '@covey/bot'
import { createPeer, type Room } from 'covey'
import { openState } from '../src/internal/state.js'
import { errorsOf, handles, makeBot, makePeer, messagesUntil, QUIET, temporaryFolder, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

/** A bot that counts what each person has said to it. */
async function counter(storage: string): Promise<Bot<{ count: number }>> {
  const bot = await makeBot(net, { storage, session: () => ({ count: 0 }) })
  bot.on('text', (ctx) => ctx.reply(`${ctx.text} ${++ctx.session.count}`))
  return bot
}

async function answersIn(room: Room): Promise<string[]> {
  const texts: string[] = []
  for await (const { text, isOwn } of room.messages()) if (!isOwn) texts.push(text)
  return texts
}

async function roomOfAlice(): Promise<Room> {
  const alice = await makePeer(net, 'Alice')
  return alice.rooms.create({ name: 'Tea' })
}

test('who leaves a room and joins it again begins as at first: nothing said between is handled, and nobody is known', { timeout: 120_000 }, async () => {
  const storage = await temporaryFolder()
  const room = await roomOfAlice()
  const bot = await counter(storage)
  const errors = errorsOf(bot)
  await bot.start({ ...QUIET, invite: false })
  await bot.join(await room.createInvite())
  const first = handles(bot, 1)
  await room.send('before')
  await first
  await bot.peer.rooms.leave(room.id)
  await room.send('between')
  await bot.join(await room.createInvite())
  const next = handles(bot, 1)
  await room.send('after')
  await next
  await messagesUntil(room, (all) => all.some(({ text }) => text.startsWith('after ')))
  expect(await answersIn(room)).toEqual(['before 1', 'after 1'])
  expect(errors.codes).toEqual([])
})

test('of a room that was left while the bot was not there nothing is kept either', { timeout: 120_000 }, async () => {
  const storage = await temporaryFolder()
  const room = await roomOfAlice()
  const bot = await counter(storage)
  await bot.start({ ...QUIET, invite: false })
  await bot.join(await room.createInvite())
  const first = handles(bot, 1)
  await room.send('before')
  await first
  await bot.close()
  const peer = await createPeer({ storage: join(storage, 'peer'), network: net.network })
  await peer.rooms.leave(room.id)
  await peer.close()
  const again = await counter(storage)
  await again.close()
  const state = await openState(join(storage, 'bot'))
  const keys: string[] = []
  for (const name of ['begun', 'cursor', 'done', 'pending', 'sent', 'session', 'used']) {
    for await (const [key] of state.entries(`${name}/`)) keys.push(key)
  }
  await state.close()
  expect(keys).toEqual([])
})

test('what waits in a room that is closed is handled when it is opened again', { timeout: 120_000 }, async () => {
  const room = await roomOfAlice()
  const bot = await makeBot(net, { limits: { personIn: { burst: 1, perMinute: 60 } } })
  const errors = errorsOf(bot)
  const attempts: string[] = []
  const begun = new Promise<void>((resolve) => {
    bot.on('text', async ({ text, attempt, signal }) => {
      resolve()
      // The first time, until the room is closed beneath it.
      if (attempts.push(`${text} ${attempt}`) === 1) await new Promise((aborted) => signal.addEventListener('abort', aborted))
    })
  })
  await bot.start({ ...QUIET, invite: false })
  const invite = await room.createInvite()
  const joined = await bot.join(invite)
  for (const text of ['one', 'two']) await room.send(text)
  await begun
  await joined.close()
  const all = handles(bot, 2)
  await bot.join(invite)
  expect((await all).map(({ outcome }) => outcome)).toEqual(['done', 'done'])
  expect(attempts).toEqual(['one 1', 'one 1', 'two 1'])
  expect(errors.codes).toEqual([])
})

test('a reply that a room refuses because it closes fails nothing', { timeout: 120_000 }, async () => {
  const room = await roomOfAlice()
  const bot = await makeBot(net)
  const errors = errorsOf(bot)
  let closed: Promise<void> | undefined
  const begun = new Promise<void>((resolve) => {
    bot.on('text', async (ctx) => {
      closed ??= ctx.room.close()
      resolve()
      await ctx.reply('there')
    })
  })
  await bot.start({ ...QUIET, invite: false })
  const invite = await room.createInvite()
  await bot.join(invite)
  const handled = handles(bot, 1)
  await room.send('one')
  await begun
  await closed
  await bot.join(invite)
  expect(await handled).toMatchObject([{ outcome: 'done' }])
  await messagesUntil(room, (all) => all.some(({ text }) => text === 'there'))
  expect(errors.codes).toEqual([])
})
