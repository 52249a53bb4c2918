import { expect, test, vi } from 'vitest'
import type Corestore from 'corestore'
import type { Room } from '@covey/rooms'
import { coresOf } from '@covey/rooms/internal'
import { partsOf } from '@covey/transport/internal'
import { randomBytes } from '../src/internal/crypto.js'
import { partsOfRooms } from '../src/internal/rooms-parts.js'
import { bringToSleep } from './support-asleep.js'
import { allOf, codeOf, open, person, shareRoom, start, until, useLocalNetwork, type TestPeer } from './support.js'

const net = useLocalNetwork()

test('who leaves has the room in no list any more, others hear of it, and then nothing of it is here', { timeout: 60_000 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  await his.send('hello')
  await allOf(hers, ['hello'])
  const keys = await coresOf(his).keys()
  expect(await blocksOf(bob, keys)).toBeGreaterThan(0)
  const [closed, left] = [his.once('close'), bob.rooms.once('leave')]
  await Promise.all([bob.rooms.leave(his.id), bob.rooms.leave(his.id)])
  await closed
  expect(await left).toEqual({ id: his.id })
  expect(bob.rooms.list()).toEqual([])
  expect(bob.rooms.get(his.id)).toBeUndefined()
  expect(await codeOf(() => his.send('still here'))).toBe('ROOM_CLOSED')
  expect(await codeOf(() => bob.rooms.leave(his.id))).toBe('ROOM_NOT_FOUND')
  await gone(hers, bob)
  await expect.poll(() => blocksOf(bob, keys), { timeout: 20_000 }).toBe(0)
  await bob.close()
  const again = await open(bob.person, net)
  expect(again.rooms.list()).toEqual([])
  expect(await allOf(hers, ['hello'])).toHaveLength(1)
})

test('who leaves while nobody is there is gone at once, and others hear of it when they are, after a restart too', { timeout: 60_000 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [, his] = (await shareRoom(alice, bob)) as [Room, Room]
  await alice.close()
  await his.send('on my own')
  const keys = await coresOf(his).keys()
  await bob.rooms.leave(his.id)
  expect(bob.rooms.list()).toEqual([])
  await bob.close()

  const bobAgain = await open(bob.person, net)
  expect(bobAgain.rooms.list()).toEqual([])
  // What nobody has is kept.
  expect(await blocksOf(bobAgain, keys)).toBeGreaterThan(0)
  const aliceAgain = await open(alice.person, net)
  const hers = aliceAgain.rooms.get(his.id)!
  await gone(hers, bob)
  await allOf(hers, ['on my own'])
  await expect.poll(() => blocksOf(bobAgain, keys), { timeout: 20_000 }).toBe(0)
})

test('nothing of a room that was left stays here where it fell asleep with something left to do', { timeout: 60_000 }, async () => {
  const [alice, bob, carol] = [await start(net, 'Alice'), await start(net, 'Bob'), await start(net, 'Carol')]
  const [hers, his, carols] = (await shareRoom(alice, bob, carol)) as [Room, Room, Room]
  await carols.send('hello')
  await allOf(his, ['hello'])
  await carol.close()
  // Whoever has been quiet for long is no writer that is looked at.
  for (let i = 0; i < 3; i++) await hers.send(`${i}`)
  await allOf(his, ['0', '1', '2'])
  const keys = await coresOf(his).keys()
  partsOfRooms(bob.rooms).onopen((opened) => void vi.spyOn(opened, 'isBusy').mockReturnValue(true))
  await bob.rooms.leave(his.id)
  await gone(hers, bob)
  await expect.poll(() => blocksOf(bob, keys), { timeout: 20_000 }).toBe(0)
})

test('who comes again, before or after others have heard, is in the room, with all that was said', { timeout: 90_000 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  await hers.send('before')
  await allOf(his, ['before'])
  await bob.node.suspend()
  await bob.rooms.leave(his.id)
  await bob.node.resume()
  const unheard = await bob.rooms.join(await hers.createInvite())
  await unheard.send('back at once')
  await allOf(hers, ['back at once'])
  expect(bob.rooms.list()).toEqual([unheard])

  const keys = await coresOf(unheard).keys()
  await bob.rooms.leave(unheard.id)
  await gone(hers, bob)
  await expect.poll(() => blocksOf(bob, keys), { timeout: 20_000 }).toBe(0)
  const heard = await bob.rooms.join(await hers.createInvite())
  await heard.send('back later')
  await allOf(hers, ['back later'])
  await allOf(heard, ['before', 'back at once', 'back later'])
  await bob.close()
  expect((await open(bob.person, net)).rooms.list().map(({ id }) => id)).toEqual([hers.id])
})

test('a room is not left without an owner, nor without one who settles it; who is alone or removed just goes', { timeout: 60_000 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  expect(await codeOf(() => alice.rooms.leave(hers.id))).toBe('ROOM_FORBIDDEN')
  await hers.transferOwnership(bob.identity.identity.id)
  await until(his, async () => ((await his.info()).role === 'owner' ? true : undefined))
  expect(await codeOf(() => alice.rooms.leave(hers.id))).toBe('ROOM_FORBIDDEN')
  expect(alice.rooms.get(hers.id)).toBe(hers)
  await his.send('so that it has written')
  await his.setIndexers([bob.identity.device.id])
  await until(hers, async () => ((await hers.health()).indexers[0]?.device === bob.identity.device.id ? true : undefined))
  await alice.rooms.leave(hers.id)
  await gone(his, alice)
  const { id } = await his.send('settled without Alice')
  await expect.poll(() => his.settled(), { timeout: 30_000 }).toBe(id)

  const alone = await alice.rooms.create({ name: 'Alone' })
  await alone.send('to myself')
  const keys = await coresOf(alone).keys()
  await alice.rooms.leave(alone.id)
  expect(await blocksOf(alice, keys)).toBe(0)

  const [theirs, hersToo] = (await shareRoom(bob, alice)) as [Room, Room]
  await theirs.remove(alice.identity.identity.id)
  await until(hersToo, async () => ((await hersToo.info()).role === undefined ? true : undefined))
  const hersKeys = await coresOf(hersToo).keys()
  await alice.rooms.leave(hersToo.id)
  expect(await blocksOf(alice, hersKeys)).toBe(0)
  expect(alice.rooms.list()).toEqual([])
})

test('what a kill has left of a room is cleared at the next start', async () => {
  const alice = await open(await person('Alice'), net, undefined, { maxOpenRooms: 1 })
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.send('to myself')
  const keys = await coresOf(room).keys()
  await bringToSleep(alice, room)
  const { records, places } = partsOfRooms(alice.rooms)
  // As it is just before anything is cleared.
  await records.put({ namespace: randomBytes(32), discoveryKey: places.get(room.id)!.discoveryKey, left: true })
  await alice.close()
  const again = await open(alice.person, net)
  expect(again.rooms.list()).toEqual([])
  expect(await blocksOf(again, keys)).toBe(0)
})

test('bad input is refused', async () => {
  const alice = await open(await person('Alice'), net)
  expect(await codeOf(() => alice.rooms.leave(1 as never))).toBe('TypeError')
  expect(await codeOf(() => alice.rooms.leave('x'))).toBe('ROOM_NOT_FOUND')
  expect(await codeOf(() => alice.rooms.leave('x', { signl: 1 } as never))).toBe('TypeError')
  const room = await alice.rooms.create({ name: 'Tea' })
  expect(await codeOf(() => alice.rooms.leave(room.id, { signal: AbortSignal.abort('no more') }))).toBe('no more')
  expect(alice.rooms.list()).toEqual([room])
  await alice.close()
  expect(await codeOf(() => alice.rooms.leave(room.id))).toBe('ROOM_CLOSED')
})

/** Resolves when somebody is no member any more, as this room has it. */
function gone(room: Room, { identity }: TestPeer): Promise<true> {
  return until(room, async () => ((await room.members()).some(({ id }) => id === identity.identity.id) ? undefined : true))
}

/** How many blocks of these cores are on the disk of a peer. */
async function blocksOf({ node }: TestPeer, keys: readonly Uint8Array[]): Promise<number> {
  let blocks = 0
  for (const key of keys) {
    const core = (partsOf(node).corestore as Corestore).get({ key, active: false })
    await core.ready()
    for (let i = 0; i < core.length; i++) if (await core.has(i)) blocks++
    await core.close()
  }
  return blocks
}
