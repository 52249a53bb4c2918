import { createBot, MAX_WAITING_PER_PERSON, type Bot } from '@covey/bot'
import { testBot, type BotChat } from '@covey/bot/testing'
import { createLocalNetwork, type LocalNetwork } from '@covey/testing'
import { localNetwork, type Room } from 'covey'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { moderate, newConduct, type Conduct } from '../src/moderate.js'

let network: LocalNetwork
let bot: Bot<Conduct>
const chats: BotChat[] = []

beforeAll(async () => {
  network = await createLocalNetwork()
})
afterAll(() => network.close())
beforeEach(async () => {
  bot = await createBot({ name: 'moderator', network: localNetwork(network.bootstrap), session: newConduct })
  moderate(bot, ['cheap coins'])
})
afterEach(async () => {
  await Promise.all(chats.splice(0).map((chat) => chat.close()))
  await bot.close()
})

function talk(...args: Parameters<typeof testBot> extends [unknown, ...infer Rest] ? Rest : never): BotChat {
  const chat = testBot(bot, ...args)
  chats.push(chat)
  return chat
}

async function isMuted(room: Room, name: string): Promise<boolean> {
  return (await room.members()).find((member) => member.name === name)!.isMuted
}

it('warns twice, and mutes the third time, however the word is written', async () => {
  const eve = talk({ name: 'Eve' })
  expect(await eve.say('hello')).toEqual([])
  expect(await eve.say('CHEAP COINS here')).toEqual(['Please do not say that here. (1 of 2)'])
  expect(await eve.say('ｃheap coins')).toEqual(['Please do not say that here. (2 of 2)'])
  expect(await eve.say('/strikes')).toEqual(['2 of 2.'])
  expect(await eve.say('cheap coins')).toEqual(['That was once too often: muted.'])
  expect(await isMuted(bot.room!, 'Eve')).toBe(true)
})

it('obeys moderators, and nobody else', async () => {
  const [eve, bob] = [talk({ name: 'Eve' }), talk({ name: 'Bob', role: 'moderator' })]
  await eve.say('hello')
  expect(await eve.say('/mute Bob')).toEqual(['/mute is for a moderator, and those above.'])
  expect(await bob.say('/mute Eve')).toEqual(['Muted.'])
  expect(await isMuted(bot.room!, 'Eve')).toBe(true)
  expect(await bob.say('/unmute eve')).toEqual(['Unmuted.'])
  expect(await isMuted(bot.room!, 'Eve')).toBe(false)
  expect(await bob.say('/remove moderator')).toEqual(['I may not do that to somebody of their role.'])
  expect(await bob.say('/remove Eve')).toEqual(['Removed.'])
  expect((await bot.room!.members()).map(({ name }) => name).toSorted()).toEqual(['Bob', 'moderator'])
})

it('mutes who floods', async () => {
  const eve = talk({ name: 'Eve' })
  const room = await eve.room()
  const told = (async () => {
    for await (const { text } of bot.room!.messages({ live: true })) if (text.startsWith('Somebody wrote too much')) return
  })()
  await Promise.all(Array.from({ length: MAX_WAITING_PER_PERSON + 60 }, (_, i) => room.send(`${i}`)))
  await told
  expect(await isMuted(bot.room!, 'Eve')).toBe(true)
})
