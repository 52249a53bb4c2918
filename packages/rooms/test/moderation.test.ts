import { expect, test } from 'vitest'
import { MAX_NAME_BYTES, type Role, type Room } from '@covey/rooms'
import { allOf, codeOf, messagesOf, open, shareRoom, start, until, useLocalNetwork, type TestPeer } from './support.js'

const net = useLocalNetwork()

const idOf = ({ identity }: TestPeer): string => identity.identity.id

function roleBecomes(room: Room, role: Role | undefined): Promise<true> {
  return until(room, async () => ((await room.info()).role === role ? true : undefined))
}

async function threePeople() {
  const peers = [await start(net, 'Alice'), await start(net, 'Bob'), await start(net, 'Carol')] as const
  const rooms = (await shareRoom(...peers)) as [Room, Room, Room]
  for (const room of rooms) {
    await until(room, async () => ((await room.members()).length === 3 ? true : undefined))
  }
  return { peers, rooms }
}

test('authority flows downward only', async () => {
  const { peers, rooms } = await threePeople()
  const [alice, bob, carol] = peers
  const [alices, bobs, carols] = rooms
  expect(await codeOf(() => bobs.setRole(idOf(carol), 'reader'))).toBe('ROOM_FORBIDDEN')
  await alices.setRole(idOf(bob), 'admin')
  await roleBecomes(bobs, 'admin')
  expect(await codeOf(() => bobs.setRole(idOf(carol), 'admin'))).toBe('ROOM_FORBIDDEN')
  expect(await codeOf(() => bobs.remove(idOf(alice)))).toBe('ROOM_FORBIDDEN')
  expect(await codeOf(() => bobs.transferOwnership(idOf(carol)))).toBe('ROOM_FORBIDDEN')
  await bobs.setRole(idOf(carol), 'moderator')
  await roleBecomes(carols, 'moderator')
  expect(await codeOf(() => carols.mute(idOf(bob)))).toBe('ROOM_FORBIDDEN')
  expect(await codeOf(() => alices.setRole(idOf(alice), 'member'))).toBe('ROOM_FORBIDDEN')
})

test('who is muted cannot send, until unmuted', async () => {
  const { peers, rooms } = await threePeople()
  const [, bob] = peers
  const [alices, bobs] = rooms
  const muted = (expected: boolean) =>
    until(bobs, async () => (await bobs.members()).some((m) => m.isSelf && m.isMuted === expected) || undefined)
  await alices.mute(idOf(bob))
  await muted(true)
  expect(await codeOf(() => bobs.send('psst'))).toBe('ROOM_FORBIDDEN')
  await alices.unmute(idOf(bob))
  await muted(false)
  await bobs.send('thank you')
  expect((await allOf(alices, ['thank you'])).map(({ text }) => text)).toEqual(['thank you'])
})

test('who is removed reads nothing that is sent by those who know of it', async () => {
  const { peers, rooms } = await threePeople()
  const [, bob] = peers
  const [alices, bobs, carols] = rooms
  await alices.send('with Bob')
  await allOf(bobs, ['with Bob'])
  await alices.remove(idOf(bob))
  await roleBecomes(carols, 'member')
  await until(carols, async () => ((await carols.members()).length === 2 ? true : undefined))
  await roleBecomes(bobs, undefined)
  await alices.send('without Bob')
  await carols.send('neither')
  await allOf(alices, ['with Bob', 'without Bob', 'neither'])
  expect(await codeOf(() => bobs.send('still here'))).toBe('ROOM_NOT_WRITABLE')
  // Bob's device is given what he cannot open, as any mirror would be.
  const seen = await until(bobs, async () => {
    const messages = []
    for await (const message of bobs.messages()) messages.push(message)
    return messages.length === 3 ? messages : undefined
  })
  expect(seen.map(({ kind, text }) => [kind, text])).toEqual([
    ['text', 'with Bob'],
    ['unreadable', ''],
    ['unreadable', '']
  ])
})

test('who was removed may come back by another invite, who is banned may not', async () => {
  const { peers, rooms } = await threePeople()
  const [, bob, carol] = peers
  const [alices, bobs, carols] = rooms
  const invite = await alices.createInvite()
  await alices.remove(idOf(bob))
  await roleBecomes(bobs, undefined)
  const again = await bob.rooms.join(invite)
  await again.send('I am back')
  await allOf(alices, ['I am back'])

  await alices.remove(idOf(carol), { ban: true })
  await roleBecomes(carols, undefined)
  expect(await codeOf(() => carol.rooms.join(invite, { timeoutMs: 20_000 }))).toBe('INVITE_REFUSED')
  await alices.unban(idOf(carol))
  await (await carol.rooms.join(invite)).send('me too')
  await allOf(alices, ['me too'])
})

test('who has left is banned all the same', async () => {
  const [alice, carol] = [await start(net, 'Alice'), await start(net, 'Carol')]
  const [alices, carols] = (await shareRoom(alice, carol)) as [Room, Room]
  const invite = await alices.createInvite()
  await carols.leave()
  await until(alices, async () => ((await alices.members()).length === 1 ? true : undefined))
  expect(await codeOf(() => alices.remove(idOf(carol)))).toBe('MEMBER_NOT_FOUND')
  await alices.remove(idOf(carol), { ban: true })
  expect(await codeOf(() => alices.remove(idOf(carol), { ban: true }))).toBe('ROOM_FORBIDDEN')
  expect(await codeOf(() => carol.rooms.join(invite, { timeoutMs: 20_000 }))).toBe('INVITE_REFUSED')
  await alices.unban(idOf(carol))
  await (await carol.rooms.join(invite)).send('here again')
  await allOf(alices, ['here again'])
})

test('who is banned is given no key by asking to be let in again', async () => {
  const [alice, carol] = [await start(net, 'Alice'), await start(net, 'Carol')]
  const [alices, carols] = (await shareRoom(alice, carol)) as [Room, Room]
  const invite = await alices.createInvite()
  await alices.remove(idOf(carol), { ban: true })
  await roleBecomes(carols, undefined)
  await alices.send('without Carol')
  expect(await codeOf(() => carol.rooms.join(invite, { timeoutMs: 20_000 }))).toBe('INVITE_REFUSED')
  await alices.send('still without Carol')
  await until(carols, async () => ((await messagesOf(carols)).length === 2 ? true : undefined))
  await carol.close()
  // What she had not at first she looks for again.
  const again = await open(carol.person, net)
  expect((await messagesOf(again.rooms.get(carols.id)!)).map(({ kind }) => kind)).toEqual(['unreadable', 'unreadable'])
})

test('the owner hands the room on, and can leave then', async () => {
  const { peers, rooms } = await threePeople()
  const [alice, bob] = peers
  const [alices, bobs] = rooms
  expect(await codeOf(() => alices.leave())).toBe('ROOM_FORBIDDEN')
  await alices.transferOwnership(idOf(bob))
  await roleBecomes(bobs, 'owner')
  expect((await alices.info()).role).toBe('admin')
  await alices.leave()
  await until(bobs, async () => ((await bobs.members()).some(({ id }) => id === idOf(alice)) ? undefined : true))
  expect(await codeOf(() => alices.send('gone'))).toBe('ROOM_NOT_WRITABLE')
  // The founder's device is the only one that indexes, and the room goes on without its consent.
  await bobs.send('all mine')
  expect((await allOf(bobs, ['all mine'])).at(-1)?.text).toBe('all mine')
})

test('a revoked invite lets nobody in', async () => {
  const [alice, bob] = [await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite()
  const [info] = await room.invites()
  expect(info).toMatchObject({ role: 'member', used: 0, uses: undefined, expiresAt: undefined, isRevoked: false })
  await room.revokeInvite(info!.id)
  expect((await room.invites())[0]?.isRevoked).toBe(true)
  expect(await codeOf(() => bob.rooms.join(invite))).toBe('INVITE_REFUSED')
  expect(await codeOf(() => room.revokeInvite(idOf(bob)))).toBe('INVITE_NOT_FOUND')
})

test('a personal invite lets only that person in', async () => {
  const [alice, bob, carol] = [await start(net), await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite({ inviteeId: idOf(carol) })
  expect(await codeOf(() => bob.rooms.join(invite))).toBe('INVITE_REFUSED')
  await (await carol.rooms.join(invite)).send('for me')
  await allOf(room, ['for me'])
  expect((await room.members()).map(({ id }) => id).sort()).toEqual([idOf(alice), idOf(carol)].sort())
})

test('an admin names the room, for those who are in it and those who come', async () => {
  const { peers, rooms } = await threePeople()
  const [alices, bobs, carols] = rooms
  const named = (room: Room, name: string) => until(room, async () => (await room.info()).name === name || undefined)
  expect(await codeOf(() => bobs.rename('Bob’s'))).toBe('ROOM_FORBIDDEN')
  expect(await codeOf(() => alices.rename(''))).toBe('TypeError')
  expect(await codeOf(() => alices.rename('x'.repeat(MAX_NAME_BYTES + 1)))).toBe('TypeError')
  await alices.setRole(idOf(peers[1]), 'admin')
  await roleBecomes(bobs, 'admin')
  // Both at once: one of the two, the same for all.
  await Promise.all([alices.rename('Coffee'), bobs.rename('Cocoa')])
  await bobs.send('Which is it?')
  for (const room of [alices, carols]) await allOf(room, ['Which is it?'])
  const { name } = await bobs.info()
  expect(['Coffee', 'Cocoa']).toContain(name)
  for (const room of rooms) await named(room, name)
  await bobs.rename('Chai')
  const dave = await (await start(net, 'Dave')).rooms.join(await bobs.createInvite())
  for (const room of [...rooms, dave]) await named(room, 'Chai')
})

test('an id that is none is refused by name', async () => {
  const { rooms } = await threePeople()
  const [alices] = rooms
  await expect(alices.remove('nobody')).rejects.toThrow(/memberId/)
  await expect(alices.createInvite({ inviteeId: 'nobody' })).rejects.toThrow(/inviteeId/)
  expect(await codeOf(() => alices.mute('y'.repeat(52)))).toBe('MEMBER_NOT_FOUND')
})
