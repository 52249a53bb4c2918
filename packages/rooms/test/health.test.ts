import { expect, onTestFinished, test, vi } from 'vitest'
import { encodeZ32 } from '@covey/core'
import type { Room, RoomHealth } from '@covey/rooms'
import { describeHealth, stateOf, type HealthFindings } from '../src/internal/describe-health.js'
import { createAttendance } from '../src/internal/attendance.js'
import { mapKey } from '../src/internal/map-key.js'
import { createHealthWatch } from '../src/internal/room-health.js'
import { encodeStruct } from '../src/internal/structs.js'
import { admission, admitHostile, appliedBy, foundBy, memberOf, startDevice, stranger, twoPasts } from './support-apply.js'
import { allOf, open, person, shareRoom, start, useLocalNetwork, type TestPeer } from './support.js'

const net = useLocalNetwork()
const idOf = ({ identity }: TestPeer): string => identity.identity.id

/** Resolves with the health of a room once it is as asked: now, and with each event. */
function shows(room: Room, check: (health: RoomHealth) => boolean): Promise<RoomHealth> {
  return new Promise((resolve, reject) => {
    const settle = (health: RoomHealth): void => void (check(health) && resolve(health))
    onTestFinished(room.on('health', settle))
    room.health().then(settle, reject)
  })
}

async function messagesInLog(room: Room, count: number): Promise<void> {
  for await (const _ of room.messages({ live: true, pending: false })) if (--count === 0) return
}

test('a member sees the indexer go and come back, and that something waits for it', async () => {
  const alices = await person('Alice')
  const alice = await open(alices, net)
  const bob = await start(net, 'Bob')
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  const indexer = { memberId: idOf(alice), device: alice.identity.device.id }
  await hers.send('hello')
  await allOf(his, ['hello'])
  const own = await shows(hers, ({ spareIndexers }) => spareIndexers === 0)
  expect(own).toMatchObject({ quorum: 1, spareIndexers: 0, isSplit: false, frozen: [], equivocations: [], mirrors: [] })
  expect(own.indexers).toEqual([{ ...indexer, isOnline: true }])
  expect((await shows(his, ({ spareIndexers }) => spareIndexers === 0)).indexers).toEqual(own.indexers)

  await alice.close()
  const gone = await shows(his, ({ spareIndexers }) => spareIndexers === -1)
  expect(gone).toMatchObject({ state: 'waiting', indexers: [{ ...indexer, isOnline: false }] })
  await his.send('are you there?')
  await messagesInLog(his, 2)
  expect((await his.health()).unsignedMessages).toBeGreaterThan(0)
  expect((await his.health()).sentence).toMatch(/^The indexer is away: the room goes on, and nothing is settled until it comes back \([12] messages? waits?\)\.$/)

  const again = await open(alices, net)
  await shows(his, ({ spareIndexers }) => spareIndexers === 0)
  await allOf(again.rooms.get(hers.id)!, ['hello', 'are you there?'])
})

test('what is signed has its place for ever, and the rest waits', async () => {
  const owner = await foundBy(await startDevice(net))
  await owner.room.send('one')
  await owner.room.send('two')
  await allOf(owner.room, ['one', 'two'])
  // The indexer signs with the next block that it writes; it does so at once when it is asked to.
  const health = async (): Promise<RoomHealth> => owner.base.ack().then(owner.room.health)
  await expect.poll(health, { timeout: 50_000 }).toMatchObject({ signedMessages: 2, unsignedMessages: 0 })
})

test('a closed room tells of no health', async () => {
  const alice = await start(net, 'Alice')
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.close()
  await expect(room.health()).rejects.toMatchObject({ code: 'ROOM_CLOSED' })
})

test('who signed two pasts is told of, with the person whose device it is', async () => {
  const [device, theirs] = [await startDevice(net), await startDevice(net)]
  const owner = await foundBy(device)
  const hostile = await admitHostile(owner, theirs, 'member')
  const newcomer = await stranger(owner.base.discoveryKey!)
  await owner.log.append([{ type: 'admit', payload: admission(newcomer.claim, 2) }])
  const proof = await twoPasts(newcomer.core)
  await appliedBy(owner, hostile.key, await hostile.write({ type: 19, payload: encodeStruct('equivocation', proof) }))
  const { equivocations, sentence } = await owner.room.health()
  const { identity } = newcomer
  expect(equivocations).toEqual([{ memberId: identity.identity.id, device: identity.device.id }])
  expect(sentence).toContain('signed two pasts')
})

test('who is frozen damages the room, until it is removed', async () => {
  const [device, members] = [await startDevice(net), await startDevice(net)]
  const owner = await foundBy(device)
  const member = await memberOf(owner, members)
  await member.room.send('here')
  await allOf(owner.room, ['here'])
  const told = shows(owner.room, ({ state }) => state === 'damaged')
  owner.health.frozen({ key: member.base.local.key, index: 3, reason: 'batch-count' })
  const memberId = members.identity.identity.id
  expect(await told).toMatchObject({ state: 'damaged', frozen: [{ memberId, device: members.identity.device.id, reason: 'batch-count' }] })
  await owner.room.remove(memberId)
  expect((await shows(owner.room, ({ frozen }) => frozen.length === 0)).state).toBe('good')
})

// White box: a room in which blocks are missing, which nobody else has either.

const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

test('devices are behind whose blocks are signed and not read, or built on and not here; strangers are not', async () => {
  const watch = createHealthWatch()
  onTestFinished(watch.close)
  const writer = (byte: number, of: object) => ({ core: { key: key(byte), length: 4 }, length: 4, node: null, frozen: false, ...of })
  const waiting = { node: { actualHeads: [{ key: key(3), length: 9 }, { key: key(2), length: 4 }, { key: key(7), length: 2 ** 40 }] } }
  const activeWriters = [
    writer(1, { length: 2 }),
    writer(2, { core: { key: key(2), length: 6 } }),
    writer(3, {}),
    writer(4, waiting),
    writer(5, { length: 1, frozen: true }),
    writer(6, { length: 1 }),
    writer(7, { length: 1 })
  ]
  const base = { local: { key: key(1), length: 4 }, activeWriters, linearizer: { indexers: [activeWriters[0]] }, on: () => undefined }
  const rows = [1, 2, 3, 4, 5, 6].map((byte) => ({ writer: key(byte), device: key(byte), identity: key(byte), removed: byte === 6 }))
  const roster = { devices: async () => new Map(rows.map((row) => [mapKey(row.writer), row])) }
  const timeline = { count: async () => 3, settled: async () => 5 }
  const attendance = createAttendance()
  watch.start({ base, roster, calm: async () => undefined, timeline, attendance, onpeople: () => () => undefined, emit: () => undefined, onerror: expect.unreachable } as never)
  attendance.met(encodeZ32(key(2)))
  const name = (byte: number) => ({ memberId: encodeZ32(key(byte)), device: encodeZ32(key(byte)) })
  const { behind, signedMessages, unsignedMessages, state } = await watch.now()
  expect(behind).toEqual([
    { ...name(2), isOnline: true, blocks: 2, isAwaited: false },
    { ...name(3), isOnline: false, blocks: 0, isAwaited: true }
  ])
  expect({ signedMessages, unsignedMessages, state }).toEqual({ signedMessages: 3, unsignedMessages: 0, state: 'waiting' })
})

test('what is closed looks no more', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const watch = createHealthWatch()
  const attendance = createAttendance()
  const base = { local: { key: key(1), length: 0 }, activeWriters: [], linearizer: { indexers: [] }, on: () => undefined }
  watch.start({ base, calm: async () => undefined, attendance, onpeople: () => () => undefined, emit: expect.unreachable, onerror: expect.unreachable } as never)
  attendance.met(encodeZ32(key(2)))
  expect(vi.getTimerCount()).toBe(1)
  watch.close()
  attendance.lost(encodeZ32(key(2)))
  expect(vi.getTimerCount()).toBe(0)
})

// What is made of what was found.

const NAME = { memberId: encodeZ32(new Uint8Array(32)), device: encodeZ32(new Uint8Array(32)) }
const indexers = (...online: boolean[]) => online.map((isOnline) => ({ ...NAME, isOnline }))

const FINE: HealthFindings = {
  indexers: indexers(true, true, true),
  quorum: 2,
  spareIndexers: 1,
  signedMessages: 4,
  unsignedMessages: 0,
  behind: [],
  frozen: [],
  equivocations: [],
  isSplit: false,
  mirrors: []
}

test.for<[Partial<HealthFindings>, RoomHealth['state'], string]>([
  [{}, 'good', '3 of 3 indexers are online, and 1 may sleep.'],
  [{ indexers: indexers(true, false, true), spareIndexers: 0 }, 'good', '2 of 3 indexers are online, and none of these may sleep.'],
  [
    { indexers: indexers(false, false, true), spareIndexers: -1, unsignedMessages: 2 },
    'waiting',
    '1 of 3 indexers is online, and 2 are needed: the room goes on, and nothing is settled until one comes back (2 messages wait).'
  ],
  [{ behind: [{ ...NAME, isOnline: false, blocks: 0, isAwaited: true }] }, 'waiting', '3 of 3 indexers are online, and 1 may sleep; 1 device is not read to the end yet.'],
  [{ mirrors: [{ id: 'a', isConnected: false, missingBlocks: undefined }] }, 'waiting', '3 of 3 indexers are online, and 1 may sleep; 1 of 1 mirror is out of reach.'],
  [
    { mirrors: [{ id: 'a', isConnected: true, missingBlocks: 3 }, { id: 'b', isConnected: true, missingBlocks: 0 }] },
    'waiting',
    '3 of 3 indexers are online, and 1 may sleep; 1 of 2 mirrors lacks what was written last.'
  ],
  [
    { frozen: [{ ...NAME, reason: 'batch-count' }], indexers: indexers(true), quorum: 1, spareIndexers: 0 },
    'damaged',
    '1 device wrote what breaks the log, and is not read on; the indexer is online; while it sleeps, nothing is settled.'
  ],
  [{ isSplit: true }, 'damaged', 'What is shown here is not what the indexers signed, and is being brought to it; 3 of 3 indexers are online, and 1 may sleep.']
])('in a sentence: %j', ([change, state, sentence]) => {
  const found = { ...FINE, ...change }
  expect(stateOf(found)).toBe(state)
  expect(describeHealth(found)).toBe(sentence)
})
