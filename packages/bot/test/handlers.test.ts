import { setTimeout as delay } from 'node:timers/promises'
import { expect, expectTypeOf, test } from 'vitest'
import { MAX_SESSION_BYTES, type Context } from '@covey/bot'
import { defineContent, jsonCodec, type Content } from '@covey/core'
import { codeOf, errorsOf, handles, makeBot, makePeer, QUIET, talkTo, temporaryFolder, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('middlewares run around the handlers, in their order, and may keep a message from them', async () => {
  const bot = await makeBot(net)
  const trace: string[] = []
  bot.on('text', ({ text }) => trace.push(`text ${text}`))
  bot.on('message', () => trace.push('message'))
  bot.use(async (ctx, next) => {
    trace.push('first')
    await next()
    trace.push('first again')
  })
  bot.use((ctx, next) => (ctx.text === 'secret' ? undefined : next()))
  bot.command('ping', 'answers pong', () => trace.push('ping'))
  const chat = talkTo(bot)
  for (const text of ['secret', 'hello', '/ping']) await chat.say(text)
  expect(trace).toEqual([
    'first', 'first again',
    'first', 'text hello', 'message', 'first again',
    'first', 'ping', 'first again'
  ])
})

test('a handler that throws is reported, and its middleware can see to it', async () => {
  const bot = await makeBot(net)
  const errors = errorsOf(bot)
  bot.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      await ctx.reply(`Sorry: ${(error as Error).message}`)
      throw error
    }
  })
  bot.command('sync', 'throws', () => {
    throw new Error('at once')
  })
  bot.command('async', 'throws later', async () => {
    await delay(1)
    throw undefined
  })
  bot.command('twice', 'is a middleware gone wrong', (ctx) => ctx.reply('fine'))
  const chat = talkTo(bot)
  expect(await chat.say('/sync')).toEqual(['Sorry: at once'])
  const outcome = bot.events.once('handled')
  await chat.say('/async').catch(() => undefined)
  expect(await outcome).toMatchObject({ outcome: 'failed' })
  expect(await chat.say('/twice')).toEqual(['fine'])
  expect(errors.all).toMatchObject([
    { code: 'BOT_HANDLER_FAILED', roomId: bot.room!.id, cause: new Error('at once') },
    { code: 'BOT_HANDLER_FAILED' }
  ])
})

test('next() works once', async () => {
  const bot = await makeBot(net)
  const errors = errorsOf(bot)
  let calls = 0
  bot.use(async (_, next) => {
    await next()
    await next()
  })
  bot.on('text', () => calls++)
  await talkTo(bot).say('hello')
  expect(calls).toBe(1)
  expect(errors.all).toMatchObject([{ cause: new TypeError('next() was called twice in one middleware') }])
})

test('a handler that hangs is given up, told so, and can say no more; the bot goes on', async () => {
  const bot = await makeBot(net, { handlerTimeoutMs: 200 })
  const errors = errorsOf(bot)
  let hanging: Context<Record<string, unknown>> | undefined
  const told = new Promise<unknown>((resolve) => {
    bot.command('hang', 'hangs', (ctx) => {
      hanging = ctx
      ctx.session['lost'] = true
      ctx.signal.addEventListener('abort', () => resolve(ctx.signal.reason))
      return new Promise(() => undefined)
    })
  })
  bot.on('text', (ctx) => ctx.reply(`still there ${JSON.stringify(ctx.session)}`))
  const chat = talkTo(bot)
  expect(await chat.say('/hang')).toEqual([])
  expect(await told).toMatchObject({ code: 'BOT_CALL_OVER' })
  expect(await codeOf(() => hanging!.reply('too late'))).toBe('BOT_CALL_OVER')
  expect(await chat.say('hello')).toEqual(['still there {}'])
  expect(errors.codes).toEqual(['BOT_HANDLER_TIMEOUT', 'BOT_CALL_OVER'])
})

test('a handler that floods is stopped at the number of its replies, and paced before', async () => {
  const bot = await makeBot(net, {
    limits: { repliesPerMessage: 6, personOut: { burst: 4, perMinute: 600 }, roomOut: { burst: 100, perMinute: 6_000 } }
  })
  const errors = errorsOf(bot)
  bot.command('flood', 'floods', (ctx) => {
    for (let i = 0; i < 1_000; i++) void ctx.reply(`${i}`)
  })
  const chat = talkTo(bot)
  const startedAt = performance.now()
  expect(await chat.say('/flood')).toEqual(['0', '1', '2', '3', '4', '5'])
  // Two more than the burst, at ten a second.
  expect(performance.now() - startedAt).toBeGreaterThan(150)
  expect(errors.codes).toEqual(['BOT_TOO_MANY_REPLIES'])
})

test('a reply that cannot be sent rejects, and is reported where nobody waited', async () => {
  const bot = await makeBot(net)
  const errors = errorsOf(bot)
  const codes: unknown[] = []
  bot.command('awaited', 'sends nothing', async (ctx) => {
    for (const wrong of ['', 'x'.repeat(70_000), '\ud800', 5]) codes.push(await codeOf(() => ctx.reply(wrong as string)))
    await ctx.reply('fine')
  })
  bot.command('forgotten', 'sends nothing', (ctx) => void ctx.reply(''))
  const chat = talkTo(bot)
  expect(await chat.say('/awaited')).toEqual(['fine'])
  expect(codes).toEqual(['MESSAGE_EMPTY', 'MESSAGE_TOO_LARGE', 'MESSAGE_MALFORMED', 'TypeError'])
  expect(await chat.say('/forgotten')).toEqual([])
  expect(errors.all.map(({ cause }) => (cause as { code: string }).code)).toEqual(['MESSAGE_EMPTY', 'MESSAGE_EMPTY'])
})

test('a session is of a person in a room, outlives the bot, and what failed leaves it as it was', async () => {
  const storage = await temporaryFolder()
  const session = (): { count: number; big?: string } => ({ count: 0 })
  const make = async () => {
    const bot = await makeBot<{ count: number; big?: string }>(net, { storage, session })
    bot.command('count', 'counts', (ctx) => ctx.reply(`${++ctx.session.count}`))
    bot.command('set', 'sets another', (ctx) => void (ctx.session = { count: 100 }))
    bot.command('throw', 'counts and throws', (ctx) => {
      ctx.session.count = -1
      throw new Error('no')
    })
    bot.command('grow', 'grows too large', (ctx) => void (ctx.session.big = 'x'.repeat(MAX_SESSION_BYTES)))
    bot.command('loop', 'is no JSON', (ctx) => void Object.assign(ctx.session, { self: ctx.session }))
    return { bot, errors: errorsOf(bot) }
  }
  const first = await make()
  const alice = talkTo(first.bot, { name: 'Alice' })
  const bob = talkTo(first.bot, { name: 'Bob' })
  expect([await alice.say('/count'), await alice.say('/count'), await bob.say('/count')]).toEqual([['1'], ['2'], ['1']])
  for (const text of ['/throw', '/grow', '/loop']) await alice.say(text)
  expect(await alice.say('/count')).toEqual(['3'])
  expect(first.errors.codes).toEqual(['BOT_HANDLER_FAILED', 'BOT_SESSION_TOO_LARGE', 'BOT_SESSION_TOO_LARGE'])
  await bob.say('/set')
  await first.bot.close()

  const { bot } = await make()
  await bot.start(QUIET)
  const counted = handles(bot, 2)
  for (const chat of [alice, bob]) await (await chat.room()).send('/count')
  const texts = (await counted).map(async ({ replies: [id] }) => (await bot.room!.message(id!))!.text)
  expect((await Promise.all(texts)).toSorted()).toEqual(['101', '4'])
})

test('filters are typed, and those of content read only what is theirs', async () => {
  const bot = await makeBot(net)
  const title = jsonCodec((value) => {
    const { title } = value as { title?: unknown }
    if (typeof title !== 'string') throw new TypeError('a recipe has a title')
    return { title }
  })
  const recipe = defineContent({ name: 'example.org/recipe', version: 1, codec: title })
  const other = defineContent({ name: 'example.org/other', version: 1, codec: jsonCodec((value) => value) })
  bot.on(recipe, (ctx) => {
    expectTypeOf(ctx.value).toEqualTypeOf<{ title: string }>()
    return ctx.reply(recipe.create({ title: `More ${ctx.value.title}` }))
  })
  bot.on('content', (ctx) => {
    expectTypeOf(ctx.value).toEqualTypeOf<Content>()
    return ctx.reply(`${ctx.content.type} ${ctx.text.length}`)
  })
  bot.on('unknown', (ctx) => ctx.reply('unknown'))
  bot.on('message', (ctx) => ctx.reply(ctx.message.kind))
  const chat = talkTo(bot)
  expect(await chat.say('hello')).toEqual(['text'])

  const room = await chat.room()
  const answersTo = async (content: Content): Promise<string[]> => {
    const handled = handles(bot, 1)
    await room.send(content)
    const messages = (await handled)[0]!.replies.map((id) => bot.room!.message(id))
    return (await Promise.all(messages)).map((message) => recipe.read(message!.content)?.title ?? message!.text)
  }
  expect(await answersTo(recipe.create({ title: 'Tea' }))).toEqual(['More Tea', 'example.org/recipe 0', 'content'])
  expect(await answersTo(other.create(1))).toEqual(['example.org/other 0', 'content'])
  // What says that it is a recipe, and is none.
  expect(await answersTo({ ...other.create(1), type: 'example.org/recipe' })).toEqual(['example.org/recipe 0', 'content'])
})

test('what was deleted, and what is of somebody who is blocked, reaches no handler and no middleware', async () => {
  const [alice, eve] = [await makePeer(net, 'Alice'), await makePeer(net, 'Eve')]
  const room = await alice.rooms.create({ name: 'Tea' })
  const bot = await makeBot(net)
  const trace: string[] = []
  bot.use((ctx, next) => {
    trace.push(`around ${ctx.message.kind}`)
    return next()
  })
  bot.on('message', ({ message, text }) => trace.push(`${message.kind} ${text}`))
  const joined = await bot.join(await room.createInvite())
  await bot.peer.contacts.block(eve.identity.id)
  const eves = await eve.rooms.join(await room.createInvite())
  const { id } = await room.send('taken back')
  const isGone = new Promise<void>((resolve) => {
    joined.on('update', async () => (await joined.message(id))?.kind === 'deleted' && resolve())
  })
  await room.delete(id)
  await isGone
  const handled = handles(bot, 3)
  await bot.start({ ...QUIET, invite: false })
  await eves.send('from Eve')
  await room.send('hello')
  expect((await handled).map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done'])
  expect(trace).toEqual(['around text', 'text hello'])
})

test('what is being handled may end well when the bot closes, and what does not is handled at the next start', async () => {
  const storage = await temporaryFolder()
  const attempts: number[] = []
  const first = await makeBot(net, { storage })
  const reasons: unknown[] = []
  const begun = new Promise<void>((resolve) => {
    first.on('text', async (ctx) => {
      attempts.push(ctx.attempt)
      await ctx.reply('one')
      resolve()
      await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))
    })
  })
  let onslow = (): void => undefined
  const slow = new Promise<void>((resolve) => (onslow = resolve))
  first.command('slow', 'ends in a while', async (ctx) => {
    onslow()
    await delay(300)
    await ctx.reply('ended well')
  })
  first.events.on('error', ({ code }) => reasons.push(code))
  const [alice, bob] = [talkTo(first, { name: 'Alice' }), talkTo(first, { name: 'Bob' })]
  await alice.say('/help')
  await bob.say('/help')
  const handled = handles(first, 1)
  await (await alice.room()).send('hello')
  await begun
  await (await bob.room()).send('/slow')
  await slow
  await first.close()
  expect((await handled)[0]).toMatchObject({ outcome: 'done' })
  expect(reasons).toEqual([])

  const second = await makeBot(net, { storage })
  second.on('text', async (ctx) => {
    attempts.push(ctx.attempt)
    await ctx.reply('one')
    await ctx.reply('two')
  })
  const again = handles(second, 1)
  await second.start(QUIET)
  expect((await again)[0]).toMatchObject({ outcome: 'done' })
  const texts: string[] = []
  for await (const message of second.room!.messages()) if (message.isOwn) texts.push(message.text)
  expect(texts.slice(2).toSorted()).toEqual(['ended well', 'one', 'two'])
  expect(attempts).toEqual([1, 1])
})
