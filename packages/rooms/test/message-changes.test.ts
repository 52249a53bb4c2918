import { expect, test } from 'vitest'
import { encodeZ32, isCoveyError } from '@covey/core'
import type { Message, Room } from '@covey/rooms'
import { OpType } from '../src/internal/op.js'
import { encodeStruct } from '../src/internal/structs.js'
import { appliedBy, effectOf, hostileScene } from './support-apply.js'
import { codeOf, messagesOf, shareRoom, start, textsOf, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

/** A room of Alice, who owns it, and Bob. */
async function pair(): Promise<[Room, Room, ...string[]]> {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [room, theirs] = await shareRoom(alice, bob)
  return [room!, theirs!, alice.identity.identity.id, bob.identity.identity.id]
}

/** Waits until a message is as it should be on another device. */
function comesTo(room: Room, id: string, like: (message: Message) => boolean): Promise<Message> {
  return until(room, async () => {
    const message = await room.message(id)
    return message !== undefined && like(message) ? message : undefined
  })
}

test('replies, mentions and threads come through', async () => {
  const [room, theirs, , bob] = await pair()
  const root = await room.send('Tea?')
  const text = '😀 @Bob: tea'
  const reply = await room.send(text, { replyTo: root.id, mentions: [{ member: bob!, start: 2, length: 4 }] })
  expect([...reply.text].slice(2, 6).join('')).toBe('@Bob')
  const first = await room.send('in the thread', { thread: root.id })
  const second = await room.send('deeper', { thread: first.id, replyTo: first.id })
  expect([first.thread, second.thread, second.replyTo]).toEqual([root.id, root.id, first.id])
  await room.send('beside')

  const received = await comesTo(theirs, second.id, ({ state }) => state === 'sent')
  expect(received).toEqual({ ...second, isOwn: false, state: 'sent' })
  expect(await theirs.message(reply.id)).toMatchObject({ replyTo: root.id, mentions: [{ member: bob, start: 2, length: 4 }] })
  expect((await theirs.message(root.id))?.replies).toBe(2)
  await until(theirs, async () => ((await textsOf(theirs)).length === 5 ? true : undefined))
  const thread = root.id
  expect(await textsOf(theirs, { thread })).toEqual(['in the thread', 'deeper'])
  expect(await textsOf(theirs, { thread: second.id })).toEqual(['in the thread', 'deeper'])
  expect(await textsOf(theirs, { thread, limit: 1 })).toEqual(['deeper'])
  expect(await textsOf(theirs, { thread, since: root.id, limit: 1 })).toEqual(['in the thread'])
  expect(await textsOf(theirs, { thread, before: second.id })).toEqual(['in the thread'])
  expect(await textsOf(theirs, { thread: reply.id })).toEqual([])

  const live = theirs.messages({ thread, live: true, limit: 1 })[Symbol.asyncIterator]()
  expect((await live.next()).value).toMatchObject({ text: 'deeper' })
  const next = live.next()
  await room.send('beside again')
  await room.send('more', { thread })
  expect((await next).value).toMatchObject({ text: 'more' })
  await live.return!()
})

test('an edit is shown everywhere, and what was there before stays to be looked up', async () => {
  const [room, theirs] = await pair()
  const sent = await room.send('helo')
  const edited = await room.edit(sent.id, 'hello')
  await room.edit(sent.id, { type: 'a', version: 1, data: Uint8Array.of(1) })
  expect(edited).toMatchObject({ id: sent.id, text: 'hello', edits: 1, sentAt: sent.sentAt })
  expect(edited.editedAt).toBeGreaterThanOrEqual(sent.sentAt)
  const received = await comesTo(theirs, sent.id, ({ edits }) => edits === 2)
  expect(received).toMatchObject({ kind: 'content', text: '', content: { type: 'a' } })
  const versions = await theirs.edits(sent.id)
  expect(versions.map(({ kind, text }) => [kind, text])).toEqual([['text', 'helo'], ['text', 'hello'], ['content', '']])
  expect((await messagesOf(theirs))[0]).toEqual(received)
})

test('a deletion leaves a place and nothing in it', async () => {
  const [room, theirs, alice, bob] = await pair()
  const [own, others] = [await theirs.send('mine'), await theirs.send('another of mine')]
  await theirs.edit(own.id, 'mine, edited')
  await comesTo(room, own.id, ({ edits }) => edits === 1)
  await room.react(own.id, '👍')
  await room.pin(own.id)
  await comesTo(theirs, own.id, ({ isPinned }) => isPinned)
  await theirs.delete(own.id)
  // The owner may delete what others have written.
  await until(room, async () => ((await room.message(others.id)) ? true : undefined))
  await room.delete(others.id)

  const deleted = await comesTo(room, own.id, ({ kind }) => kind === 'deleted')
  expect(deleted).toEqual({ ...own, isOwn: false, state: 'sent', kind: 'deleted', text: '', deletedBy: bob })
  expect(await room.edits(own.id)).toEqual([])
  expect(await room.pins()).toEqual([])
  expect(await comesTo(theirs, others.id, ({ kind }) => kind === 'deleted')).toMatchObject({ deletedBy: alice })
  for (const call of [
    () => room.delete(own.id),
    () => room.react(own.id, '👍'),
    () => room.pin(own.id),
    () => theirs.edit(own.id, 'again')
  ]) {
    expect(await codeOf(call)).toBe('MESSAGE_DELETED')
  }
})

test('reactions are counted by people, and taken back', async () => {
  const [room, theirs, alice, bob] = await pair()
  const { id } = await room.send('Tea!')
  await comesTo(theirs, id, () => true)
  await theirs.react(id, '☕')
  await comesTo(room, id, ({ reactions }) => reactions.length === 1)
  await Promise.all([room.react(id, '👍'), room.react(id, '☕'), room.react(id, '☕'), room.react(id, '🏴󠁧󠁢󠁥󠁮󠁧󠁿')])
  const { reactions } = await comesTo(theirs, id, (message) => message.reactions.length === 3)
  expect(reactions).toEqual([
    { emoji: '☕', count: 2, by: [bob, alice], isOwn: true },
    { emoji: '👍', count: 1, by: [alice], isOwn: false },
    { emoji: '🏴󠁧󠁢󠁥󠁮󠁧󠁿', count: 1, by: [alice], isOwn: false }
  ])
  // Not waited for: each is done before the next looks.
  await Promise.all([theirs.unreact(id, '☕'), theirs.react(id, '1️⃣'), theirs.unreact(id, '1️⃣'), theirs.unreact(id, '🇩🇪')])
  const left = await comesTo(room, id, (message) => message.reactions.every(({ by }) => !by.includes(bob!)))
  expect(left.reactions.map(({ emoji, count }) => [emoji, count])).toEqual([['👍', 1], ['☕', 1], ['🏴󠁧󠁢󠁥󠁮󠁧󠁿', 1]])
})

test('one person reacts in so many ways, and no more', async () => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  const { id } = await room.send('Tea!')
  const emojis = Array.from({ length: 17 }, (_, i) => String.fromCodePoint(0x1f600 + i))
  for (const emoji of emojis.slice(0, 16)) await room.react(id, emoji)
  expect(await codeOf(() => room.react(id, emojis[16]!))).toBe('TOO_MANY_REACTIONS')
  await room.unreact(id, emojis[0]!)
  await room.react(id, emojis[16]!)
  expect((await room.message(id))?.reactions).toHaveLength(16)
})

test.each(['', 'a', '5', 'ok 👍', '👍\n', '👍'.repeat(17), '\u202e👍', '\ud83d', 5, undefined])('%o is no emoji', async (emoji) => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  const { id } = await room.send('Tea!')
  expect(await codeOf(() => room.react(id, emoji as string))).toBe('TypeError')
  expect((await room.message(id))?.reactions).toEqual([])
})

test('pins are the room’s, and a forwarded message says so', async () => {
  const [room, theirs] = await pair()
  const [one, two] = [await room.send('one'), await room.send('two')]
  for (const { id } of [two, one, one]) await room.pin(id)
  await comesTo(theirs, one.id, ({ isPinned }) => isPinned)
  expect((await theirs.pins()).map(({ text }) => text)).toEqual(['one', 'two'])
  await room.unpin(two.id)
  await comesTo(theirs, two.id, ({ isPinned }) => !isPinned)
  expect((await theirs.pins()).map(({ text }) => text)).toEqual(['one'])
  const forwarded = await theirs.forward((await theirs.message(one.id))!)
  expect(forwarded).toMatchObject({ text: 'one', isForwarded: true })
  expect(await codeOf(() => room.forward({ kind: 'deleted', text: '' }))).toBe('TypeError')
  // What is edited stays marked, and does not become an answer.
  expect(await theirs.edit(forwarded.id, 'other words')).toMatchObject({ isForwarded: true, text: 'other words' })
})

test('who may not is told so, and nothing comes of it', async () => {
  const [room, theirs, , bob] = await pair()
  const [hers, his] = [await room.send('hers'), await theirs.send('his')]
  await comesTo(theirs, hers.id, () => true)
  await comesTo(room, his.id, () => true)
  const refused = async (calls: (() => Promise<unknown>)[]): Promise<void> => {
    for (const call of calls) expect([String(call), await codeOf(call)]).toEqual([String(call), 'ROOM_FORBIDDEN'])
  }
  await refused([() => theirs.edit(hers.id, 'x'), () => theirs.delete(hers.id), () => theirs.pin(hers.id), () => theirs.unpin(hers.id), () => room.edit(his.id, 'x')])

  await room.mute(bob!)
  await until(theirs, async () => ((await theirs.members()).some(({ isSelf, isMuted }) => isSelf && isMuted) ? true : undefined))
  await refused([() => theirs.edit(his.id, 'x'), () => theirs.react(hers.id, '👍'), () => theirs.forward(hers), () => theirs.send('x', { thread: hers.id })])
  // Who is muted takes back what they have said.
  await theirs.delete(his.id)
  await comesTo(room, his.id, ({ kind }) => kind === 'deleted')
  expect(await messagesOf(theirs)).toMatchObject([{ text: 'hers', edits: 0, reactions: [], isPinned: false }, { kind: 'deleted' }])
})

test('a message that is not there, or an option that is none, is refused', async () => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  const { id } = await room.send('here')
  const member = (await room.members())[0]!.id
  for (const other of [encodeZ32(new Uint8Array(32)), '', 'x', `${id}y`]) {
    for (const call of [
      () => room.edit(other, 'x'),
      () => room.edits(other),
      () => room.delete(other),
      () => room.react(other, '👍'),
      () => room.unreact(other, '👍'),
      () => room.pin(other),
      () => room.unpin(other),
      () => room.send('x', { replyTo: other }),
      () => room.send('x', { thread: other }),
      () => textsOf(room, { thread: other })
    ]) {
      expect([other, await codeOf(call)]).toEqual([other, 'MESSAGE_NOT_FOUND'])
    }
  }
  const mention = { member, start: 0, length: 2 }
  for (const call of [
    () => room.send('ab', { mentions: [{ ...mention, length: 3 }] }),
    () => room.send('😀', { mentions: [mention] }),
    () => room.send('abcd', { mentions: [mention, { ...mention, start: 1 }] }),
    () => room.send('ab', { mentions: [{ ...mention, length: 0 }] }),
    () => room.send('ab', { mentions: [{ ...mention, start: -1 }] }),
    () => room.send('ab', { mentions: [{ ...mention, member: 'x' }] }),
    () => room.send('ab'.repeat(101), { mentions: Array.from({ length: 101 }, (_, i) => ({ member, start: i, length: 1 })) }),
    () => room.send({ type: 'a', version: 1, data: new Uint8Array() }, { mentions: [mention] }),
    () => room.send('x', { replyTo: 5 } as never),
    () => room.edit(id, 'x', { replyTo: id } as never),
    () => room.delete(5 as never),
    () => room.pin(id, { signal: {} } as never)
  ]) {
    expect([String(call), (await call().catch((error: unknown) => error)) instanceof TypeError]).toEqual([String(call), true])
  }
  expect(await codeOf(() => room.edit(id, ''))).toBe('MESSAGE_EMPTY')
  expect(await textsOf(room)).toEqual(['here'])
  const aborted = await room.delete(id, { signal: AbortSignal.abort(new Error('no')) }).catch((error: Error) => error.message)
  expect(aborted).toBe('no')
  await room.close()
  const late = await Promise.all([room.edit(id, 'x'), room.delete(id), room.react(id, '👍'), room.pins()].map((call) => call.catch((error: unknown) => isCoveyError(error, 'ROOM_CLOSED'))))
  expect(late).toEqual([true, true, true, true])
})

test('forged changes: a member’s other software edits, deletes, pins and takes back nothing of others', async () => {
  const { owner, hostile } = await hostileScene(net, 'member')
  const { id } = await owner.room.send('the owner’s')
  await owner.room.react(id, '👍')
  const [row] = await owner.view.messages(0, 1)
  const [reaction] = await owner.view.reactions(0)
  const target = row!.id
  const write = (header: Parameters<typeof hostile.write>[0]) => effectOf(owner, hostile, () => hostile.write(header))
  // It has to have read the message to come after it: else all of this would be void anyway.
  await hostile.has(target)
  expect(await write({ type: OpType.edit, target })).toEqual([])
  expect(await write({ type: OpType.delete, target })).toEqual([])
  expect(await write({ type: OpType.pin, target })).toEqual([])
  expect(await write({ type: OpType.unreact, target, payload: encodeStruct('unreact', { reaction: reaction!.id }) })).toEqual([])
  expect(await write({ type: OpType.unreact, target, payload: new Uint8Array(3) })).toEqual([])
  expect(await write({ type: OpType.react })).toEqual([])
  expect(await write({ type: OpType.react, target: new Uint8Array(32) })).toEqual([])
  expect(await write({ type: OpType.react, target, payload: new Uint8Array(500) })).toEqual([])
  // What it may do it does, though nobody can read it: it is counted as no reaction.
  expect(await write({ type: OpType.react, target })).toEqual(['message-states', 'reactions'])
  expect(await owner.room.message(id)).toMatchObject({ text: 'the owner’s', edits: 0, isPinned: false, reactions: [{ emoji: '👍', count: 1 }] })
  // A thread of nothing is none.
  const lost = await hostile.write({ type: OpType.message, target: new Uint8Array(32) })
  await appliedBy(owner, hostile.key, lost)
  expect((await owner.room.message(encodeZ32(lost)))?.thread).toBeUndefined()
})
