import { expect, onTestFinished, test } from 'vitest'
import { DEFAULT_LIMITS, MAX_SESSIONS } from '@covey/bot'
import { isCoveyError, type Message, type MessagesOptions, type Room } from 'covey'
import { RoomError } from '@covey/rooms'
import { openProgress } from '../src/internal/progress.js'
import { startRoomWorker } from '../src/internal/room-worker.js'
import { openSessions } from '../src/internal/sessions.js'
import { openState } from '../src/internal/state.js'
import { codeOf, errorsOf, handles, makeBot, makePeer, QUIET, temporaryFolder, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

/** An echo bot in a room of Alice, where what it reads goes through `meddle` first, as a room in trouble gives it. */
async function troubled(meddle: (messages: Room['messages']) => Room['messages']) {
  const alice = await makePeer(net, 'Alice')
  const room = await alice.rooms.create({ name: 'Tea' })
  const bot = await makeBot(net)
  bot.on('text', (ctx) => ctx.reply(`Echo: ${ctx.text}`))
  const joined = await bot.join(await room.createInvite())
  Object.assign(joined, { messages: meddle(joined.messages) })
  const errors = errorsOf(bot)
  const textOf = async (id: string): Promise<string> => (await joined.message(id))!.text
  const answered = async (count: number): Promise<string[]> => {
    const all = await handles(bot, count)
    return Promise.all(all.flatMap(({ replies }) => replies.map(textOf)))
  }
  return { bot, joined, room, errors, answered }
}

test('a message whose key comes late is handled when it has come, and holds nobody up', async () => {
  const { bot, room, errors, answered } = await troubled((messages) => (options) => ({
    async *[Symbol.asyncIterator]() {
      for await (const message of messages(options)) {
        yield message.text === 'late' ? ({ ...message, kind: 'unreadable', text: '' } satisfies Message) : message
      }
    }
  }))
  await bot.start({ ...QUIET, invite: false })
  const first = answered(1)
  await room.send('late')
  await room.send('at once')
  expect(await first).toEqual(['Echo: at once'])
  const second = answered(2)
  await room.send('news')
  expect((await second).toSorted()).toEqual(['Echo: late', 'Echo: news'])
  expect(errors.codes).toEqual([])
})

test('a room that cannot be read for now is read again, from where it was left', async () => {
  let troubles = 3
  const { bot, room, errors, answered } = await troubled((messages) => (options) => ({
    async *[Symbol.asyncIterator]() {
      for await (const message of messages(options)) {
        if (!message.isOwn && options?.live === true && troubles-- > 0) throw new Error('REQUEST_CANCELLED')
        yield message
      }
    }
  }))
  await bot.start({ ...QUIET, invite: false })
  const all = answered(2)
  await room.send('one')
  await room.send('two')
  expect(await all).toEqual(['Echo: one', 'Echo: two'])
  expect(errors.codes).toEqual(['BOT_ROOM_FAILED', 'BOT_ROOM_FAILED', 'BOT_ROOM_FAILED'])
})

test('a room that does not open at first is tried again until it does, and what was said meanwhile is handled', async () => {
  const { bot, joined, room, errors, answered } = await troubled((messages) => messages)
  const { info } = joined
  const failed = new Promise<void>((resolve) => bot.events.on('error', () => errors.codes.length === 3 && resolve()))
  Object.assign(joined, {
    info: () => (errors.codes.length < 3 ? Promise.reject(new RoomError('ROOM_BROKEN', 'The disk does not answer.')) : info())
  } satisfies Partial<Room>)
  await bot.start({ ...QUIET, invite: false })
  const all = answered(2)
  await room.send('one')
  await failed
  await room.send('two')
  expect(await all).toEqual(['Echo: one', 'Echo: two'])
  expect(errors.codes).toEqual(['BOT_ROOM_FAILED', 'BOT_ROOM_FAILED', 'BOT_ROOM_FAILED'])
})

test('a message that the disk could not be asked about is handled when it is read again', async () => {
  const [alice, bob] = [await makePeer(net, 'Alice'), await makePeer(net, 'Bob')]
  const room = await alice.rooms.create({ name: 'Tea' })
  const joined = await bob.rooms.join(await room.createInvite())
  const state = await openState(await temporaryFolder())
  onTestFinished(() => state.close())
  const progress = await openProgress(joined, state)
  const errors: string[] = []
  const handled = new Promise<string>((resolve) => {
    const worker = startRoomWorker({
      room: joined,
      progress: { ...progress, isDone: (id) => (errors.length === 0 ? Promise.reject(new Error('The disk does not answer.')) : progress.isDone(id)) },
      limits: DEFAULT_LIMITS,
      handle: async ({ text }) => resolve(text),
      onlimited: () => undefined,
      onerror: ({ code }) => errors.push(code)
    })
    onTestFinished(() => worker.stop())
  })
  await room.send('one')
  expect(await handled).toBe('one')
  expect(errors).toEqual(['BOT_ROOM_FAILED'])
})

test('where the place to go on from is gone for good, the bot says so and goes on with what comes', { timeout: 90_000 }, async () => {
  let isLost = true
  const gone = (options: MessagesOptions | undefined): boolean => isLost && options?.live === true
  const { bot, room, errors, answered } = await troubled((messages) => (options) => ({
    async *[Symbol.asyncIterator]() {
      if (gone(options)) throw new RoomError('MESSAGE_NOT_FOUND', 'There is no message with this id in the room.')
      yield* messages(options)
    }
  }))
  await room.send('lost')
  const lost = bot.events.once('error')
  await bot.start({ ...QUIET, invite: false })
  expect(isCoveyError(await lost, 'BOT_CURSOR_LOST')).toBe(true)
  isLost = false
  const next = answered(1)
  await room.send('found')
  expect(await next).toEqual(['Echo: found'])
  expect(errors.codes).toEqual(['BOT_CURSOR_LOST'])
})

test('there are so many sessions, and the one that was not changed for longest goes, also after a restart', async () => {
  const folder = await temporaryFolder()
  let state = await openState(folder)
  let sessions = await openSessions(state, () => ({ at: -1 }))
  const change = async (person: number): Promise<void> => {
    const session = await sessions.load('room', `p${person}`)
    await state.write(session.save({ at: session.value.at + person + 2 }))
  }
  const at = async (person: number): Promise<number> => (await sessions.load('room', `p${person}`)).value.at
  for (let person = 0; person < MAX_SESSIONS; person++) await change(person)
  await change(0)
  await state.close()

  state = await openState(folder)
  sessions = await openSessions(state, () => ({ at: -1 }))
  await change(MAX_SESSIONS)
  expect([await at(0), await at(1), await at(2), await at(MAX_SESSIONS)]).toEqual([3, -1, 3, MAX_SESSIONS + 1])
  let kept = 0
  for await (const [key] of state.entries('session/')) kept += key.startsWith('session/room/') ? 1 : 0
  expect(kept).toBe(MAX_SESSIONS)
  expect((await sessions.load('room', 'p2')).save({ at: 3 })).toEqual([])
  expect(await codeOf(() => openState(folder))).toBe('BOT_STATE_FAILED')
  await state.close()
})
