import { expect, test } from 'vitest'
import { capabilitiesOf, createBot } from '@covey/bot'
import { codeOf, errorsOf, makeBot, makePeer, messagesUntil, QUIET, talkTo, temporaryFolder, textsOf, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('a bot in four lines: its invite, a command and a text', async () => {
  const bot = await makeBot(net)
  bot.command('ping', 'answers pong', (ctx) => ctx.reply('pong'))
  bot.on('text', (ctx) => ctx.reply(`Echo: ${ctx.text}`))
  const printed: string[] = []
  await bot.start({ print: (line) => printed.push(line), handleSignals: false })
  await bot.start()
  expect(printed.slice(0, 2)).toEqual([
    'In “echo” I am owner, and may read, send messages, invite others, mute and remove members, rename the room and give roles, hand the room over.',
    'echo is there. Who has this link can come in:'
  ])

  const alice = await makePeer(net, 'Alice')
  const room = await alice.rooms.join(printed[2]!)
  await room.send('/ping')
  await room.send('hello')
  const messages = await messagesUntil(room, (all) => all.length === 4)
  expect(messages.filter(({ isOwn }) => !isOwn).map(({ text, authorName }) => [authorName, text])).toEqual([
    ['echo', 'pong'],
    ['echo', 'Echo: hello']
  ])
})

test('the link that was printed at the last start ends, and the room stays', async () => {
  const storage = await temporaryFolder()
  const start = async (): Promise<{ link: string; room: string; open: number; close: () => Promise<void> }> => {
    const bot = await makeBot(net, { storage })
    const printed: string[] = []
    await bot.start({ print: (line) => printed.push(line), handleSignals: false })
    const invites = (await bot.room!.invites()).filter(({ isRevoked }) => !isRevoked)
    return { link: printed[2]!, room: bot.room!.id, open: invites.length, close: () => bot.close() }
  }
  const first = await start()
  await first.close()
  const second = await start()
  expect(second).toMatchObject({ room: first.room, open: 1 })
  expect(second.link).not.toBe(first.link)
})

test('a bot joins a room by invite with the role that it is given, and handles what comes after', async () => {
  const alice = await makePeer(net, 'Alice')
  const room = await alice.rooms.create({ name: 'T\u001b[31mea' })
  await room.send('before')
  const bot = await makeBot(net)
  bot.on('text', (ctx) => ctx.reply(`Echo: ${ctx.text}`))
  const printed: string[] = []
  await bot.start({ invite: false, print: (line) => printed.push(line), handleSignals: false })
  expect(bot.room).toBe(undefined)
  const joined = await bot.join(await room.createInvite({ role: 'moderator' }))
  expect(await bot.scopes()).toMatchObject([
    { roomId: room.id, role: 'moderator', capabilities: ['read', 'send', 'invite', 'moderate'] }
  ])
  expect(printed).toEqual(['In “T[31mea” I am moderator, and may read, send messages, invite others, mute and remove members.'])
  await joined.send('its own words')
  await room.send('after')
  await messagesUntil(room, (all) => all.some(({ text }) => text.startsWith('Echo')))
  expect((await textsOf(room)).filter((text) => text.startsWith('Echo'))).toEqual(['Echo: after'])
})

test('a room that the bot joins before its start is read from there on', async () => {
  const alice = await makePeer(net, 'Alice')
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.send('before')
  const bot = await makeBot(net)
  bot.on('text', (ctx) => ctx.reply(`Echo: ${ctx.text}`))
  await bot.join(await room.createInvite())
  await room.send('between')
  await messagesUntil(bot.peer.rooms.get(room.id)!, (all) => all.some(({ text }) => text === 'between'))
  await bot.start(QUIET)
  await messagesUntil(room, (all) => all.some(({ text }) => text === 'Echo: between'))
  expect(await textsOf(room)).not.toContain('Echo: before')
})

test('what a role may do', () => {
  expect(capabilitiesOf(undefined)).toEqual([])
  expect(capabilitiesOf('reader')).toEqual(['read'])
  expect(capabilitiesOf('owner')).toHaveLength(6)
})

test('a bot that may only read goes on, and says that it could not answer', async () => {
  const alice = await makePeer(net, 'Alice')
  const room = await alice.rooms.create({ name: 'Tea' })
  const bot = await makeBot(net)
  const errors = errorsOf(bot)
  bot.on('text', async (ctx) => {
    if (await ctx.can('send')) await ctx.reply('never')
    // Not waited for, and so nobody's failure but its own.
    void ctx.reply('not allowed')
  })
  await bot.start({ ...QUIET, invite: false })
  await bot.join(await room.createInvite({ role: 'reader' }))
  const handled = bot.events.once('handled')
  await room.send('hello')
  expect(await handled).toMatchObject({ outcome: 'done', replies: [] })
  expect(errors.codes).toEqual(['BOT_HANDLER_FAILED'])
  expect(errors.all[0]!.cause).toMatchObject({ code: 'ROOM_FORBIDDEN' })
})

test('wrong options, and calls out of time, are refused by name', async () => {
  const refused = (init: object) => createBot(init as never).then(() => 'made', (error: Error) => `${error.name}: ${error.message}`)
  expect(await refused({})).toMatch(/^TypeError: init\.name/)
  expect(await refused({ name: 'x', limit: {} })).toMatch(/^TypeError: init has no option "limit"; did you mean "limits"/)
  expect(await refused({ name: 'x', presence: false, requestsFrom: 'nobody', files: {}, deviceName: '', relays: null })).toMatch(/^TypeError: init\.relays/)
  expect(await refused({ name: 'x', limits: { roomIn: { burst: 0, perMinute: 1 } } })).toMatch(/^TypeError: init\.limits\.roomIn\.burst/)
  expect(await refused({ name: 'x', limits: { roomIn: null } })).toMatch(/^TypeError: init\.limits\.roomIn/)
  expect(await refused({ name: 'x', handlerTimeoutMs: 0 })).toMatch(/^TypeError: init\.handlerTimeoutMs/)
  expect(await refused({ name: 'x', session: {} })).toMatch(/^TypeError: init\.session/)

  const bot = await makeBot(net)
  expect(() => bot.on('texts' as never, () => undefined)).toThrow(TypeError)
  expect(() => bot.on('text', 'no function' as never)).toThrow(TypeError)
  expect(() => bot.use(undefined as never)).toThrow(TypeError)
  await bot.start({ ...QUIET, invite: false })
  expect(() => bot.on('text', () => undefined)).toThrow('the bot has started')
  await bot.close()
  await bot.close()
  expect(await codeOf(() => bot.start())).toBe('BOT_CLOSED')
})

test('a chat of the test kit is of a network, and each is a person of their own', async () => {
  const bot = await makeBot(net, { session: () => ({ count: 0 }) })
  bot.on('text', (ctx) => ctx.reply(`${ctx.message.authorName} ${++ctx.session.count}`))
  const [alice, bob] = [talkTo(bot, { name: 'Alice' }), talkTo(bot, { name: 'Bob' })]
  expect(await alice.say('one')).toEqual(['Alice 1'])
  expect(await alice.say('two')).toEqual(['Alice 2'])
  expect(await bob.say('three')).toEqual(['Bob 1'])
})

test('errors that nobody listens for are printed, without what a terminal obeys', async () => {
  const bot = await makeBot(net)
  const printed: string[] = []
  bot.on('text', (ctx) => {
    throw new Error(`no use for ${ctx.text}`)
  })
  await bot.start({ print: (line) => printed.push(line), handleSignals: false })
  await talkTo(bot).say('\u001b[2J\u001b]0;owned\u0007this\u202e')
  const [error] = printed.slice(3)
  expect(error).toMatch(/^A handler failed\.\nIts cause is what it threw\.\nError: no use for \[2J\]0;ownedthis\n +at /)
  expect(error).not.toMatch(/[^\P{Cc}\n]|\u202e/u)
})
