import { expect, test } from 'vitest'
import { pollContent, type Message, type Poll, type Room } from '@covey/rooms'
import { OpType } from '../src/internal/op.js'
import { appliedBy, effectOf, hostileScene } from './support-apply.js'
import { codeOf, shareRoom, start, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

const POLL: Poll = { question: 'Which tea?', options: ['green', 'black', 'none'], isMultiple: false }

function comesTo(room: Room, id: string, like: (message: Message) => boolean): Promise<Message> {
  return until(room, async () => {
    const message = await room.message(id)
    return message !== undefined && like(message) ? message : undefined
  })
}

const counts = ({ poll }: Message): string => poll!.options.map(({ count }) => count).join()

test('a poll is voted in, changed one’s mind about, and ended', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [room, theirs] = await shareRoom(alice, bob)
  const { id, poll } = await room!.send(pollContent.create(POLL))
  expect(poll).toMatchObject({ ...POLL, options: [{ text: 'green', count: 0 }, { text: 'black' }, { text: 'none' }], voters: 0, isClosed: false })
  await comesTo(theirs!, id, () => true)
  await theirs!.vote(id, [0])
  await room!.vote(id, [1])
  await theirs!.vote(id, [1])
  const voted = await comesTo(room!, id, (message) => counts(message) === '0,2,0')
  expect(voted.poll).toMatchObject({ voters: 2, options: [{ by: [], isOwn: false }, { by: expect.arrayContaining([bob.identity.identity.id, alice.identity.identity.id]) as unknown, isOwn: true }, {}] })
  await theirs!.vote(id, [])
  await comesTo(room!, id, (message) => counts(message) === '0,1,0')
  expect(await codeOf(() => theirs!.closePoll(id))).toBe('ROOM_FORBIDDEN')
  await room!.closePoll(id)
  expect((await comesTo(theirs!, id, (message) => message.poll!.isClosed)).poll).toMatchObject({ voters: 1 })
  for (const call of [() => theirs!.vote(id, [0]), () => room!.vote(id, [0]), () => room!.closePoll(id)]) expect(await codeOf(call)).toBe('POLL_CLOSED')
  // What was asked stays what was voted about.
  await room!.edit(id, pollContent.create({ ...POLL, options: ['coffee', 'tea'] }))
  expect((await room!.message(id))?.poll).toMatchObject({ ...voted.poll, voters: 1, isClosed: true, options: [{ text: 'green' }, { text: 'black', count: 1 }, {}] })
  await room!.delete(id)
  expect((await room!.message(id))?.poll).toBeUndefined()
  expect(await codeOf(() => room!.vote(id, [0]))).toBe('MESSAGE_DELETED')
})

test('what may be chosen is what the poll says', async () => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  const [one, many, none] = [await room.send(pollContent.create(POLL)), await room.send(pollContent.create({ ...POLL, isMultiple: true })), await room.send('no poll')]
  for (const choices of [[3], [-1], [0.5], [0, 1], [0, 0], ['0'], 'x', undefined]) {
    expect([choices, await codeOf(() => room.vote(one.id, choices as number[]))]).toEqual([choices, 'TypeError'])
  }
  await room.vote(many.id, [2, 0])
  expect(counts((await room.message(many.id))!)).toBe('1,0,1')
  expect(await codeOf(() => room.vote(many.id, [0, 0]))).toBe('TypeError')
  for (const call of [() => room.vote(none.id, [0]), () => room.closePoll(none.id)]) expect(await codeOf(call)).toBe('POLL_NOT_FOUND')
  expect(counts((await room.message(one.id))!)).toBe('0,0,0')
})

test('forged votes: other software ends no poll of others, and a vote that nobody can read is none', async () => {
  const { owner, hostile } = await hostileScene(net, 'member')
  const { id } = await owner.room.send(pollContent.create(POLL))
  const target = (await owner.view.messages(0, 1))[0]!.id
  await hostile.has(target)
  expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.closeVote, target }))).toEqual([])
  expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.vote }))).toEqual([])
  expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.vote, target, payload: new Uint8Array(500) }))).toEqual([])
  expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.vote, target }, new Uint8Array(60)))).toEqual(['message-states', 'votes'])
  expect((await owner.room.message(id))?.poll).toMatchObject({ voters: 0, options: [{ count: 0 }, { count: 0 }, { count: 0 }] })
  await owner.room.closePoll(id)
  await appliedBy(owner, hostile.key, await hostile.write({ type: OpType.message }))
  expect((await owner.view.messageState(0))?.votes).toBe(1)
})
