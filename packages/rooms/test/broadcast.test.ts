import { expect, test } from 'vitest'
import { decodeKey } from '@covey/core'
import type { Role, Room } from '@covey/rooms'
import type { UpstreamAutobase } from '../src/internal/guards/autobase-internals.js'
import { FEW_BLOCKS } from '../src/internal/guards/guard-fast-forward.js'
import { OpType } from '../src/internal/op.js'
import { partsOfRooms } from '../src/internal/rooms-parts.js'
import type { RoomView } from '../src/internal/view.js'
import { isUntold } from '../src/internal/shelf/room-note.js'
import { dumpEffects, foundBy, hostileScene, memberOf, startDevice } from './support-apply.js'
import { bringToSleep, placeOf } from './support-asleep.js'
import { allOf, codeOf, start, textsOf, until, useLocalNetwork, type TestPeer } from './support.js'

const net = useLocalNetwork()

const idOf = ({ identity }: TestPeer): string => identity.identity.id

function becomes(room: Room, role: Role, broadcast = true): Promise<true> {
  return until(room, async () => {
    const info = await room.info()
    return info.role === role && info.rules.broadcast === broadcast ? true : undefined
  })
}

async function channel(options: { public?: boolean } = {}) {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const hers = await alice.rooms.create({ name: 'News', rules: { broadcast: true } })
  const his = await bob.rooms.join(await hers.createInvite(options))
  return { alice, bob, hers, his }
}

test('readers read, write nothing, and write when they are made members', async () => {
  const { bob, hers, his } = await channel()
  await becomes(his, 'reader')
  await hers.send('news')
  await allOf(his, ['news'])
  const [news] = await collect(his)
  expect(await codeOf(() => his.send('me too'))).toBe('ROOM_FORBIDDEN')
  expect(await codeOf(() => his.react(news!, '👍'))).toBe('ROOM_FORBIDDEN')
  expect(await codeOf(() => his.leave())).toBe('ROOM_NOT_WRITABLE')
  await hers.setRole(idOf(bob), 'member')
  await becomes(his, 'member')
  await his.send('thank you')
  await allOf(hers, ['news', 'thank you'])
  await hers.setRole(idOf(bob), 'reader')
  await becomes(his, 'reader')
  expect(await codeOf(() => his.send('again'))).toBe('ROOM_FORBIDDEN')
  // What comes after a key was changed, too.
  await hers.send('more')
  await allOf(his, ['news', 'thank you', 'more'])
})

test('a room that a reader can tell nothing sleeps on, whatever they set', async () => {
  const { bob, his } = await channel()
  await becomes(his, 'reader')
  await bringToSleep(bob, his)
  await bob.rooms.profile.set({ bio: 'reads only' })
  const { note } = placeOf(bob, his)
  expect(note).toMatchObject({ admitted: true, silent: true })
  expect(isUntold(note!, partsOfRooms(bob.rooms).stack.profile!)).toBe(false)
})

test('a reader comes in by a public link while nobody is there, and the one op that they write is that', async () => {
  const { alice, hers } = await channel()
  const invite = await hers.createInvite({ public: true })
  const carol = await start(net, 'Carol')
  const joined = await carol.rooms.join(invite)
  await becomes(joined, 'reader')
  await hers.send('welcome')
  await allOf(joined, ['welcome'])
  expect((await hers.members()).filter(({ role }) => role === 'reader')).toHaveLength(2)
  expect(idOf(alice)).toBe((await hers.members()).find(({ role }) => role === 'owner')?.id)
})

test('a reader who has all of it, and goes forward over many blocks, has all of it then: nobody else is needed', { timeout: 90_000 }, async () => {
  const { alice, bob, hers, his } = await channel()
  await becomes(his, 'reader')
  const { base } = partsOfRooms(bob.rooms).open.get(his.id)!
  const views = [...(base as unknown as UpstreamAutobase<RoomView>)._viewStore.byName.values()]
  const lengths = (): number[] => views.map(({ core }) => core.length)
  const held = (): number[] => views.map(({ core }) => core.contiguousLength)
  const { log } = partsOfRooms(alice.rooms).open.get(hers.id)!
  /** Not all at once: each round is written by itself. */
  const say = async (rounds: number, count: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      await Promise.all(Array.from({ length: count }, (_, i) => hers.send(`${round}/${i}`)))
      await log.settled()
    }
    await hers.send('said')
  }
  // A room of which there is hardly anything is gone forward in without.
  await say(20, 1)
  await allOf(his, ['said'])
  await expect.poll(held).toEqual(lengths())
  const before = lengths()
  await bob.node.suspend()
  await say(40, 16)
  const forward = new Promise<readonly [number[], number[]]>((resolve) => base.on('fast-forward', () => resolve([lengths(), held()])))
  await bob.node.resume()
  const [after, here] = await forward
  expect(base.writable).toBe(false)
  expect(Math.max(...after.map((length, i) => length - before[i]!))).toBeGreaterThan(FEW_BLOCKS)
  // But for what is signed meanwhile.
  expect(Math.max(...after.map((length, i) => length - here[i]!))).toBeLessThan(64)
})

test('the cores of readers are not in the log: when a room becomes a channel, they leave it, and come back', async () => {
  const owner = await foundBy(await startDevice(net))
  const reader = await memberOf(owner, await startDevice(net), 'reader')
  const member = await memberOf(owner, await startDevice(net))
  const isIn = async (room: typeof reader) => (await owner.base.system!.get(room.base.local.key))?.isRemoved === false
  expect([await isIn(reader), await isIn(member)]).toEqual([true, true])
  await owner.room.setRules({ broadcast: true })
  expect([await isIn(reader), await isIn(member)]).toEqual([false, true])
  await reader.until(async () => (!reader.base.writable && (await reader.isAdmitted())) || undefined)
  await owner.room.setRules({ broadcast: false })
  expect([await isIn(reader), await isIn(member)]).toEqual([true, true])
  await reader.until(async () => (reader.base.writable && (await reader.mayWrite())) || undefined)
})

test('software of a reader that writes all the same changes nothing, whatever it writes', async () => {
  const { owner, hostile } = await hostileScene(net, 'reader')
  const { id } = await owner.room.send('news')
  await until(owner.room, async () => ((await owner.room.message(id))?.state === 'sent' ? true : undefined))
  await hostile.has(decodeKey(id))
  const before = await dumpEffects(owner.view)
  await owner.room.setRules({ broadcast: true })
  // Before its device hears of it, Autobase has it write: the others have the removal, and read none of it.
  for (const type of [OpType.message, OpType.react, OpType.profile, OpType.keyRequest, OpType.leave]) {
    await hostile.write({ type, target: decodeKey(id) }, new Uint8Array(64)).catch(() => undefined)
  }
  await owner.room.send('more news')
  await until(owner.room, async () => ((await textsOf(owner.room, { pending: false })).includes('more news') ? true : undefined))
  const after = await dumpEffects(owner.view)
  for (const name of ['profiles', 'key-requests', 'reactions'] as const) expect(after[name], name).toEqual(before[name])
  expect(after['messages']).toHaveLength(2)
  expect((await owner.room.members()).map(({ role }) => role).toSorted()).toEqual(['owner', 'reader'])
})

async function collect(room: Room): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of room.messages()) ids.push(id)
  return ids
}
