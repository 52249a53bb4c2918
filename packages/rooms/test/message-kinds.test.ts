import { expect, test } from 'vitest'
import { defineContent, encodeZ32 } from '@covey/core'
import { pollContent, type Room } from '@covey/rooms'
import { declareKinds, kindsOf } from '../src/internal/message-kinds.js'
import { OpType } from '../src/internal/op.js'
import { encodeStruct } from '../src/internal/structs.js'
import { appliedBy, foundBy, hostileScene, memberOf, startDevice } from './support-apply.js'
import { allOf, codeOf, shareRoom, start, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
const note = defineContent({ name: 'acme/note', version: 1, codec: { encode: (text: string) => Buffer.from(text), decode: (bytes) => Buffer.from(bytes).toString() } })

test('links and media are for the roles that the rules name', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  await his.send('https://covey.example')
  // What is sent at once with the change may come after it.
  await allOf(hers, ['https://covey.example'])
  await hers.setRules({ links: 'moderator', media: 'admin' })
  await until(his, async () => ((await his.info()).rules.media === 'admin' ? true : undefined))
  expect(await codeOf(() => his.send('see https://covey.example'))).toBe('ROOM_FORBIDDEN')
  expect(await codeOf(() => his.send(note.create('x')))).toBe('ROOM_FORBIDDEN')
  const { id } = await his.send('no link')
  expect(await codeOf(() => his.edit(id, 'www.covey.example'))).toBe('ROOM_FORBIDDEN')
  await hers.send('https://covey.example/rules')
  await hers.send(note.create('of an admin'))
  const shown = await allOf(hers, ['https://covey.example', 'no link', 'https://covey.example/rules'])
  expect(shown.map(({ kind }) => kind).toSorted()).toEqual(['content', 'text', 'text', 'text'])
})

test('what a link is', () => {
  const kinds = (text: string): number => kindsOf({ kind: 'text', text })
  for (const text of ['http://a', 'a (https://b.c)', 'www.example.com', 'mailto:a@b', 'COVEY:invite/x', 'magnet:?x', '_https://a.b', '1https://a.b', `${'a'.repeat(20)}https://a.b`, '_www.a.b']) expect(kinds(text), text).toBe(1)
  for (const text of ['', 'a:b', 'http', 'note: this', 'www', '12:30', 'a/b', 'tel aviv']) expect(kinds(text), text).toBe(0)
  const poll = { question: 'Which one?', options: ['none', 'https://a.b'], isMultiple: false }
  const contents = [pollContent.create(poll), pollContent.create({ ...poll, options: ['none', 'all'] }), note.create('https://a.b')]
  expect(contents.map((content) => kindsOf({ kind: 'content', text: '', content }))).toEqual([3, 2, 2])
  const started = performance.now()
  kinds('a'.repeat(60_000) + 'http:/'.repeat(100))
  expect(performance.now() - started).toBeLessThan(1_000)
})

test('software that says nothing of what it sends, or owns up to it, is not in the room', async () => {
  const { owner, hostile } = await hostileScene(net, 'member')
  await owner.room.setRules({ links: 'moderator' })
  const { id } = await owner.room.send('from here on')
  await until(owner.room, async () => ((await owner.room.message(id))?.state === 'sent' ? true : undefined))
  const row = (await owner.view.all('messages'))[0]!
  await hostile.has(row.id)
  for (const payload of [null, new Uint8Array(0), Uint8Array.of(0xff, 1), declareKinds(1), declareKinds(3)]) {
    await appliedBy(owner, hostile.key, await hostile.write({ type: OpType.message, payload }, new Uint8Array(64)))
  }
  expect(await owner.view.all('messages')).toHaveLength(1)
  await appliedBy(owner, hostile.key, await hostile.write({ type: OpType.message, payload: declareKinds(2) }, new Uint8Array(64)))
  expect(await owner.view.all('messages')).toHaveLength(2)
})

test('a message with more in it than it says is shown as unknown, and as nothing else', async () => {
  const owner = await foundBy(await startDevice(net))
  const member = await memberOf(owner, await startDevice(net))
  await owner.room.setRules({ links: 'moderator' })
  await until(member.room, async () => ((await member.room.info()).rules.links === 'moderator' ? true : undefined))
  const body = encodeStruct('message-body', { text: 'https://phish.example' })
  const [written] = await member.log.append([{ type: 'message', payload: declareKinds(0), body }], { underEpoch: true })
  expect(written!.isAccepted).toBe(true)
  const shown = await until(owner.room, () => owner.room.message(encodeZ32(written!.id)))
  expect([shown.kind, shown.text]).toEqual(['unknown', ''])
})
