import { expect, test } from 'vitest'
import { decodeKey } from '@covey/core'
import type { Role, Room } from '@covey/rooms'
import { OpType } from '../src/internal/op.js'
import { dumpEffects, foundBy, hostileScene, memberOf, startDevice } from './support-apply.js'
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
