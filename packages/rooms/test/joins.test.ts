import type Hypercore from 'hypercore'
import { expect, test } from 'vitest'
import type { UpstreamAutobase } from '../src/internal/guards/autobase-internals.js'
import { roleNumber } from '../src/roles.js'
import { partsOfRooms } from '../src/internal/rooms-parts.js'
import type { RoomView } from '../src/internal/view.js'
import { admission, stranger } from './support-apply.js'
import { messagesOf, start, useLocalNetwork, type TestPeer } from './support.js'

const net = useLocalNetwork()

const MESSAGES = 1_500
const LAST = 50
const PEOPLE = 400

function viewCore({ rooms }: TestPeer, room: string): Hypercore<unknown> {
  const { base } = partsOfRooms(rooms).open.get(room)!
  return (base as unknown as UpstreamAutobase<RoomView>)._viewStore.byName.get('view')!.core
}

test('who joins a room of many messages reads the last of them before the others are there, writes at once, and is named', { timeout: 120_000 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const room = await alice.rooms.create({ name: 'Tea' })
  await Promise.all(Array.from({ length: MESSAGES }, (_, i) => room.send(`message ${i}`)))
  await expect.poll(async () => (await room.health()).unsignedMessages, { timeout: 60_000 }).toBe(0)

  const joined = await bob.rooms.join(await room.createInvite())
  const texts: string[] = []
  for await (const { text, authorName } of joined.messages({ limit: LAST })) texts.push(`${authorName}: ${text}`)
  const core = viewCore(bob, joined.id)
  const here = await Promise.all(Array.from({ length: core.length }, (_, i) => core.has(i)))
  expect(texts).toEqual(Array.from({ length: LAST }, (_, i) => `Alice: message ${MESSAGES - LAST + i}`))
  expect(core.length).toBeGreaterThan(MESSAGES)
  expect(here.filter(Boolean).length).toBeLessThan(core.length / 4)

  const { id } = await joined.send('hello')
  await expect.poll(async () => (await room.message(id))?.text, { timeout: 30_000 }).toBe('hello')
  await expect.poll(async () => (await room.members()).map(({ name }) => name).toSorted(), { timeout: 60_000 }).toEqual(['Alice', 'Bob'])
  await expect.poll(() => core.contiguousLength === core.length, { timeout: 60_000 }).toBe(true)
})

test('who joins a room of many people reads of them only those whose messages it shows', { timeout: 120_000 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const room = await alice.rooms.create({ name: 'Tea' })
  const { log, base } = partsOfRooms(alice.rooms).open.get(room.id)!
  for (let i = 0; i < PEOPLE; i++) {
    const { claim } = await stranger(base.discoveryKey!)
    await log.append([{ type: 'admit', payload: admission(claim, roleNumber('member')) }])
  }
  await Promise.all(Array.from({ length: MESSAGES }, (_, i) => room.send(`message ${i}`)))
  await expect.poll(async () => (await room.health()).unsignedMessages, { timeout: 60_000 }).toBe(0)

  const joined = await bob.rooms.join(await room.createInvite())
  expect(await messagesOf(joined, { limit: LAST })).toHaveLength(LAST)
  const core = viewCore(bob, joined.id)
  const here = await Promise.all(Array.from({ length: core.length }, (_, i) => core.has(i)))
  // One of them is some blocks of the tree; all of them are more than as many as there are people.
  expect(here.filter(Boolean).length).toBeLessThan(PEOPLE)
})
