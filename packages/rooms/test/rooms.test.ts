import { expect, test } from 'vitest'
import { isCoveyError } from '@covey/core'
import { createRooms, MAX_NAME_BYTES, type CreateRoomInit, type RoomsInit } from '@covey/rooms'
import { codeOf, open, shareRoom, start, textsOf, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('who makes a room owns it', async () => {
  const alice = await start(net, 'Alice')
  const before = Date.now()
  const room = await alice.rooms.create({ name: 'Tea ☕' })
  const info = await room.info()
  const rules = { slowModeMs: 0, broadcast: false, links: 'member', media: 'member', presence: true }
  expect(info).toEqual({ name: 'Tea ☕', createdAt: expect.any(Number) as number, history: 'full', rules, mirrors: [], role: 'owner' })
  expect(info.createdAt).toBeGreaterThanOrEqual(before)
  expect(info.createdAt).toBeLessThanOrEqual(Date.now())
  expect(await room.members()).toEqual([
    { id: alice.identity.identity.id, name: 'Alice', bio: '', role: 'owner', joinedAt: info.createdAt, isMuted: false, isSelf: true }
  ])
})

test('a room can keep its past from newcomers', async () => {
  const { rooms } = await start(net)
  const room = await rooms.create({ name: 'Tea', history: 'since-join' })
  expect((await room.info()).history).toBe('since-join')
})

test('get and list give the very rooms that were made', async () => {
  const { rooms } = await start(net)
  expect(rooms.list()).toEqual([])
  const opened: unknown[] = []
  rooms.on('open', ({ room }) => opened.push(room))
  const [tea, coffee] = [await rooms.create({ name: 'Tea' }), await rooms.create({ name: 'Coffee' })]
  expect(tea.id).not.toBe(coffee.id)
  expect(tea.id).toMatch(/^[a-z0-9]{52}$/)
  expect(rooms.get(tea.id)).toBe(tea)
  expect(rooms.get(coffee.id)).toBe(coffee)
  expect(rooms.list()).toEqual([tea, coffee])
  expect(opened).toEqual([tea, coffee])
  expect(rooms.get('nothing')).toBeUndefined()
})

test('rooms made at once are rooms of their own', async () => {
  const { rooms } = await start(net)
  const made = await Promise.all(Array.from({ length: 5 }, (_, i) => rooms.create({ name: `Room ${i}` })))
  await Promise.all(made.map((room, i) => room.send(`in ${i}`)))
  expect(new Set(made.map(({ id }) => id)).size).toBe(5)
  expect(await Promise.all(made.map((room) => textsOf(room)))).toEqual([0, 1, 2, 3, 4].map((i) => [`in ${i}`]))
  expect((await Promise.all(made.map((room) => room.info()))).map(({ name }) => name)).toEqual(
    [0, 1, 2, 3, 4].map((i) => `Room ${i}`)
  )
})

test('everyone sees the same members, each under their own name and role', async () => {
  const [alice, bob, carol] = [await start(net, 'Alice'), await start(net, 'Bob'), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const bobs = await bob.rooms.join(await room.createInvite({ role: 'moderator' }))
  const carols = await carol.rooms.join(await room.createInvite({ role: 'reader' }))
  expect(bobs.id).toBe(room.id)
  expect((await bobs.info()).role).toBe('moderator')
  expect(await carols.info()).toMatchObject({ name: 'Tea', role: 'reader' })

  for (const [peer, its] of [[alice, room], [bob, bobs], [carol, carols]] as const) {
    const members = await until(its, async () => {
      const found = await its.members()
      return found.length === 3 && found.some(({ name }) => name === 'Bob') ? found : undefined
    })
    const summary = members.map(({ id, name, role, isSelf }) => [id, name, role, isSelf])
    const self = peer.identity.identity.id
    const expected = [
      [alice.identity.identity.id, 'Alice', 'owner'],
      [bob.identity.identity.id, 'Bob', 'moderator'],
      [carol.identity.identity.id, '', 'reader']
    ].map(([id, ...rest]) => [id, ...rest, id === self])
    expect(summary).toHaveLength(3)
    expect(summary).toEqual(expect.arrayContaining(expected))
  }
})

test('rooms are found again after a restart, with all that is in them', async () => {
  const alice = await start(net, 'Alice')
  const tea = await alice.rooms.create({ name: 'Tea' })
  await alice.rooms.create({ name: 'Coffee' })
  await tea.send('one')
  const [info, members] = [await tea.info(), await tea.members()]
  await alice.close()

  const again = await open(alice.person, net)
  expect(again.rooms.list()).toHaveLength(2)
  const found = again.rooms.get(tea.id)!
  expect(await found.info()).toEqual(info)
  expect(await found.members()).toEqual(members)
  expect(await textsOf(found)).toEqual(['one'])
  await found.send('two')
  expect(await textsOf(found)).toEqual(['one', 'two'])
})

test('a closed room is gone from the list, stays on disk, and says that it is closed', async () => {
  const alice = await start(net)
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.send('one')
  const closed = room.once('close')
  await Promise.all([room.close(), room.close()])
  await room.close()
  await room[Symbol.asyncDispose]()
  await closed
  expect(alice.rooms.list()).toEqual([])
  expect(alice.rooms.get(room.id)).toBeUndefined()
  const calls = {
    info: () => room.info(),
    members: () => room.members(),
    send: () => room.send('late'),
    message: () => room.message('x'),
    messages: () => textsOf(room),
    live: () => textsOf(room, { live: true }),
    createInvite: () => room.createInvite()
  }
  for (const [name, call] of Object.entries(calls)) expect([name, await codeOf(call)]).toEqual([name, 'ROOM_CLOSED'])
  await alice.close()
  expect(await textsOf((await open(alice.person, net)).rooms.get(room.id)!)).toEqual(['one'])
})

test('closed rooms make and join no more', async () => {
  const alice = await start(net)
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite()
  const bob = await start(net)
  await Promise.all([bob.rooms.close(), bob.rooms.close()])
  await bob.rooms[Symbol.asyncDispose]()
  const error: unknown = await bob.rooms.create({ name: 'Late' }).catch((thrown: unknown) => thrown)
  expect(isCoveyError(error, 'ROOM_CLOSED')).toBe(true)
  expect(await codeOf(() => bob.rooms.join(invite))).toBe('ROOM_CLOSED')
})

test('an update is told to every peer of the room', async () => {
  const [room, theirs] = await shareRoom(await start(net), await start(net))
  const told = theirs!.once('update')
  await room!.send('news')
  await told
})

test.each<[string, unknown, RegExp]>([
  ['nothing', undefined, /init must be an object/],
  ['no name', {}, /init\.name must be a string/],
  ['an empty name', { name: '' }, /init\.name/],
  ['a name that is too long', { name: 'é'.repeat(MAX_NAME_BYTES / 2) + 'x' }, /init\.name must take at most 256 bytes/],
  ['a name with half a character', { name: 'a\ud800' }, /init\.name/],
  ['another history', { name: 'Tea', history: 'none' }, /init\.history/],
  ['a typo', { name: 'Tea', hsitory: 'full' }, /did you mean "history"/],
  ['a signal that is none', { name: 'Tea', signal: {} }, /init\.signal/]
])('create: %s is refused by name', async (_, init, message) => {
  const { rooms } = await start(net)
  await expect(rooms.create(init as CreateRoomInit)).rejects.toThrow(TypeError)
  await expect(rooms.create(init as CreateRoomInit)).rejects.toThrow(message)
  expect(rooms.list()).toEqual([])
})

test('the longest name fits', async () => {
  const { rooms } = await start(net, '☕'.repeat(85))
  const name = 'é'.repeat(MAX_NAME_BYTES / 2)
  const room = await rooms.create({ name })
  expect((await room.info()).name).toBe(name)
  expect((await room.members())[0]!.name).toBe('☕'.repeat(85))
})

test('create: a signal that was aborted before makes nothing', async () => {
  const { rooms } = await start(net)
  const reason = new Error('no')
  await expect(rooms.create({ name: 'Tea', signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(rooms.list()).toEqual([])
})

test('what rooms are made of is checked', async () => {
  const alice = await start(net)
  const init = { identity: alice.identity, node: alice.node }
  await expect(createRooms({ ...init, nodes: 1 } as RoomsInit)).rejects.toThrow(/init has no option "nodes"/)
  await expect(createRooms({ ...init, node: {} } as RoomsInit)).rejects.toThrow(/node must come from createNode/)
})
