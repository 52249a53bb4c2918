import { expect, onTestFinished, test } from 'vitest'
import type { Bot } from '@covey/bot'
import { createPeer, type Peer, type Room } from 'covey'
import { errorsOf, handles, makeBot, makePeer, messagesUntil, QUIET, temporaryFolder, useLocalNetwork, type TestNetwork } from './support.js'

const [home, island] = [useLocalNetwork(), useLocalNetwork()]

/** A person who moves between networks. */
interface Traveller {
  room: Room
  travel(to: TestNetwork): Promise<void>
}

async function traveller(name: string, invite: string): Promise<Traveller> {
  const storage = await temporaryFolder()
  let peer: Peer | undefined
  onTestFinished(() => peer?.close())
  const open = async ({ network }: TestNetwork): Promise<Peer> => {
    await peer?.close()
    return (peer = await createPeer({ storage, name, network }))
  }
  const self: Traveller = {
    room: await (await open(home)).rooms.join(invite),
    async travel(to) {
      self.room = (await open(to)).rooms.get(self.room.id)!
    }
  }
  return self
}

test('messages that come late, and land before what was handled, are handled once', { timeout: 180_000 }, async () => {
  const carol = await makePeer(home, 'Carol')
  const owned = await carol.rooms.create({ name: 'Tea' })
  const [alice, bob] = [await traveller('Alice', await owned.createInvite()), await traveller('Bob', await owned.createInvite())]
  const storage = await temporaryFolder()
  const openBot = async (): Promise<Bot<Record<string, unknown>>> => {
    const bot = await makeBot(home, { storage })
    errors.push(errorsOf(bot).codes)
    bot.on('text', (ctx) => ctx.reply(`Echo: ${ctx.text}`))
    await bot.start({ ...QUIET, invite: false })
    return bot
  }
  const errors: string[][] = []
  let bot = await openBot()
  await bot.join(await owned.createInvite())
  await owned.send('all here')
  for (const { room } of [alice, bob]) await messagesUntil(room, (all) => all.some(({ text }) => text === 'Echo: all here'))
  // The only indexer: from now on nothing is settled.
  await carol.close()

  const send = (room: Room, who: string): Promise<unknown> => Promise.all(['1', '2', '3'].map((i) => room.send(`${who} ${i}`)))
  // Who comes first of those who do not know of each other is a matter of their keys: each is away once.
  const rounds = [
    { stays: bob, away: alice },
    { stays: alice, away: bob }
  ]
  for (const [round, { stays, away }] of rounds.entries()) {
    await away.travel(island)
    const first = handles(bot, 3)
    await send(stays.room, `${round} at home`)
    await first
    await send(away.room, `${round} away`)
    await bot.close()
    await away.travel(home)
    await messagesUntil(stays.room, (all) => all.some(({ text }) => text === `${round} away 3`))
    bot = await openBot()
    await messagesUntil(bot.peer.rooms.list()[0]!, (all) => all.some(({ text }) => text === `Echo: ${round} away 3`))
  }

  const texts: string[] = []
  for await (const { text } of bot.peer.rooms.list()[0]!.messages()) texts.push(text)
  const said = texts.filter((text) => !text.startsWith('Echo'))
  expect(texts.filter((text) => text.startsWith('Echo')).toSorted()).toEqual(said.map((text) => `Echo: ${text}`).toSorted())
  expect(said).toHaveLength(13)
  const landedBefore = [0, 1].filter((round) => said.indexOf(`${round} away 1`) < said.indexOf(`${round} at home 3`))
  expect(landedBefore).not.toEqual([])
  expect(errors.flat()).toEqual([])
})
