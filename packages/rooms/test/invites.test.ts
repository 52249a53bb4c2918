import { expect, test } from 'vitest'
import { encodeLink } from '@covey/core'
import type { CreateInviteOptions, JoinOptions, Role } from '@covey/rooms'
import { createRoomInvites } from '../src/internal/room-invites.js'
import { partsOfRooms } from '../src/internal/rooms-parts.js'
import type { OwnRole } from '../src/internal/own-role.js'
import { decodeInvite, encodeInvite } from '../src/invite.js'
import { allOf, codeOf, open, shareRoom, start, textsOf, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
const elsewhere = useLocalNetwork()

async function memberCount(room: Parameters<typeof until>[0]): Promise<number> {
  return (await room.members()).length
}

test('whoever joins reads what was there before, and writes', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.send('before')
  const invite = await room.createInvite()
  expect(invite).toMatch(/^covey:invite\/[a-z0-9]+$/)
  const joined = await bob.rooms.join(invite)
  expect(joined.id).toBe(room.id)
  await joined.send('after')
  expect((await allOf(joined, ['before'])).map(({ text }) => text)).toEqual(['before', 'after'])
  expect((await allOf(room, ['after'])).map(({ text, authorName }) => [text, authorName])).toEqual([
    ['before', 'Alice'],
    ['after', 'Bob']
  ])
})

test('with history "since-join", a newcomer reads what is sent from then on', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const room = await alice.rooms.create({ name: 'Tea', history: 'since-join' })
  await room.send('before')
  const joined = await bob.rooms.join(await room.createInvite())
  await room.send('after')
  const messages = await allOf(joined, ['after'])
  expect(messages.at(-1)).toMatchObject({ kind: 'text', text: 'after' })
})

test('with history "since-join", a newcomer cannot read what was sent before', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const room = await alice.rooms.create({ name: 'Tea', history: 'since-join' })
  await room.send('before')
  const joined = await bob.rooms.join(await room.createInvite())
  await room.send('after')
  const [before] = await allOf(joined, ['after'])
  expect(before).toMatchObject({ kind: 'unreadable', text: '' })
})

test('an invite of one use lets one of two in', async () => {
  const [alice, bob, carol] = [await start(net), await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite({ uses: 1 })
  const codes = await Promise.all([bob, carol].map(({ rooms }) => codeOf(() => rooms.join(invite))))
  expect(codes).toContain(null)
  expect(codes).toContain('INVITE_USED_UP')
  expect(await memberCount(room)).toBe(2)
  const refused = codes[0] === null ? carol : bob
  expect(refused.rooms.list()).toEqual([])
})

test('an invite of two uses lets two of three in', async () => {
  const alice = await start(net)
  const others = [await start(net), await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite({ uses: 2 })
  const codes = []
  for (const { rooms } of others) codes.push(await codeOf(() => rooms.join(invite)))
  expect(codes).toEqual([null, null, 'INVITE_USED_UP'])
  expect(await memberCount(room)).toBe(3)
})

test('an invite that has run out is refused without asking anybody', async () => {
  const [alice, bob] = [await start(net), await start(elsewhere)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite({ expiresInMs: 1 })
  await until(room, async () => (Date.now() > (await room.info()).createdAt + 5 ? true : undefined))
  expect(await codeOf(() => bob.rooms.join(invite))).toBe('INVITE_EXPIRED')
  expect(bob.rooms.list()).toEqual([])
})

test('an invite that has run out is refused by the room, whatever the link says', async () => {
  const [alice, bob] = [await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = decodeInvite(await room.createInvite({ expiresInMs: 1 }))
  const { expiresAt: _, ...forged } = invite
  expect(await codeOf(() => bob.rooms.join(encodeInvite(forged)))).toBe('INVITE_EXPIRED')
  expect(await memberCount(room)).toBe(1)
  expect(bob.rooms.list()).toEqual([])
})

test('what a link says of relays is a courtesy: where it cannot be read, or leads nowhere, the topic is there', async () => {
  const [alice, bob, carol] = [await start(net), await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const link = await room.createInvite()
  expect(decodeInvite(link)).toMatchObject({ device: null, relays: null })
  const hint = Buffer.concat([Buffer.of(1), Buffer.alloc(32, 7), Buffer.of(1, 16), Buffer.from('ws://127.0.0.1:9')])
  const own = { ...decodeInvite(link), device: carol.node.publicKey, relays: hint }
  for (const [peer, invite] of [[bob, { ...own, relays: Buffer.from('garbage') }], [carol, own]] as const) {
    await peer.rooms.join(encodeInvite(invite))
  }
  expect(await memberCount(room)).toBe(3)
})

test('a reader reads and may not write or invite', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.send('read this')
  const joined = await bob.rooms.join(await room.createInvite({ role: 'reader' }))
  await allOf(joined, ['read this'])
  expect((await joined.info()).role).toBe('reader')
  expect(await codeOf(() => joined.send('let me'))).toBe('ROOM_FORBIDDEN')
  expect(await codeOf(() => joined.createInvite())).toBe('ROOM_FORBIDDEN')
  expect(await textsOf(joined)).toEqual(['read this'])
})

test.each<[Role, CreateInviteOptions['role'], string | null]>([
  ['member', 'reader', 'ROOM_FORBIDDEN'],
  ['moderator', 'member', null],
  ['moderator', 'moderator', 'ROOM_FORBIDDEN'],
  ['moderator', 'admin', 'ROOM_FORBIDDEN'],
  ['admin', 'moderator', null],
  ['admin', 'admin', 'ROOM_FORBIDDEN']
])('a %s who invites a %s: %s', async (role, invited, code) => {
  const [alice, bob] = [await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const joined = await bob.rooms.join(await room.createInvite({ role: role as 'member' }))
  expect(await codeOf(() => joined.createInvite({ role: invited! }))).toBe(code)
})

test('who is in already joins to the room that there is, and uses up nothing', async () => {
  const [alice, bob, carol] = [await start(net), await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite({ uses: 2 })
  const joined = await bob.rooms.join(invite)
  expect(await bob.rooms.join(invite)).toBe(joined)
  expect(await alice.rooms.join(invite)).toBe(room)
  await carol.rooms.join(invite)
  expect(await memberCount(room)).toBe(3)
})

test('after a restart, the invite that was used gives the room that there is', async () => {
  const [alice, bob] = [await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite({ uses: 1 })
  await bob.rooms.join(invite)
  await bob.close()
  const again = await open(bob.person, net)
  expect(await again.rooms.join(invite)).toBe(again.rooms.get(room.id))
  await again.rooms.get(room.id)!.send('hello')
  await allOf(room, ['hello'])
  expect(await memberCount(room)).toBe(2)
})

test('a member lets others in while the owner is away', async () => {
  const [alice, bob, carol] = [await start(net), await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.send('from the owner')
  const invite = await room.createInvite({ uses: 2 })
  const bobs = await bob.rooms.join(invite)
  await allOf(bobs, ['from the owner'])
  await alice.close()
  const carols = await carol.rooms.join(invite)
  await carols.send('hello')
  await allOf(bobs, ['hello'])
  await allOf(carols, ['from the owner'])
})

test('nobody answers: the time limit', async () => {
  const [alice, bob] = [await start(net), await start(elsewhere)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite({ uses: 1 })
  const error: unknown = await bob.rooms.join(invite, { timeoutMs: 200 }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'JOIN_TIMEOUT', retryable: true, hint: expect.stringMatching(/online/) as string })
  expect(bob.rooms.list()).toEqual([])
})

test('nobody answers: the signal', async () => {
  const [alice, bob] = [await start(net), await start(elsewhere)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite()
  const reason = new Error('enough')
  await expect(bob.rooms.join(invite, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const controller = new AbortController()
  const joining = bob.rooms.join(invite, { signal: controller.signal })
  // The second one finds the first at work.
  expect(await codeOf(() => bob.rooms.join(invite))).toBe('JOIN_IN_PROGRESS')
  controller.abort(reason)
  await expect(joining).rejects.toBe(reason)
})

test('a join that was cut short succeeds with the same invite, and has used it once', async () => {
  const [alice, bob, carol] = [await start(net), await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite({ uses: 2 })
  // Cut short when the owner has let the device in, which does not know it yet.
  const controller = new AbortController()
  const joining = codeOf(() => bob.rooms.join(invite, { signal: controller.signal }))
  await until(room, async () => ((await memberCount(room)) === 2 ? true : undefined))
  controller.abort()
  await joining
  const joined = await bob.rooms.join(invite)
  await joined.send('in')
  await allOf(room, ['in'])
  await carol.rooms.join(invite)
  expect(await memberCount(room)).toBe(3)
})

test('a join that was cut short by a restart succeeds with the same invite of one use', async () => {
  const [alice, bob] = [await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite({ uses: 1 })
  const joining = codeOf(() => bob.rooms.join(invite))
  await until(room, async () => ((await memberCount(room)) === 2 ? true : undefined))
  await bob.close()
  expect(await joining).toMatch(/^ROOM_CLOSED$|null/)
  const again = await open(bob.person, net)
  const joined = await again.rooms.join(invite)
  await joined.send('in')
  await allOf(room, ['in'])
  expect(await memberCount(room)).toBe(2)
})

test('a join that nobody answered succeeds when somebody is there', async () => {
  const [alice, bob] = [await start(net), await start(elsewhere)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite({ uses: 1 })
  expect(await codeOf(() => bob.rooms.join(invite, { timeoutMs: 100 }))).toBe('JOIN_TIMEOUT')
  await bob.close()
  const again = await open(bob.person, net)
  await (await again.rooms.join(invite)).send('in')
  await allOf(room, ['in'])
})

test('a peer that is closed while it joins says so', async () => {
  const [alice, bob] = [await start(net), await start(elsewhere)]
  const invite = await (await alice.rooms.create({ name: 'Tea' })).createInvite()
  const joining = codeOf(() => bob.rooms.join(invite))
  await bob.close()
  expect(await joining).toBe('ROOM_CLOSED')
})

test('an invite of a room that was closed by who made it is answered by nobody', async () => {
  const [alice, bob] = [await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite()
  await room.close()
  expect(await codeOf(() => bob.rooms.join(invite, { timeoutMs: 200 }))).toBe('JOIN_TIMEOUT')
})

test('each damage of an invite has a code of its own', async () => {
  const [alice, bob] = [await start(net), await start(elsewhere)]
  const invite = await (await alice.rooms.create({ name: 'Tea' })).createInvite()
  const payload = invite.slice('covey:invite/'.length)
  const flip = (at: number) => invite.slice(0, at) + (invite[at] === 'y' ? 'b' : 'y') + invite.slice(at + 1)
  const damaged: [string, string][] = [
    ['', 'LINK_NOT_COVEY'],
    ['hello', 'LINK_NOT_COVEY'],
    ['https://example.com', 'LINK_NOT_COVEY'],
    [payload, 'LINK_NOT_COVEY'],
    ['covey:invite/', 'LINK_TRUNCATED'],
    [invite.slice(0, -1), 'LINK_TRUNCATED'],
    [invite.slice(0, invite.length / 2), 'LINK_TRUNCATED'],
    [`${invite}yy`, 'LINK_EXTRA_CHARACTERS'],
    [`${invite.slice(0, -1)}!`, 'LINK_BAD_CHARACTER'],
    [flip(invite.length - 20), 'LINK_DAMAGED'],
    [encodeLink('file', new Uint8Array(64)), 'LINK_WRONG_KIND'],
    [encodeLink('invite', new Uint8Array(2_000)), 'LINK_TOO_LONG'],
    [encodeLink('invite', new Uint8Array(0)), 'INVITE_MALFORMED'],
    [encodeLink('invite', new Uint8Array(63)), 'INVITE_MALFORMED'],
    ['x'.repeat(5_000), 'LINK_TOO_LONG']
  ]
  for (const [text, code] of damaged) expect([text, await codeOf(() => bob.rooms.join(text))]).toEqual([text, code])
  expect(await codeOf(() => bob.rooms.join(5 as unknown as string))).toBe('TypeError')
  expect(bob.rooms.list()).toEqual([])
})

test('what happens to links on their way is forgiven', async () => {
  const [alice, bob] = [await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite()
  const wrapped = `  <${invite.slice(0, 40)}\n${invite.slice(40)}>\n`.toUpperCase()
  expect((await bob.rooms.join(wrapped)).id).toBe(room.id)
})

test('an invite that the room does not know is not let in', async () => {
  const [alice, bob] = [await start(net), await start(net)]
  const [room] = await shareRoom(alice)
  const other = await (await alice.rooms.create({ name: 'Other' })).createInvite()
  // Another room's invite with the address of this room.
  const { discoveryKey } = decodeInvite(await room!.createInvite())
  const forged = encodeInvite({ ...decodeInvite(other), discoveryKey })
  expect(await codeOf(() => bob.rooms.join(forged, { timeoutMs: 1_500 }))).toMatch(/^(JOIN_TIMEOUT|INVITE_REFUSED)$/)
  expect(await room!.members()).toHaveLength(1)
  expect(bob.rooms.list()).toEqual([])
})

test.each<[string, object, RegExp]>([
  ['a typo', { timeoutMS: 5 }, /did you mean "timeoutMs"/],
  ['no time', { timeoutMs: 0 }, /options\.timeoutMs/],
  ['half a millisecond', { timeoutMs: 0.5 }, /options\.timeoutMs/],
  ['more time than a timer takes', { timeoutMs: 2 ** 31 }, /timeoutMs/],
  ['a signal that is none', { signal: 'stop' }, /options\.signal/]
])('join: %s is refused by name', async (_, options, message) => {
  const [alice, bob] = [await start(net), await start(elsewhere)]
  const invite = await (await alice.rooms.create({ name: 'Tea' })).createInvite()
  await expect(bob.rooms.join(invite, options as JoinOptions)).rejects.toThrow(TypeError)
  await expect(bob.rooms.join(invite, options as JoinOptions)).rejects.toThrow(message)
})

test.each<[string, object, RegExp]>([
  ['a typo', { use: 1 }, /did you mean "uses"/],
  ['no use', { uses: 0 }, /options\.uses/],
  ['half a use', { uses: 1.5 }, /options\.uses/],
  ['a past time', { expiresInMs: -1 }, /options\.expiresInMs/],
  ['no time', { expiresInMs: 0 }, /options\.expiresInMs/],
  ['the owner’s role', { role: 'owner' }, /options\.role/],
  ['another role', { role: 'king' }, /options\.role/],
  ['a time beyond all numbers', { expiresInMs: Number.MAX_SAFE_INTEGER }, /options\.expiresInMs/]
])('createInvite: %s is refused by name', async (_, options, message) => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  await expect(room.createInvite(options as CreateInviteOptions)).rejects.toThrow(TypeError)
  await expect(room.createInvite(options as CreateInviteOptions)).rejects.toThrow(message)
})

test('createInvite: a signal that was aborted before', async () => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  const reason = new Error('no')
  await expect(room.createInvite({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})

test('who has lost their role before the room has the invite, or that it is revoked, is told that it was not taken', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [room, joined] = await shareRoom(alice, bob)
  const info = (await room!.invites())[0]!
  const { base, view, log } = partsOfRooms(bob.rooms).open.get(joined!.id)!
  // As if it were lost between the look and the writing.
  const ownRole = { demand: () => Promise.resolve('admin') } as unknown as OwnRole
  const invites = createRoomInvites({ base, view, log, ownRole, whileOpen: (work) => work(), device: bob.node.publicKey, meetingPlace: null })
  expect(await codeOf(() => invites.createInvite())).toBe('ROOM_FORBIDDEN')
  expect(await codeOf(() => invites.revokeInvite(info.id))).toBe('ROOM_FORBIDDEN')
  expect(await joined!.invites()).toEqual([info])
})
