import { expect, test } from 'vitest'
import { encodeZ32 } from '@covey/core'
import type { Message, Room } from '@covey/rooms'
import { allOf, codeOf, open, shareRoom, start, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('what others have sent is unread until it is marked, also after a restart', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [room, theirs] = await shareRoom(alice, bob)
  expect(await theirs!.unread()).toEqual({ count: 0, mentions: 0 })
  const texts = ['a', '@Bob b', 'c', 'd']
  const mention = { member: bob.identity.identity.id, start: 0, length: 4 }
  const sent: Message[] = []
  for (const text of texts) sent.push(await room!.send(text, text.startsWith('@') ? { mentions: [mention] } : {}))
  await allOf(theirs!, texts)
  await theirs!.send('own')
  await room!.delete(sent[3]!.id)
  await until(theirs!, async () => ((await theirs!.message(sent[3]!.id))?.kind === 'deleted' ? true : undefined))
  expect(await theirs!.unread()).toEqual({ count: 3, mentions: 1, first: sent[0]!.id })

  const told = theirs!.once('update')
  await theirs!.markRead(sent[1]!.id)
  await told
  expect(await theirs!.unread()).toEqual({ count: 1, mentions: 0, first: sent[2]!.id })
  // It does not go back.
  await Promise.all([theirs!.markRead(sent[0]!.id), theirs!.markRead(sent[2]!.id), theirs!.markRead(sent[0]!.id)])
  expect(await theirs!.unread()).toEqual({ count: 0, mentions: 0 })
  // It is this device's alone.
  expect(await room!.unread()).toMatchObject({ count: 1 })

  await bob.close()
  const again = (await open(bob.person, net)).rooms.get(theirs!.id)!
  expect(await again.unread()).toEqual({ count: 0, mentions: 0 })
  const last = await room!.send('e')
  await allOf(again, ['e'])
  expect(await again.unread()).toEqual({ count: 1, mentions: 0, first: last.id })
  await again.markRead()
  expect(await again.unread()).toEqual({ count: 0, mentions: 0 })
})

test('many unread ones are counted to a bound', { timeout: 60_000 }, async () => {
  const [room, theirs] = await shareRoom(await start(net), await start(net))
  const texts = Array.from({ length: 1_100 }, (_, i) => `${i}`)
  const sent = await Promise.all(texts.map((text) => room!.send(text)))
  await until(theirs!, () => theirs!.message(sent.at(-1)!.id))
  expect(await theirs!.unread()).toEqual({ count: 1_000, mentions: 0, first: sent[100]!.id })
})

test('an empty room, a message that is not there, and what is no id', async () => {
  const room: Room = await (await start(net)).rooms.create({ name: 'Tea' })
  await room.markRead()
  expect(await room.unread()).toEqual({ count: 0, mentions: 0 })
  expect(await codeOf(() => room.markRead(encodeZ32(new Uint8Array(32))))).toBe('MESSAGE_NOT_FOUND')
  expect(await codeOf(() => room.markRead(5 as never))).toBe('TypeError')
  expect(await codeOf(() => room.markRead(undefined, { singal: 5 } as never))).toBe('TypeError')
  await room.close()
  expect(await codeOf(() => room.unread())).toBe('ROOM_CLOSED')
  expect(await codeOf(() => room.markRead())).toBe('ROOM_CLOSED')
})
