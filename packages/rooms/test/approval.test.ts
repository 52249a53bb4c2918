import { expect, test } from 'vitest'
import { inspectInvite, type JoinRequest, type Room } from '@covey/rooms'
import { allOf, codeOf, open, shareRoom, start, until, useLocalNetwork, type TestPeer } from './support.js'

const net = useLocalNetwork()

const idOf = ({ identity }: TestPeer): string => identity.identity.id

/** Waits until so many wait to be let in, as a member sees it. */
function waiting(room: Room, count = 1): Promise<JoinRequest[]> {
  return until(room, async () => {
    const requests = await room.joinRequests()
    return requests.length === count ? requests : undefined
  })
}

test('who comes with an invite that needs approval waits until a moderator lets them in', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.send('before')
  const invite = await room.createInvite({ approval: true, uses: 1 })
  expect(inspectInvite(invite)).toMatchObject({ roomId: room.id, needsApproval: true, isPublic: false })
  const joining = bob.rooms.join(invite)
  const [request] = await waiting(room)
  const [{ id: inviteId, needsApproval }] = (await room.invites()) as [Awaited<ReturnType<Room['invites']>>[number]]
  expect(needsApproval).toBe(true)
  expect(request).toMatchObject({ identity: idOf(bob), name: 'Bob', role: 'member', inviteId })
  expect((await room.members()).map(({ name }) => name)).toEqual(['Alice'])
  expect(bob.rooms.list()).toEqual([])

  await room.approve(request!.id)
  const joined = await joining
  await joined.send('after')
  expect((await allOf(joined, ['before', 'after'])).map(({ text }) => text)).toEqual(['before', 'after'])
  expect(await room.joinRequests()).toEqual([])
  expect((await room.invites())[0]!.used).toBe(1)
  expect(await codeOf(() => room.approve(request!.id))).toBe('JOIN_REQUEST_NOT_FOUND')
})

test('who is declined learns it, and may ask again by another invite', async () => {
  const [alice, bob] = [await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite({ approval: true })
  const joining = codeOf(() => bob.rooms.join(invite))
  const [request] = await waiting(room)
  await room.decline(request!.id)
  expect(await joining).toBe('INVITE_REFUSED')
  expect(await room.joinRequests()).toEqual([])
  expect(await codeOf(() => room.approve(request!.id))).toBe('JOIN_REQUEST_NOT_FOUND')
  expect(await codeOf(() => bob.rooms.join(invite))).toBe('INVITE_REFUSED')
  expect(await room.members()).toHaveLength(1)

  const another = bob.rooms.join(await room.createInvite({ approval: true }))
  await room.approve((await waiting(room))[0]!.id)
  expect((await another).id).toBe(room.id)
})

test('a request outlives the patience of who asks, their restart, and the time of the invite', async () => {
  const [alice, bob] = [await start(net), await start(net, 'Bob')]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite({ approval: true, expiresInMs: 6_000 })
  const asked = Date.now()
  const signal = AbortSignal.timeout(20_000)
  const joining = bob.rooms.join(invite, { timeoutMs: 4_000, signal }).catch((error: unknown) => error)
  const [request] = await waiting(room)
  expect(await joining).toMatchObject({ code: 'JOIN_TIMEOUT', retryable: true, hint: expect.stringMatching(/moderator/) as string })
  await bob.close()
  await until(room, async () => {
    if (Date.now() > asked + 6_100) return true
    setTimeout(() => void room.createInvite(), 200)
    return undefined
  })
  await room.approve(request!.id)
  const again = await open(bob.person, net)
  const joined = await again.rooms.join(invite)
  await joined.send('in')
  await allOf(room, ['in'])
})

test('any member hears the request, every moderator sees it, and those below may not decide', async () => {
  const peers = [await start(net), await start(net), await start(net), await start(net, 'Dora')] as const
  const [alice, bob, carol, dora] = peers
  const [alices, bobs, carols] = (await shareRoom(alice, bob, carol)) as [Room, Room, Room]
  await alices.setRole(idOf(carol), 'moderator')
  const invite = await alices.createInvite({ approval: true })
  await until(carols, async () => ((await carols.info()).role === 'moderator' ? true : undefined))
  await until(bobs, async () => ((await bobs.invites()).length === 2 ? true : undefined))
  await alice.close()
  await carol.close()
  // Bob alone is there, who is only a member.
  const joining = dora.rooms.join(invite, { timeoutMs: 50_000 })
  const [request] = await waiting(bobs)
  expect(await codeOf(() => bobs.approve(request!.id))).toBe('ROOM_FORBIDDEN')
  expect(await codeOf(() => bobs.decline(request!.id))).toBe('ROOM_FORBIDDEN')
  const moderator = await open(carol.person, net)
  const room = moderator.rooms.get(bobs.id)!
  const [seen] = await waiting(room)
  expect(seen).toMatchObject({ id: request!.id, identity: idOf(dora), name: 'Dora' })
  await room.approve(seen!.id)
  expect((await joining).id).toBe(bobs.id)
})

test('an invite that is revoked meanwhile, or for another, has nobody wait', async () => {
  const [alice, bob] = [await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite({ approval: true })
  const joining = codeOf(() => bob.rooms.join(invite))
  const [request] = await waiting(room)
  await room.revokeInvite(request!.inviteId)
  expect(await room.joinRequests()).toEqual([])
  expect(await codeOf(() => room.approve(request!.id))).toBe('JOIN_REQUEST_NOT_FOUND')
  expect(await joining).toBe('INVITE_REFUSED')
  const personal = await room.createInvite({ approval: true, inviteeId: idOf(alice) })
  expect(await codeOf(() => bob.rooms.join(personal))).toBe('INVITE_REFUSED')
  expect(await room.members()).toHaveLength(1)
})

test('who is banned does not even wait, and a moderator lets in nobody of their rank', async () => {
  const [alice, bob, carol] = [await start(net), await start(net), await start(net)]
  const [alices, bobs] = (await shareRoom(alice, bob)) as [Room, Room]
  await alices.setRole(idOf(bob), 'moderator')
  await until(bobs, async () => ((await bobs.info()).role === 'moderator' ? true : undefined))
  const invite = await alices.createInvite({ approval: true, role: 'moderator' })
  const joining = codeOf(() => carol.rooms.join(invite))
  const [request] = await waiting(bobs)
  expect(await codeOf(() => bobs.approve(request!.id))).toBe('ROOM_FORBIDDEN')
  await waiting(alices)
  await alices.approve(request!.id)
  expect(await joining).toBe(null)
  await alices.remove(idOf(carol), { ban: true })
  const another = await alices.createInvite({ approval: true })
  expect(await codeOf(() => carol.rooms.join(another))).toBe('INVITE_REFUSED')
  expect(await alices.joinRequests()).toEqual([])
})

test.each<[string, object, RegExp]>([
  ['an approval that is no boolean', { approval: 'yes' }, /options\.approval/],
  ['both at once', { approval: true, public: true }, /options\.public/],
  ['publicity that is no boolean', { public: 1 }, /options\.public/],
  ['a public invite for moderators', { public: true, role: 'moderator' }, /options\.role/]
])('createInvite: %s is refused by name', async (_, options, message) => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  await expect(room.createInvite(options)).rejects.toThrow(TypeError)
  await expect(room.createInvite(options)).rejects.toThrow(message)
})

test('ids and options are checked', async () => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  expect(await codeOf(() => room.approve('nobody'))).toBe('TypeError')
  expect(await codeOf(() => room.decline('y'.repeat(52)))).toBe('JOIN_REQUEST_NOT_FOUND')
  expect(await codeOf(() => room.approve('y'.repeat(52), { role: 'admin' } as object))).toBe('TypeError')
  const reason = new Error('no')
  await expect(room.approve('y'.repeat(52), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})
