import { expect, test } from 'vitest'
import type ProtomuxWakeup from 'protomux-wakeup'
import { decodeKey } from '@covey/core'
import type { Room } from '@covey/rooms'
import { partsOf } from '@covey/transport/internal'
import { partsOfRooms } from '../src/internal/rooms-parts.js'
import { randomBytes } from '../src/internal/crypto.js'
import { coresOf } from '../src/internal/room-cores.js'
import { allOf, codeOf, messagesOf, open, person, shareRoom, start, textsOf, until, useLocalNetwork, type TestPeer } from './support.js'
import { bringToSleep, made, openRooms } from './support-asleep.js'

const net = useLocalNetwork()

test('a peer that starts opens no room; each is opened when it is used, and few are open at a time', { timeout: 60_000 }, async () => {
  const alice = await start(net, 'Alice')
  const made: Room[] = []
  for (let i = 0; i < 8; i++) {
    made.push(await alice.rooms.create({ name: `Room ${i}` }))
    await made[i]!.send(`in ${i}`)
  }
  await alice.close()

  const again = await open(alice.person, net, undefined, { maxOpenRooms: 2 })
  expect(again.rooms.list().map(({ id }) => id).toSorted()).toEqual(made.map(({ id }) => id).toSorted())
  expect(openRooms(again)).toEqual([])
  const rooms = made.map(({ id }) => again.rooms.get(id)!)
  expect(await Promise.all(rooms.map((room) => textsOf(room)))).toEqual(made.map((_, i) => [`in ${i}`]))
  await fewOpen(again, 2)
  // Those that are asleep now are the same objects, and go on.
  await Promise.all(rooms.map((room, i) => room.send(`again in ${i}`)))
  expect(await Promise.all(rooms.map((room) => textsOf(room)))).toEqual(made.map((_, i) => [`in ${i}`, `again in ${i}`]))
  await fewOpen(again, 2)
  expect(rooms.map(({ id }) => again.rooms.get(id))).toEqual(rooms)
})

test('news wake a room, which tells of them though nobody has asked; what is unread is right at once', { timeout: 60_000 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await startWith(1, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  await bringToSleep(bob, his)
  const told = his.once('update')
  await hers.send('news')
  await told
  await allOf(his, ['news'])
  expect(await his.unread()).toMatchObject({ count: 1 })

  // And of what was said while nobody was connected.
  await bringToSleep(bob, his)
  await alice.node.suspend()
  await hers.send('in the dark')
  await alice.node.resume()
  await until(his, async () => ((await his.unread()).count === 2 ? true : undefined))
})

test('a room that sleeps gives others what it has, and learns from one that sleeps too', { timeout: 90_000 }, async () => {
  const [alice, bob, carol] = [await startWith(1, 'Alice'), await startWith(1, 'Bob'), await start(net, 'Carol')]
  const [hers, his, carols] = (await shareRoom(alice, bob, carol)) as [Room, Room, Room]
  await carols.send('for later')
  await allOf(hers, ['for later'])
  await bob.node.suspend()
  await carols.send('while Bob is away')
  await allOf(hers, ['while Bob is away'])
  await carol.close()
  await bringToSleep(alice, hers)
  await bringToSleep(bob, his)
  await bob.node.resume()
  await allOf(his, ['for later', 'while Bob is away'])
})

test('whatever is open, everybody ends up with the same messages, each once', { timeout: 120_000 }, async () => {
  const peers = [await startWith(1, 'Alice'), await startWith(2, 'Bob'), await startWith(1, 'Carol')]
  const shared: Room[][] = []
  for (let i = 0; i < 4; i++) shared.push(await shareRoom(...peers))
  for (let round = 0; round < 5; round++) {
    await Promise.all(shared.flatMap((rooms, i) => rooms.map((room, peer) => room.send(`${round} of ${peer} in ${i}`))))
    if (round === 2) await peers[1]!.node.suspend()
    if (round === 3) await peers[1]!.node.resume()
  }
  for (const [i, rooms] of shared.entries()) {
    const texts = [0, 1, 2, 3, 4].flatMap((round) => [0, 1, 2].map((peer) => `${round} of ${peer} in ${i}`))
    const seen = await Promise.all(rooms.map(async (room) => (await allOf(room, texts)).map(({ text }) => text)))
    for (const each of seen) expect(each.toSorted()).toEqual(texts.toSorted())
  }
  const order = async (room: Room): Promise<string[]> => (await messagesOf(room, { pending: false })).map(({ id }) => id)
  for (const rooms of shared) {
    await expect.poll(async () => new Set(await Promise.all(rooms.map(async (room) => String(await order(room))))).size, { timeout: 30_000 }).toBe(1)
  }
})

test('what is read live, and who listens for who is there, keeps a room open', { timeout: 60_000 }, async () => {
  const alice = await startWith(1, 'Alice')
  const [read, heard, other, another] = [await made(alice, 1), await made(alice, 2), await made(alice, 3), await made(alice, 4)]
  const reading = read.messages({ live: true })[Symbol.asyncIterator]()
  const first = reading.next()
  const stop = heard.on('presence', () => undefined)
  await bringToSleep(alice, other)
  await bringToSleep(alice, another)
  expect(openRooms(alice)).toEqual(expect.arrayContaining([read.id, heard.id]))
  await read.send('hello')
  expect((await first).value).toMatchObject({ text: 'hello' })
  await reading.return?.()
  stop()
  await bringToSleep(alice, read)
  await bringToSleep(alice, heard)
})

test('a live display goes on over what it is told of later', { timeout: 60_000 }, async () => {
  const alice = await startWith(1, 'Alice')
  const [room, other] = [await made(alice, 1), await made(alice, 2)]
  await bringToSleep(alice, room)
  const timeline = room.timeline({ window: 1 })
  timeline.showMore(1)
  await other.send('elsewhere')
  await room.send('one')
  await room.send('two')
  for await (const { messages } of timeline) if (messages.length === 2) break
  const notes = room.collection<string>('notes', { codec: { encode: (text) => Buffer.from(text), decode: (bytes) => Buffer.from(bytes).toString() } })
  await notes.put('a', '1')
  await bringToSleep(alice, room)
  expect(await notes.get('a')).toBe('1')
  await bringToSleep(alice, room)
  const keys: string[] = []
  for await (const { key } of notes.range()) keys.push(key)
  expect(keys).toEqual(['a'])
})

test('who comes with an invite is let in by a room that sleeps', { timeout: 60_000 }, async () => {
  const alice = await startWith(1, 'Alice')
  const [room, other] = [await made(alice, 1), await made(alice, 2)]
  const invite = await room.createInvite()
  await other.send('elsewhere')
  await bringToSleep(alice, room)
  const bob = await start(net, 'Bob')
  const his = await bob.rooms.join(invite)
  await his.send('here I am')
  await allOf(room, ['here I am'])
})

test('a node that sleeps wakes with rooms that sleep, and they have what was said', { timeout: 60_000 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await startWith(1, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  await bringToSleep(bob, his)
  await bob.node.suspend()
  await hers.send('while you slept')
  const told = his.once('update')
  await bob.node.resume()
  await told
  await allOf(his, ['while you slept'])
})

test('a direct room that sleeps is found again, and who is blocked is known from rooms that sleep', { timeout: 90_000 }, async () => {
  const [alice, bob] = [await startWith(1, 'Alice'), await start(net, 'Bob')]
  bob.rooms.directMessages.on('request', ({ id }) => bob.rooms.directMessages.accept(id))
  const them = bob.identity.identity.id
  const direct = await alice.rooms.directMessages.open(them)
  await until(direct, async () => ((await direct.members()).length === 2 ? true : undefined))
  await alice.close()
  const again = await open(alice.person, net, undefined, { maxOpenRooms: 1 })
  expect((await again.rooms.directMessages.open(them)).id).toBe(direct.id)
  await again.rooms.get(direct.id)!.info()
  await bringToSleep(again, again.rooms.get(direct.id)!)
  await expect.poll(() => again.node.peers, { timeout: 30_000 }).toEqual([bob.node.id])
  const parted = again.node.once('disconnect')
  await again.rooms.contacts.block(them)
  await parted
  expect(openRooms(again)).not.toContain(direct.id)
})

test('a peer that says to have what nobody has, has a room opened now and then, and not without end', { timeout: 60_000 }, async () => {
  const [alice, mallory] = [await startWith(1, 'Alice'), await start(net, 'Mallory')]
  const [hers] = (await shareRoom(alice, mallory)) as [Room, Room]
  let opened = 0
  partsOfRooms(alice.rooms).onopen(({ room }) => void (opened += room.id === hers.id ? 1 : 0))
  await bringToSleep(alice, hers)
  await mallory.rooms.get(hers.id)!.close()
  const wakeup = partsOf(mallory.node).wakeup as ProtomuxWakeup
  const { key } = (await partsOfRooms(mallory.rooms).records.get(decodeKey(hers.id)))!
  const session = wakeup.session(key!, { active: false })
  await expect.poll(() => session.peers.length, { timeout: 10_000 }).toBeGreaterThan(0)
  const other = await made(alice, 2)
  const startedAt = Date.now()
  while (Date.now() - startedAt < 8_000) {
    for (const peer of session.peers) session.announce(peer, [{ key: randomBytes(32), length: 1e9 }])
    await other.send('meanwhile')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  expect(opened).toBeGreaterThan(0)
  expect(opened).toBeLessThanOrEqual(3)
})

test('what a mirror has of the views of a room does not wake it, nor is it read as somebody’s writing', { timeout: 60_000 }, async () => {
  const alice = await start(net, 'Alice')
  const room = await made(alice, 1)
  await room.send('hello')
  const errors: unknown[] = []
  room.on('error', (error) => void errors.push(error))
  const cores = coresOf(room)
  const [, ...views] = await cores.keys()
  expect(views.length).toBeGreaterThan(1)
  for (const key of views) await cores.wake(key, 1_000)
  await bringToSleep(alice, room)
  // By then it would have been woken.
  for (let i = 2; i < 5; i++) await (await made(alice, i)).send('hello')
  expect(openRooms(alice)).not.toContain(room.id)
  expect(errors).toEqual([])
  expect(await textsOf(room)).toEqual(['hello'])
})

test('a room that was closed by the app is not opened again by what comes', { timeout: 60_000 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await startWith(1, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  await bringToSleep(bob, his)
  await his.close()
  await hers.send('too late')
  expect(await codeOf(() => his.info())).toBe('ROOM_CLOSED')
  expect(await codeOf(() => messagesOf(his))).toBe('ROOM_CLOSED')
  expect(bob.rooms.list()).toEqual([])
  expect(openRooms(bob)).toEqual([])
})

test('a room is opened for what its list says, and not for less than one', async () => {
  const alice = await person('Alice')
  await expect(open(alice, net, undefined, { maxOpenRooms: 0 })).rejects.toThrow(/init\.maxOpenRooms/)
})

async function startWith(maxOpenRooms: number, name: string): Promise<TestPeer> {
  return open(await person(name), net, undefined, { maxOpenRooms })
}

async function fewOpen(peer: TestPeer, count: number): Promise<void> {
  await expect.poll(() => openRooms(peer).length, { timeout: 30_000 }).toBeLessThanOrEqual(count)
}
