import fc from 'fast-check'
import { expect, expectTypeOf, test } from 'vitest'
import { arg, MAX_COMMAND_LENGTH } from '@covey/bot'
import type { Member } from 'covey'
import { errorsOf, makeBot, talkTo, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('arguments are parsed, checked, and typed', async () => {
  const bot = await makeBot(net)
  const args = {
    count: arg.integer({ min: 1, max: 6 }),
    kind: arg.choice('tea', 'coffee'),
    who: arg.word({ maxLength: 10 }),
    isHot: arg.optional(arg.flag()),
    note: arg.optional(arg.rest())
  }
  bot.command('brew', 'brews', { args }, ({ args, reply }) => {
    expectTypeOf(args).toEqualTypeOf<{
      readonly count: number
      readonly kind: 'tea' | 'coffee'
      readonly who: string
      readonly isHot: boolean | undefined
      readonly note: string | undefined
    }>()
    return reply(JSON.stringify(args))
  })
  const chat = talkTo(bot)
  const usage = 'Usage: /brew <count> <kind> <who> [isHot] [note…]'
  const said = async (text: string): Promise<unknown> => {
    const [answer = ''] = await chat.say(text)
    return answer.startsWith('{') ? JSON.parse(answer) : answer
  }
  expect(await said('/brew 3 TEA Bob yes with  two sugars ')).toEqual({ count: 3, kind: 'tea', who: 'Bob', isHot: true, note: 'with  two sugars' })
  expect(await said('/BREW@Echo 1 coffee “Bob B.”')).toEqual({ count: 1, kind: 'coffee', who: 'Bob B.' })
  expect(await said('/brew')).toBe(`count is missing: a whole number from 1 to 6.\n${usage}`)
  for (const count of ['7', '0', '1.5', '1e0', '0x1', 'one', '٣']) {
    expect([count, await said(`/brew ${count} tea Bob`)]).toEqual([count, `count must be a whole number from 1 to 6.\n${usage}`])
  }
  expect(await said('/brew 1 milk Bob')).toBe(`kind must be one of tea, coffee.\n${usage}`)
  expect(await said('/brew 1 tea abcdefghijk')).toBe(`who must be a word of at most 10 characters.\n${usage}`)
  expect(await said('/brew 1 tea ""')).toBe(`who must be a word of at most 10 characters.\n${usage}`)
  expect(await said('/brew 1 tea Bob maybe')).toBe(`isHot must be yes or no.\n${usage}`)
  expect(await said('/brew 1 tea Bob constructor')).toBe(`isHot must be yes or no.\n${usage}`)
  expect(await said('/brew 1 tea "Bob')).toBe(`A quote is not closed.\n${usage}`)
  expect(await said(`/brew ${'x'.repeat(MAX_COMMAND_LENGTH + 1)}`)).toBe(`That is longer than ${MAX_COMMAND_LENGTH} characters.\n${usage}`)
})

test('help is made from the commands, and names what the bot may do', async () => {
  const bot = await makeBot(net)
  bot.command('ping', 'answers pong', (ctx) => ctx.reply('pong'))
  bot.command('roll', 'rolls a die', { args: { sides: arg.optional(arg.integer({ min: 2 })) }, from: 'moderator' }, (ctx) => ctx.reply('1'))
  const chat = talkTo(bot)
  const [help] = await chat.say('/help')
  expect(help!.split('\n')).toEqual([
    '/ping — answers pong',
    '/roll [sides] — rolls a die',
    '/help — shows this',
    expect.stringMatching(/^I am owner, and may read, send messages, /)
  ])
  expect(await chat.say('/help roll')).toEqual(['/roll [sides] — rolls a die\n  sides: a whole number from 2, or nothing\nFor a moderator, and those above.'])
  expect(await chat.say('/ping too much')).toEqual(['That is more than it takes.\nUsage: /ping'])
  expect(await chat.say('/help@somebody-else')).toEqual([])
  expect(await chat.say('/ping@somebody-else')).toEqual([])
})

test('a command is for those of its role, and says what the bot itself would have to be', async () => {
  const bot = await makeBot(net)
  bot.command('shout', 'for moderators', { from: 'moderator' }, (ctx) => ctx.reply('HEY'))
  bot.command('hand', 'needs an owner', { needs: 'own' }, (ctx) => ctx.reply('handed'))
  const [member, moderator] = [talkTo(bot, { name: 'Alice' }), talkTo(bot, { name: 'Bob', role: 'moderator' })]
  expect(await member.say('/shout')).toEqual(['/shout is for a moderator, and those above.'])
  expect(await moderator.say('/shout')).toEqual(['HEY'])
  expect(await member.say('/hand')).toEqual(['handed'])
  const bob = (await bot.room!.members()).find(({ name }) => name === 'Bob')!
  await bot.room!.transferOwnership(bob.id)
  expect(await member.say('/hand')).toEqual(['For /hand I would have to be an owner here.'])
})

test('a member is found by a name that one alone has, or by id', async () => {
  const bot = await makeBot(net)
  bot.command('who', 'finds a member', { args: { who: arg.member() } }, ({ args, reply }) => {
    expectTypeOf(args.who).toEqualTypeOf<Member>()
    return reply(args.who.id)
  })
  const [alice, bob, other] = [talkTo(bot, { name: 'Alice A.' }), talkTo(bot, { name: 'Bob' }), talkTo(bot, { name: 'bob' })]
  await bob.say('hello')
  const [id] = await alice.say('/who "@alice a."')
  expect(id).toBe((await (await alice.room()).members()).find(({ isSelf }) => isSelf)!.id)
  expect(await bob.say('/who bob')).not.toEqual([expect.stringMatching(/^who must be/)])
  await other.say('hello')
  expect(await alice.say('/who bob')).toEqual([expect.stringMatching(/^who must be a member: the name, if no other/)])
  expect(await alice.say(`/who ${id}`)).toEqual([id])
})

test('what is no command of the bot is a text like any other', async () => {
  const bot = await makeBot(net)
  bot.command('ping', 'answers pong', (ctx) => ctx.reply('pong'))
  bot.on('text', (ctx) => ctx.reply(`text ${ctx.text}`))
  const chat = talkTo(bot)
  for (const text of ['/pin', '/pingpong', ' /ping', '//ping', '/ ping', '/ping@', '/ping@@echo', '/constructor', `/${'p'.repeat(40)}`]) {
    expect(await chat.say(text)).toEqual([`text ${text}`])
  }
  expect(await chat.say('/ping\n')).toEqual(['pong'])
})

test('any text is read without an error, and in time', { timeout: 120_000 }, async () => {
  const bot = await makeBot(net, { limits: { personIn: { burst: 1_000, perMinute: 1_000_000 }, roomIn: { burst: 1_000, perMinute: 1_000_000 }, personOut: { burst: 1_000, perMinute: 1_000_000 }, roomOut: { burst: 1_000, perMinute: 1_000_000 } } })
  const errors = errorsOf(bot)
  const args = { a: arg.word(), b: arg.number({ min: -1 }), c: arg.optional(arg.member()), d: arg.optional(arg.rest({ maxLength: 5 })) }
  bot.command('x', 'takes everything', { args }, (ctx) => ctx.reply('ok'))
  const chat = talkTo(bot)
  const rest = fc.array(fc.oneof(fc.constantFrom(' ', '"', '“', '@', '-1', '0.5', '\u0000', '\t', '\n'), fc.string({ unit: 'grapheme' })), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(rest, async (parts) => {
      const [answer] = await chat.say(`/x ${parts.join('')}`)
      expect(answer === 'ok' || answer!.endsWith('Usage: /x <a> <b> [c] [d…]')).toBe(true)
    }),
    { numRuns: 60 }
  )
  const startedAt = performance.now()
  await chat.say(`/x ${'" '.repeat(MAX_COMMAND_LENGTH / 2 - 8)}`)
  await chat.say(`/${' @'.repeat(30_000)}`)
  await chat.say(`/x ${'\u00a0'.repeat(20_000)}`)
  expect(performance.now() - startedAt).toBeLessThan(5_000)
  expect(errors.codes).toEqual([])
})

test('a malformed command is refused when it is added', async () => {
  const bot = await makeBot(net)
  const add = (name: string, options: object = {}, description = 'does it') => (): void =>
    bot.command(name, description, options as never, (ctx) => ctx.reply('never'))
  expect(add('Ping')).toThrow('name must be')
  expect(add('a b')).toThrow('name must be')
  expect(add('ok', {}, '')).toThrow('description')
  expect(add('ok', { arg: {} })).toThrow('did you mean "args"')
  expect(add('ok', { from: 'king' })).toThrow('options.from must be a role')
  expect(add('ok', { needs: 'fly' })).toThrow('options.needs must be a capability')
  expect(add('ok', { args: { 1: arg.word() } })).toThrow('options.args must have names')
  expect(add('ok', { args: { a: 'word' } })).toThrow('options.args.a must come from arg')
  expect(add('ok', { args: { a: arg.rest(), b: arg.word() } })).toThrow('options.args.a takes the rest')
  expect(add('ok', { args: { a: arg.optional(arg.word()), b: arg.word() } })).toThrow('options.args.b must be optional')
  add('ok')()
  expect(add('ok')).toThrow('there is a command "ok"')
  expect(() => arg.integer({ min: 2, max: 1 })).toThrow('options.max')
  expect(() => arg.number({ min: Number.NaN })).toThrow('options.min')
  expect(() => arg.custom({ expects: '', read: () => 1 })).toThrow('custom.expects')
})
