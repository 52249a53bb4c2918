import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { decodeKey, equalBytes, isCoveyError } from '@covey/core'
import type { Room, RoomHealth } from '@covey/rooms'
import { createLastingRoom } from '../src/internal/shelf/lasting-room.js'
import { createShelf } from '../src/internal/shelf/shelf.js'
import type { Place } from '../src/internal/shelf/place.js'
import type { Head } from '../src/internal/shelf/room-note.js'
import { partsOfRooms } from '../src/internal/rooms-parts.js'
import { allOf, codeOf, open, person, shareRoom, start, temporaryFolder, textsOf, until, useLocalNetwork, type TestPeer } from './support.js'
import { bringToSleep, keepOther, made, openRooms, placeOf } from './support-asleep.js'

const net = useLocalNetwork()
const startWith = async (maxOpenRooms: number, name: string): Promise<TestPeer> => open(await person(name), net, undefined, { maxOpenRooms })

afterEach(() => void vi.useRealTimers())

test('indexers whose rooms sleep are there: what is said wakes them, they sign it, and sleep again', { timeout: 180_000 }, async () => {
  const indexers = [await startWith(1, 'Alice'), await startWith(1, 'Bob'), await startWith(1, 'Carol')]
  const dave = await start(net, 'Dave')
  const [hers, his, carols, daves] = (await shareRoom(...indexers, dave)) as [Room, Room, Room, Room]
  for (const { identity } of indexers.slice(1)) await hers.setRole(identity.identity.id, 'admin')
  for (const [i, room] of [hers, his, carols].entries()) await room.send(`from ${i}`)
  await allOf(hers, ['from 0', 'from 1', 'from 2'])
  await hers.setIndexers(indexers.map(({ identity }) => identity.device.id))
  const signed = { unsignedMessages: 0, indexers: Array.from({ length: 3 }, () => ({ isOnline: true })) }
  await expect.poll(() => daves.health(), { timeout: 60_000 }).toMatchObject(signed)
  const asleep = (): boolean => indexers.every((peer) => placeOf(peer, hers).opened === undefined)
  let turn = 0
  /** One after the other, as they do by themselves within some seconds. */
  const health = async (): Promise<RoomHealth> => {
    await placeOf(indexers[turn++ % 3]!, hers).rest()
    return daves.health()
  }
  await expect.poll(async () => (await health()) && asleep(), { timeout: 60_000, interval: 300 }).toBe(true)
  expect(await daves.health()).toMatchObject(signed)
  await daves.send('sign this')
  await expect.poll(health, { timeout: 60_000, interval: 300 }).toMatchObject({ ...signed, signedMessages: 4 })
  await expect.poll(async () => (await health()) && asleep(), { timeout: 60_000, interval: 300 }).toBe(true)
})

test('what is written while both sides open it and put it to sleep all the time is heard, with nobody asking', { timeout: 120_000 }, async () => {
  const [alice, bob] = [await startWith(1, 'Alice'), await startWith(1, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  const places = [placeOf(alice, hers), placeOf(bob, his)]
  for (const peer of [alice, bob]) await keepOther(peer)
  const texts = Array.from({ length: 60 }, (_, i) => `${i}`)
  for (const [i, text] of texts.entries()) {
    const sent = [hers, his][i % 2]!.send(text)
    // Whatever it is at: sending goes on.
    await new Promise((resolve) => setTimeout(resolve, i % 7))
    for (const place of places) place.rest().catch(() => undefined)
    await sent
  }
  const lengths = (place: Place): string | undefined => {
    const known = place.opened === undefined ? place.note?.devices : undefined
    return known?.map(({ length }) => length).toSorted((a, b) => a - b).join()
  }
  // Asleep both, and each as far as the other.
  await expect.poll(() => lengths(places[0]!) !== undefined && lengths(places[0]!) === lengths(places[1]!), { timeout: 90_000, interval: 200 }).toBe(true)
  await alice.node.suspend()
  expect((await textsOf(hers)).toSorted()).toEqual(texts.toSorted())
  expect((await textsOf(his)).toSorted()).toEqual(texts.toSorted())
})

test('a room that does not wake says why, each time; the others do, and so does it when it can', { timeout: 60_000 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await startWith(1, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  const other = await made(bob, 1)
  await bringToSleep(bob, his)
  const { records } = partsOfRooms(bob.rooms)
  const get = records.get.bind(records)
  const broken = vi.spyOn(records, 'get').mockImplementation((key) => (equalBytes(key, decodeKey(his.id)) ? Promise.reject(new Error('EIO')) : get(key)))
  const errors: string[] = []
  his.on('error', ({ code }) => void errors.push(code))
  const told = bob.rooms.once('error')
  await hers.send('for who can read')
  expect(await told).toMatchObject({ code: 'ROOM_BROKEN' })
  expect(await codeOf(() => his.info())).toBe('ROOM_BROKEN')
  const [first] = [his.messages({ live: true })[Symbol.asyncIterator]()]
  expect(await codeOf(() => first.next())).toBe('ROOM_BROKEN')
  expect(errors).toEqual(['ROOM_BROKEN', 'ROOM_BROKEN', 'ROOM_BROKEN'])
  await other.send('elsewhere')
  expect(await textsOf(other)).toEqual(['elsewhere'])
  broken.mockRestore()
  await allOf(his, ['for who can read'])
})

test('a peer is closed while its rooms wake, and fall asleep', { timeout: 60_000 }, async () => {
  const alice = await startWith(1, 'Alice')
  const rooms = await Promise.all([1, 2, 3, 4].map((i) => made(alice, i)))
  for (const room of rooms) await room.send('hello')
  for (const room of rooms.slice(1)) await bringToSleep(alice, room)
  const errors: unknown[] = []
  alice.rooms.on('error', (error) => void errors.push(error))
  const falling = placeOf(alice, rooms[0]!).rest()
  const reading = Promise.allSettled(rooms.map((room) => textsOf(room)))
  await alice.rooms.close()
  await falling
  for (const result of await reading) {
    if (result.status === 'fulfilled') expect(result.value).toEqual(['hello'])
    else expect(isCoveyError(result.reason, 'ROOM_CLOSED')).toBe(true)
  }
  expect(errors).toEqual([])
  await alice.close()
  const again = await open(alice.person, net)
  expect(await Promise.all(rooms.map(({ id }) => textsOf(again.rooms.get(id)!)))).toEqual(rooms.map(() => ['hello']))
})

test('who left, or was removed, while the room was asleep is out', { timeout: 60_000 }, async () => {
  const [alice, bob, carol] = [await start(net, 'Alice'), await startWith(1, 'Bob'), await startWith(1, 'Carol')]
  const [hers, his, carols] = (await shareRoom(alice, bob, carol)) as [Room, Room, Room]
  await bringToSleep(bob, his)
  await bringToSleep(carol, carols)
  await carols.leave()
  await hers.remove(bob.identity.identity.id)
  await until(his, async () => ((await his.info()).role === undefined ? true : undefined))
  expect(await codeOf(() => his.send('let me'))).toBe('ROOM_NOT_WRITABLE')
  await until(hers, async () => ((await hers.members()).length === 1 ? true : undefined))
  for (const [peer, room] of [[bob, his], [carol, carols]] as const) {
    await bringToSleep(peer, room)
    expect(placeOf(peer, room).note).toMatchObject({ admitted: false, mirrorLinks: [] })
  }
})

test('a bundle is imported into the room that it is of, though it is asleep', { timeout: 60_000 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await startWith(1, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  const other = await made(bob, 1)
  await Promise.all([alice, bob].map(({ node }) => node.suspend()))
  for (const room of [his, other]) await bringToSleep(bob, room)
  await hers.send('by hand')
  const path = join(await temporaryFolder(), 'tea.bundle')
  await hers.exportBundle(path)
  const { room, blocks } = await bob.rooms.importBundle(path)
  expect(room).toBe(his)
  expect(blocks).toBeGreaterThan(0)
  expect(openRooms(bob)).not.toContain(other.id)
  expect(await textsOf(his)).toEqual(['by hand'])
})

test('who listens for how a room is keeps it open, and is told', { timeout: 60_000 }, async () => {
  const alice = await startWith(1, 'Alice')
  const room = await made(alice, 1)
  await bringToSleep(alice, room)
  expect(await room.once('health')).toMatchObject({ state: 'good' })
  await bringToSleep(alice, room)
})

test('rooms in which something goes on all the time keep no other from being heard', { timeout: 60_000 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await startWith(1, 'Bob')]
  const [quiet, his] = (await shareRoom(alice, bob)) as [Room, Room]
  const [loud] = (await shareRoom(alice, bob)) as [Room, Room]
  await bringToSleep(bob, his)
  const talking = setInterval(() => void loud.send('on and on'), 200)
  onTestFinished(() => clearInterval(talking))
  const told = his.once('update')
  await quiet.send('news')
  await told
  await allOf(his, ['news'])
  clearInterval(talking)
})

// White box: a clock, and a room that is never further.

test('the same words open a room later and later where they come to nothing; others, and what is so, at once', async () => {
  vi.useFakeTimers()
  let opened = 0
  const note = { heads: [] as Head[], devices: [] }
  const place = {
    id: 'a',
    note,
    rest: async () => undefined,
    async use(work: (room: object) => Promise<void>) {
      opened++
      await work({ base: { hintWakeup: () => undefined } })
    }
  } as unknown as Place
  const shelf = createShelf({ open: new Map(), placeOf: () => place, maxOpen: 1, onerror: (error) => expect.unreachable(String(error)) })
  const [peer, other] = [{}, {}]
  const head = (byte: number, length: number): Head => ({ key: new Uint8Array(32).fill(byte), length })
  const say = async (from: object, ...heads: Head[]): Promise<number> => {
    const before = opened
    shelf.heard(place, heads, from)
    await vi.advanceTimersByTimeAsync(0)
    return opened - before
  }
  expect(await say(peer, head(1, 5))).toBe(1)
  for (let i = 0; i < 120; i++) {
    await vi.advanceTimersByTimeAsync(5_000)
    await say(peer, head(1, 5))
  }
  // Ten minutes: after 8, 16, 32, 64, 128 and 256 s.
  expect(opened).toBe(7)
  expect(await say(peer, head(1, 5), head(2, 1))).toBe(1)
  expect(await say(peer, head(2, 2))).toBe(1)
  expect(await say(other, head(1, 5))).toBe(1)
  expect(await say(other, head(1, 5))).toBe(0)
  note.heads = [head(3, 1)]
  expect(await say(other, head(1, 5))).toBe(1)
  shelf.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('a lasting room has all that a room has', async () => {
  const alice = await start(net, 'Alice')
  const room = await made(alice, 1)
  const { room: inner } = placeOf(alice, room).opened!
  const { room: outer } = createLastingRoom(placeOf(alice, room))
  expect(Object.keys(outer).toSorted()).toEqual(Object.keys(inner).toSorted())
})
