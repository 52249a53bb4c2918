import { expect, onTestFinished, test, vi } from 'vitest'
import { encodeZ32 } from '@covey/core'
import type { DmRequest, Room } from '@covey/rooms'
import { randomBytes } from '../../src/internal/crypto.js'
import { inTurn } from '../../src/internal/people/dm-seeking.js'
import { allOf, codeOf, open, person, shareRoom, start, until, useLocalNetwork, type TestPeer } from '../support.js'
import { ask } from './hostile.js'

const net = useLocalNetwork()
const idOf = ({ identity }: TestPeer): string => identity.identity.id
const dm = ({ rooms }: TestPeer, other: TestPeer, timeoutMs = 120_000): Promise<Room> => rooms.directMessages.open(idOf(other), { timeoutMs })

/** The next request that a peer is told of, or one that waits. */
async function request({ rooms: { directMessages } }: TestPeer): Promise<DmRequest> {
  const next = directMessages.once('request')
  return directMessages.requests()[0] ?? next
}

/** Both talk in it, and there is no other. */
async function expectOneRoom(a: TestPeer, b: TestPeer, ofA: Room, ofB: Room): Promise<void> {
  expect(ofA.id).toBe(ofB.id)
  await ofA.send('of one')
  await ofB.send('of the other')
  await Promise.all([allOf(ofA, ['of one', 'of the other']), allOf(ofB, ['of one', 'of the other'])])
  for (const [peer, other] of [[a, b], [b, a]] as const) {
    const direct = await Promise.all(peer.rooms.list().map(async (room) => (await room.info()).directWith))
    expect(direct.filter((id) => id === idOf(other))).toHaveLength(1)
    expect((await dm(peer, other)).id).toBe(ofA.id)
  }
}

test('two people who know each other’s key find one room, whoever asks', async () => {
  // Which of the two makes the room hangs on their keys: each has the chance to be the one who asks.
  for (let i = 0; i < 2; i++) {
    const peers = [await start(net, 'Alice'), await start(net, 'Bob')].toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
    const [asker, asked] = (i === 0 ? peers : peers.toReversed()) as [TestPeer, TestPeer]
    const opening = dm(asker, asked)
    const waiting = await request(asked)
    expect(waiting).toMatchObject({ id: idOf(asker), name: asker.identity.identity.name, bio: '' })
    expect(asked.rooms.directMessages.requests()).toEqual([waiting])
    const accepted = await asked.rooms.directMessages.accept(idOf(asker), { timeoutMs: 120_000 })
    expect(asked.rooms.directMessages.requests()).toEqual([])
    await expectOneRoom(asker, asked, await opening, accepted)
    const { id } = await accepted.send('what one could report')
    expect(await codeOf(() => accepted.report(id))).toBe('ROOM_FORBIDDEN')
    const members = await until(accepted, async () => ((await accepted.members()).length === 2 ? accepted.members() : undefined))
    expect(members.map(({ role, name }) => `${role} ${name}`).toSorted()).toEqual(['owner Alice', 'owner Bob'])
    for (const peer of peers) await peer.close()
  }
})

test('two who begin at the same moment end up in one room', async () => {
  for (let i = 0; i < 3; i++) {
    const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
    const [ofAlice, ofBob] = await Promise.all([dm(alice, bob), dm(bob, alice)])
    await expectOneRoom(alice, bob, ofAlice, ofBob)
    await alice.close()
    await bob.close()
  }
})

test('whoever has asked many who are away reaches one who is here', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const { directMessages } = alice.rooms
  const away = Array.from({ length: 30 }, () => encodeZ32(randomBytes(32)))
  for (const id of away) expect(await codeOf(() => directMessages.open(id, { timeoutMs: 50 }))).toBe('JOIN_TIMEOUT')
  ask(directMessages, idOf(bob), 60_000)
  expect(await request(bob)).toMatchObject({ id: idOf(alice) })
}, 30_000)

test('a wish that nobody waits for gets through behind many others', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await person('Bob')]
  const { directMessages } = alice.rooms
  const first = await open(bob, net)
  await first.close()
  const ids = [...Array.from({ length: 30 }, () => encodeZ32(randomBytes(32))), idOf(first)]
  for (const id of ids) expect(await codeOf(() => directMessages.open(id, { timeoutMs: 1 }))).toBe('JOIN_TIMEOUT')
  expect(await request(await open(bob, net))).toMatchObject({ id: idOf(alice) })
}, 90_000)

test('whoever waits comes first, and of the others each in time', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const people = Array.from({ length: 256 }, (_, i) => `${i}`)
  const awaited = new Set(['200', '255'])
  const early = new Set<string>()
  for (let turns = 0; turns < 22; turns++) {
    vi.setSystemTime(turns * 5 * 60_000)
    const order = inTurn(people, awaited)
    expect(order.slice(0, 2)).toEqual(['200', '255'])
    expect(new Set(order)).toEqual(new Set(people))
    for (const person of order.slice(0, 64)) early.add(person)
  }
  expect(early.size).toBe(people.length)
})

test('a wish outlives its call and a restart, and reaches whoever comes later', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await person('Bob')]
  const first = await open(bob, net)
  const { id } = first.identity.identity
  await first.close()
  expect(await codeOf(() => alice.rooms.directMessages.open(id, { timeoutMs: 50 }))).toBe('JOIN_TIMEOUT')
  await alice.close()
  const aliceAgain = await open(alice.person, net)
  const again = await open(bob, net)
  expect((await request(again)).name).toBe('Alice')
  // Nor is a request forgotten that waits.
  await again.close()
  const last = await open(bob, net)
  expect(last.rooms.directMessages.requests().map(({ name }) => name)).toEqual(['Alice'])
  const [ofAlice, ofBob] = await Promise.all([dm(aliceAgain, last), dm(last, aliceAgain)])
  await expectOneRoom(aliceAgain, last, ofAlice, ofBob)
})

test('a room that one of them has made, and the other has not come into, is found again', async () => {
  const people = [await start(net, 'Alice'), await start(net, 'Bob')].toSorted((a, b) => (Buffer.compare(a.identity.identity.publicKey, b.identity.identity.publicKey)))
  const [host, guest] = people as [TestPeer, TestPeer]
  // The host has made it, and both go before the guest is in.
  const made = host.rooms.once('open')
  const opening = dm(guest, host)
  opening.catch(() => undefined)
  await request(host)
  const accepting = host.rooms.directMessages.accept(idOf(guest))
  const { room } = await made
  await guest.close()
  await accepting
  await host.close()
  const [hostAgain, guestAgain] = [await open(host.person, net), await open(guest.person, net)]
  const ofGuest = await dm(guestAgain, hostAgain)
  expect(ofGuest.id).toBe(room.id)
  await expectOneRoom(hostAgain, guestAgain, await dm(hostAgain, guestAgain), ofGuest)
})

test('who is declined, or blocked, is not heard any more, and nobody tells them', async () => {
  const [alice, bob, carol] = [await start(net, 'Alice'), await start(net, 'Bob'), await start(net, 'Carol')]
  const asking = dm(bob, alice, 3_000)
  await request(alice)
  await alice.rooms.directMessages.decline(idOf(bob))
  expect(await codeOf(() => asking)).toBe('JOIN_TIMEOUT')
  const { directMessages, contacts } = alice.rooms
  expect(directMessages.requests()).toEqual([])
  expect(await codeOf(() => directMessages.accept(idOf(bob)))).toBe('JOIN_REQUEST_NOT_FOUND')

  await contacts.block(idOf(carol))
  expect(await codeOf(() => directMessages.open(idOf(carol)))).toBe('PERSON_BLOCKED')
  const blocked = new Promise<void>((resolve) => alice.node.on('disconnect', ({ peer }) => peer === carol.node.id && resolve()))
  expect(await codeOf(() => dm(carol, alice, 3_000))).toBe('JOIN_TIMEOUT')
  // By what she showed, her device is known, and not talked to any more.
  await blocked
  expect(directMessages.requests()).toEqual([])
  await contacts.unblock(idOf(carol))
  const late = dm(carol, alice)
  expect((await request(alice)).id).toBe(idOf(carol))
  // Who is declined can still be asked.
  await directMessages.accept(idOf(carol))
  await late
  const [ofAlice, ofBob] = await Promise.all([dm(alice, bob), dm(bob, alice)])
  expect(ofAlice.id).toBe(ofBob.id)
})

test('in a room for two neither rules the other, and nobody else comes in', async () => {
  const [alice, bob, carol] = [await start(net, 'Alice'), await start(net, 'Bob'), await start(net, 'Carol')]
  await shareRoom(alice, carol)
  const [ofAlice, ofBob] = await Promise.all([dm(alice, bob), dm(bob, alice)])
  await until(ofAlice, async () => ((await ofAlice.members()).length === 2 ? true : undefined))
  const sent = await ofAlice.send('of Alice')
  await allOf(ofBob, ['of Alice'])
  for (const [room, other] of [[ofAlice, bob], [ofBob, alice]] as const) {
    const attempts: [string, () => unknown][] = [
      ['remove', () => room.remove(idOf(other), { ban: true })],
      ['mute', () => room.mute(idOf(other))],
      ['setRole', () => room.setRole(idOf(other), 'reader')],
      ['transfer', () => room.transferOwnership(idOf(other))],
      ['invite', () => room.createInvite()],
      ['leave', () => room.leave()]
    ]
    for (const [what, attempt] of attempts) expect(await codeOf(attempt), what).toBe('ROOM_FORBIDDEN')
    expect(await codeOf(() => room.remove(idOf(carol)))).toBe('MEMBER_NOT_FOUND')
  }
  expect(await codeOf(() => ofBob.delete(sent.id))).toBe('ROOM_FORBIDDEN')
  await ofBob.pin(sent.id)
  await ofAlice.delete(sent.id)
})

test('who may ask is for each to choose', async () => {
  const [alice, bob, carol] = [await start(net, 'Alice'), await start(net, 'Bob'), await start(net, 'Carol')]
  expect(await codeOf(() => alice.rooms.directMessages.open(idOf(alice)))).toBe('TypeError')
  expect(await codeOf(() => alice.rooms.directMessages.open('alice'))).toBe('TypeError')
  expect(await codeOf(() => alice.rooms.directMessages.open(idOf(bob), { timeoutMs: 0 }))).toBe('TypeError')
  const picky = await open(await person('Dan'), net, undefined, { requestsFrom: 'known' })
  expect(await codeOf(() => dm(bob, picky, 3_000))).toBe('JOIN_TIMEOUT')
  await picky.rooms.contacts.add(idOf(carol))
  const asking = dm(carol, picky)
  expect((await request(picky)).id).toBe(idOf(carol))
  expect(picky.rooms.directMessages.requests()).toHaveLength(1)
  await picky.rooms.directMessages.accept(idOf(carol))
  await asking
})
