import { expect, test } from 'vitest'
import { inspectInvite, type Room } from '@covey/rooms'
import { decodeInvite, encodeInvite } from '../src/invite.js'
import { allOf, codeOf, messagesOf, open, shareRoom, start, until, useLocalNetwork, type TestPeer } from './support.js'

const net = useLocalNetwork()
const elsewhere = useLocalNetwork()

const idOf = ({ identity }: TestPeer): string => identity.identity.id

/** Waits until these are the members of a room, as one of them sees it. */
function membersBecome(room: Room, ...peers: readonly TestPeer[]): Promise<true> {
  const expected = peers.map(idOf).sort().join()
  return until(room, async () => ((await room.members()).map(({ id }) => id).sort().join() === expected ? true : undefined))
}

/** A room of an owner and a reader, who alone is left: nobody who may let anybody in is online. */
async function unattended(uses?: number) {
  const [alice, reader] = [await start(net, 'Alice'), await start(net, 'Rita')]
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.send('from the owner')
  const readers = await reader.rooms.join(await room.createInvite({ role: 'reader' }))
  const invite = await room.createInvite({ public: true, ...(uses === undefined ? {} : { uses }) })
  await allOf(readers, ['from the owner'])
  await until(readers, async () => ((await readers.invites()).length === 2 ? true : undefined))
  await alice.close()
  return { alice, reader, readers, invite, id: room.id }
}

test('a public invite lets in while nobody who may admit is online', async () => {
  const { alice, readers, invite, id, reader } = await unattended()
  expect(inspectInvite(invite)).toEqual({ roomId: id, expiresAt: undefined, needsApproval: false, isPublic: true })
  const bob = await start(net, 'Bob')
  const joined = await bob.rooms.join(invite)
  expect((await joined.info()).role).toBe('member')
  // The reader's device gives the key.
  expect((await allOf(joined, ['from the owner'])).map(({ kind }) => kind)).toEqual(['text'])
  await joined.send('hello')
  await allOf(readers, ['hello'])
  await membersBecome(readers, alice, reader, bob)

  const again = await open(alice.person, net)
  const room = again.rooms.get(id)!
  const messages = await allOf(room, ['hello'])
  expect(messages.at(-1)).toMatchObject({ text: 'hello', author: idOf(bob) })
  await until(room, async () => ((await room.members()).some(({ name }) => name === 'Bob') ? true : undefined))
  expect((await room.invites()).find(({ isPublic }) => isPublic)).toMatchObject({ used: 1, isPublic: true })
})

test('while somebody is there who may admit, they do', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.send('before')
  const joined = await bob.rooms.join(await room.createInvite({ public: true, uses: 1 }))
  expect((await allOf(joined, ['before']))[0]).toMatchObject({ kind: 'text' })
  await joined.send('after')
  await allOf(room, ['after'])
  expect((await room.invites())[0]!.used).toBe(1)
})

test('after a restart the newcomer is in, and so they are for those who come later', async () => {
  const { alice, reader, invite, id } = await unattended()
  const bob = await start(net, 'Bob')
  await (await bob.rooms.join(invite)).send('hello')
  await bob.close()
  await reader.close()
  const bobAgain = await open(bob.person, net)
  const bobs = bobAgain.rooms.get(id)!
  await bobs.send('again')
  expect(await bobAgain.rooms.join(invite)).toBe(bobs)
  const aliceAgain = await open(alice.person, net)
  await allOf(aliceAgain.rooms.get(id)!, ['hello', 'again'])
})

test('with history "since-join", who comes by a public invite reads what is sent from then on', async () => {
  const [alice, reader, bob] = [await start(net), await start(net), await start(net, 'Bob')]
  const room = await alice.rooms.create({ name: 'Tea', history: 'since-join' })
  const readers = await reader.rooms.join(await room.createInvite({ role: 'reader' }))
  await room.send('before')
  const invite = await room.createInvite({ public: true })
  await until(readers, async () => ((await readers.invites()).length === 2 ? true : undefined))
  await allOf(readers, ['before'])
  await alice.close()
  const joined = await bob.rooms.join(invite)
  await joined.send('after')
  const seen = await allOf(readers, ['after'])
  expect(seen.map(({ kind }) => kind)).toEqual(['text', 'text'])
  expect((await messagesOf(joined)).map(({ kind, text }) => [kind, text])).toEqual([['unreadable', ''], ['text', 'after']])
})

test('of two who use the last use, one is in, the same for all, and the other is told', async () => {
  const { alice, reader, readers, invite, id } = await unattended(1)
  const [bob, carol] = [await start(net, 'Bob'), await start(net, 'Carol')]
  const codes = await Promise.all([bob, carol].map(({ rooms }) => codeOf(() => rooms.join(invite))))
  expect(codes.filter((code) => code !== null && code !== 'INVITE_USED_UP')).toEqual([])
  const aliceAgain = await open(alice.person, net)
  const room = aliceAgain.rooms.get(id)!
  const winner = await until(room, async () => {
    const ids = (await room.members()).map((member) => member.id)
    return [bob, carol].find((peer) => ids.includes(idOf(peer)))
  })
  await membersBecome(room, alice, reader, winner)
  await membersBecome(readers, alice, reader, winner)
  expect((await room.invites()).find(({ isPublic }) => isPublic)!.used).toBe(1)
  // What the winner was told may have been about an order that did not last: they are in all the same.
  await (await winner.rooms.join(invite)).send('in')
  await allOf(room, ['in'])
  const loser = winner === bob ? carol : bob
  const left = loser.rooms.get(id)
  if (left !== undefined) await until(left, async () => ((await left.info()).role === undefined ? true : undefined))
  expect(await codeOf(() => loser.rooms.join(invite))).toBe('INVITE_USED_UP')
})

test('an invite that was revoked, is for another, or has run out lets nobody in', async () => {
  const [alice, reader, bob] = [await start(net), await start(net), await start(net)]
  const [room, readers] = (await shareRoom(alice, reader)) as [Room, Room]
  await room.setRole(idOf(reader), 'reader')
  const revoked = await room.createInvite({ public: true })
  const personal = await room.createInvite({ public: true, inviteeId: idOf(alice) })
  const expired = decodeInvite(await room.createInvite({ public: true, expiresInMs: 1 }))
  const plain = decodeInvite(await room.createInvite())
  const [, info] = (await room.invites()).filter(({ isPublic, inviteeId, expiresAt }) => isPublic && !inviteeId && !expiresAt).concat(await room.invites())
  const target = (await room.invites()).find(({ isPublic, inviteeId, expiresAt }) => isPublic && !inviteeId && !expiresAt) ?? info!
  await room.revokeInvite(target.id)
  await until(readers, async () => ((await readers.invites()).some(({ isRevoked }) => isRevoked) ? true : undefined))
  await until(readers, async () => ((await readers.info()).role === 'reader' ? true : undefined))
  await alice.close()
  const { key, encryptionKey } = expired
  const { expiresAt: _, ...forged } = expired
  expect(await codeOf(() => bob.rooms.join(revoked, { timeoutMs: 20_000 }))).toBe('INVITE_REFUSED')
  expect(await codeOf(() => bob.rooms.join(personal, { timeoutMs: 20_000 }))).toBe('INVITE_REFUSED')
  expect(await codeOf(() => bob.rooms.join(encodeInvite(forged), { timeoutMs: 20_000 }))).toBe('INVITE_EXPIRED')
  // The keys of the room do not make an invite public that is not.
  expect(await codeOf(() => bob.rooms.join(encodeInvite({ ...plain, key: key!, encryptionKey: encryptionKey! }), { timeoutMs: 20_000 }))).toBe('INVITE_REFUSED')
  expect(bob.rooms.list()).toEqual([])
  expect(await readers.members()).toHaveLength(2)
})

test('only who is at least an admin makes a public invite, and its keys have to be those of its room', async () => {
  const [alice, bob, carol] = [await start(net), await start(net), await start(elsewhere)]
  const [room, bobs] = (await shareRoom(alice, bob)) as [Room, Room]
  await room.setRole(idOf(bob), 'moderator')
  await until(bobs, async () => ((await bobs.info()).role === 'moderator' ? true : undefined))
  expect(await codeOf(() => bobs.createInvite({ public: true }))).toBe('ROOM_FORBIDDEN')
  const link = decodeInvite(await room.createInvite({ public: true }))
  const { key: _, ...halved } = link
  const damaged = [{ ...link, key: new Uint8Array(32) }, halved]
  for (const invite of damaged) {
    expect(await codeOf(() => carol.rooms.join(encodeInvite(invite)))).toBe('INVITE_MALFORMED')
  }
})

test('with nobody at all to hear the room from, a public invite has to wait', async () => {
  const alice = await start(net)
  const bob = await start(elsewhere)
  const invite = await (await alice.rooms.create({ name: 'Tea' })).createInvite({ public: true })
  expect(await codeOf(() => bob.rooms.join(invite, { timeoutMs: 4_000 }))).toBe('JOIN_TIMEOUT')
  expect(bob.rooms.list()).toEqual([])
  await bob.close()
  const again = await open(bob.person, net)
  expect((await again.rooms.join(invite)).id).toBe(again.rooms.list()[0]!.id)
})
