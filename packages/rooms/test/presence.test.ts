import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createEvents, encodeZ32 } from '@covey/core'
import type { Room, RoomEvents } from '@covey/rooms'
import { createPresence } from '../src/internal/presence.js'
import type { DeviceRow, MemberRow, RoomView } from '../src/internal/view.js'
import { allOf, open, person, shareRoom, start, until, useLocalNetwork, type TestPeer } from './support.js'

const net = useLocalNetwork()
const idOf = ({ identity }: TestPeer): string => identity.identity.id

/** Resolves when a room shows what is wanted: looked at again with each event. */
async function shows(room: Room, wanted: readonly { memberId: string; isTyping: boolean }[]): Promise<void> {
  await expect.poll(() => room.presence(), { timeout: 30_000, interval: 20 }).toEqual(wanted)
}

test('members see who is there, who types, and who leaves; by the rules of the room', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  const told: unknown[] = []
  hers.on('presence', (event) => void told.push(event))
  hers.on('typing', (event) => void told.push(event))
  const memberId = idOf(bob)
  await shows(his, [{ memberId: idOf(alice), isTyping: false }])
  await shows(hers, [{ memberId, isTyping: false }])
  await his.typing()
  await shows(hers, [{ memberId, isTyping: true }])
  await his.typing(false)
  await shows(hers, [{ memberId, isTyping: false }])
  await his.typing()
  await shows(hers, [{ memberId, isTyping: true }])
  // What is sent is not typed any more.
  await his.send('done')
  await shows(hers, [{ memberId, isTyping: false }])
  await allOf(hers, ['done'])
  await hers.setRules({ presence: false })
  await shows(hers, [])
  await shows(his, [])
  await hers.setRules({ presence: true })
  await shows(hers, [{ memberId, isTyping: false }])
  await his.close()
  await shows(hers, [])
  expect(told.slice(-1)).toEqual([{ memberId, isHere: false }])
  expect(told.filter((event) => JSON.stringify(event) === JSON.stringify({ memberId, isTyping: true }))).toHaveLength(2)
})

test('a peer that does without it neither tells nor is told, in rooms that it makes or joins, also after a restart', async () => {
  const alice = await start(net, 'Alice')
  const without = (who: TestPeer['person']) => open(who, net, undefined, { presence: false })
  const bob = await without(await person('Bob'))
  const rooms = [await shareRoom(alice, bob), (await shareRoom(bob, alice)).toReversed()] as [Room, Room][]
  async function expectNone(hers: Room, his: Room, text: string): Promise<void> {
    await his.typing()
    // It goes the way that presence would have gone, after it.
    await his.send(text)
    await allOf(hers, [text])
    expect([await hers.presence(), await his.presence()]).toEqual([[], []])
  }
  for (const [hers, his] of rooms) await expectNone(hers, his, 'one')
  await bob.close()
  const again = await without(bob.person)
  for (const [hers] of rooms) await expectNone(hers, again.rooms.get(hers.id)!, 'two')
})

test('who is muted does not type, and says so to nobody', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  await hers.mute(idOf(bob))
  await until(his, async () => (await his.members()).some(({ isSelf, isMuted }) => isSelf && isMuted) || undefined)
  await expect(his.typing()).rejects.toMatchObject({ code: 'ROOM_FORBIDDEN' })
})

// White box: what is made of what devices say, whatever it is, and when it ends.

const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const [SELF, BOB, READER] = [key(1), key(2), key(3)]
const device = (byte: number, identity: Uint8Array, removed = false) => ({ device: key(byte), identity, removed }) as DeviceRow
const [OWN, PHONE, LAPTOP, READERS, OUT] = [11, 12, 13, 14, 15].map((byte) => encodeZ32(key(byte))) as [string, string, string, string, string]
const DEVICES = [device(10, SELF), device(11, SELF), device(12, BOB), device(13, BOB), device(14, READER), device(15, BOB, true)]
const here = Uint8Array.of(2, 1)
const typing = Uint8Array.of(2, 2)
const away = Uint8Array.of(2, 0)

function scene({ isWanted = true, devices = DEVICES, muted = false } = {}) {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const events = createEvents<RoomEvents>()
  const told: unknown[] = []
  events.on('presence', ({ isHere }) => void told.push(isHere ? 'here' : 'gone'))
  events.on('typing', ({ isTyping }) => void told.push(isTyping ? 'types' : 'stopped'))
  const view = {
    member: async (identity: Uint8Array) => ({ identity, role: identity === READER ? 1 : 2, joinedAt: 0, muted }) as MemberRow
  } as unknown as RoomView
  const presence = createPresence({ self: SELF, view, emit: events.emit.bind(events), isWanted })
  onTestFinished(presence.close)
  const said: [number, string | undefined][] = []
  presence.attach((bytes, peer) => void said.push([bytes[1]!, peer]))
  presence.settle(devices, { presence: true })
  return { presence, told, said }
}

test('two devices of one person are one who is there, until both are gone', async () => {
  const { presence, told } = scene()
  await presence.hear(PHONE, here)
  await presence.hear(LAPTOP, typing)
  expect(presence.all()).toEqual([{ memberId: encodeZ32(BOB), isTyping: true }])
  await presence.hear(LAPTOP, away)
  presence.lost(PHONE)
  presence.lost(PHONE)
  expect(told).toEqual(['here', 'types', 'stopped', 'gone'])
  expect(presence.all()).toEqual([])
})

test('strangers, the removed, and this person’s own devices are nobody; readers and the muted do not type', async () => {
  const { presence, told } = scene()
  for (const peer of [OWN, OUT, 'nobody', encodeZ32(key(99))]) await presence.hear(peer, typing)
  expect(presence.all()).toEqual([])
  await presence.hear(READERS, typing)
  expect(presence.all()).toEqual([{ memberId: encodeZ32(READER), isTyping: false }])
  expect(told).toEqual(['here'])
  const silenced = scene({ muted: true })
  await silenced.presence.hear(PHONE, typing)
  expect(silenced.told).toEqual(['here'])
})

test('any bytes are no presence, and no error', async () => {
  const { presence, told } = scene()
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
      const isPresence = bytes.length === 2 && bytes[1]! <= 2
      if (!isPresence) await presence.hear(PHONE, bytes)
    })
  )
  expect(told).toEqual([])
})

test('a flood is heard a little: the rest of it costs nobody an event', async () => {
  const { presence, told } = scene()
  for (let i = 0; i < 1_000; i++) await presence.hear(PHONE, i % 2 === 0 ? here : away)
  expect(told.length).toBeLessThanOrEqual(8)
  // Another device is heard all the same.
  const before = told.length
  await presence.hear(READERS, here)
  expect(told).toHaveLength(before + 1)
})

test('what nobody says again ends: typing after 8 s, being there after 75 s', async () => {
  const { presence, told } = scene()
  await presence.hear(PHONE, typing)
  vi.advanceTimersByTime(7_999)
  expect(told).toEqual(['here', 'types'])
  vi.advanceTimersByTime(1)
  expect(told).toEqual(['here', 'types', 'stopped'])
  vi.advanceTimersByTime(74_999)
  expect(told).toHaveLength(3)
  vi.advanceTimersByTime(1)
  expect(told).toEqual(['here', 'types', 'stopped', 'gone'])
})

test('what is said: at once to who comes, every 30 s, and typing every 3 s at most', () => {
  const { presence, said } = scene()
  presence.met(PHONE)
  expect(said).toEqual([[1, undefined], [1, PHONE]])
  said.length = 0
  for (let i = 0; i < 100; i++) presence.type(true)
  expect(said).toEqual([[2, undefined]])
  vi.advanceTimersByTime(3_000)
  presence.type(true)
  expect(said).toHaveLength(2)
  presence.type(false)
  presence.type(false)
  expect(said.slice(2)).toEqual([[1, undefined]])
  vi.advanceTimersByTime(30_000)
  expect(said.at(-1)).toEqual([1, undefined])
  expect(said).toHaveLength(4)
})

test('nothing is said or heard where this peer, the room, or its size do without it', async () => {
  const many = Array.from({ length: 257 }, (_, i) => ({ ...device(12, BOB), device: Uint8Array.from({ length: 32 }, (__, j) => (j === 0 ? i % 256 : i >> 8)) }))
  for (const options of [{ isWanted: false }, { devices: [...many, ...DEVICES] }]) {
    const { presence, said, told } = scene(options)
    presence.met(PHONE)
    presence.type(true)
    await presence.hear(PHONE, here)
    vi.advanceTimersByTime(60_000)
    expect([said, told, presence.all()]).toEqual([[], [], []])
  }
  const { presence, said, told } = scene()
  await presence.hear(PHONE, here)
  presence.settle(DEVICES, { presence: false })
  said.length = 0
  presence.type(true)
  await presence.hear(PHONE, here)
  expect([said, told, presence.all()]).toEqual([[], ['here', 'gone'], []])
})

test('what was closed stays so, whatever was under way', async () => {
  const { presence, said, told } = scene()
  presence.close()
  said.length = 0
  presence.settle(DEVICES, { presence: true })
  presence.type(true)
  await presence.hear(PHONE, here)
  vi.advanceTimersByTime(60_000)
  expect([said, told, presence.all(), vi.getTimerCount()]).toEqual([[], [], [], 0])
})
