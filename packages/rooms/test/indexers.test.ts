import { expect, test } from 'vitest'
import { encodeZ32 } from '@covey/core'
import { MAX_NAMINGS } from '../src/internal/authority/indexers.js'
import { OpType } from '../src/internal/op.js'
import type { OpenRoom } from '../src/internal/open-room.js'
import { encodeStruct } from '../src/internal/structs.js'
import { admitHostile, appliedBy, dumpEffects, effectOf, foundBy, hostileScene, memberOf, startDevice, twoPasts, type Device } from './support-apply.js'
import { codeOf, toHex, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
const LIMIT_MS = 60_000

const idOf = ({ identity }: Device): string => identity.device.id
const indexing = (opened: OpenRoom): string[] => opened.base.system!.indexers.map(({ key }) => toHex(key)).toSorted()
const keysOf = (...rooms: readonly OpenRoom[]): string[] => rooms.map(({ base }) => toHex(base.local.key)).toSorted()

/** Has one after the other acknowledge what there is, and not after the seconds that Autobase waits, until all is settled. */
async function settled(...rooms: readonly OpenRoom[]): Promise<void> {
  let turn = 0
  const waiting = async (): Promise<number[]> => {
    // What two acknowledge at once needs to be acknowledged too.
    await rooms[turn++ % rooms.length]!.base.ack()
    return Promise.all(rooms.map(async ({ room }) => (await room.health()).unsignedMessages))
  }
  await expect.poll(waiting, { timeout: LIMIT_MS, interval: 100 }).toEqual(rooms.map(() => 0))
}

async function textsOf({ room }: OpenRoom): Promise<string[]> {
  const texts: string[] = []
  for await (const { text } of room.messages({ pending: false })) texts.push(text)
  return texts
}

/** A room of an owner and two admins, whose devices index it. */
async function threeIndexers() {
  const devices = [await startDevice(net), await startDevice(net), await startDevice(net)] as const
  const owner = await foundBy(devices[0])
  const [one, other] = [await memberOf(owner, devices[1], 'admin'), await memberOf(owner, devices[2], 'admin')]
  for (const [i, { room }] of [owner, one, other].entries()) await room.send(`from ${i}`)
  await expect.poll(() => textsOf(owner), { timeout: LIMIT_MS }).toHaveLength(3)
  await owner.room.setIndexers(devices.map(idOf))
  const rooms = [owner, one, other] as const
  for (const room of rooms) await expect.poll(() => indexing(room), { timeout: LIMIT_MS }).toEqual(keysOf(...rooms))
  await settled(...rooms)
  return { devices, rooms, owner, one, other }
}

test('three devices settle the order, and any one of them may sleep', async () => {
  const { devices, owner, one, other } = await threeIndexers()
  for (const device of devices) owner.attendance.met(idOf(device))
  expect(await owner.room.health()).toMatchObject({ state: 'good', quorum: 2, spareIndexers: 1 })
  const log = await owner.room.auditLog()
  expect(log.at(-1)).toMatchObject({ action: 'setIndexers', by: devices[0].identity.identity.id })
  // A newcomer, who knows the founder's core alone, finds out who signs now.
  const dave = await memberOf(owner, await startDevice(net))
  await expect.poll(() => textsOf(dave), { timeout: LIMIT_MS }).toHaveLength(3)

  await owner.room.close()
  await one.room.send('while the founder sleeps')
  await dave.room.send('me too')
  for (const room of [one, other]) await expect.poll(() => textsOf(room), { timeout: LIMIT_MS }).toHaveLength(5)
  await settled(one, other, dave)
  const hash = async ({ base }: OpenRoom): Promise<string> => toHex((await base.view.db.core.treeHash(base.view.db.core.signedLength)) as Uint8Array)
  expect(await hash(other)).toBe(await hash(one))
  expect(await textsOf(dave)).toEqual(await textsOf(one))
})

test('a device that signed two pasts indexes no more, and one goes on alone', async () => {
  const { owner, one, other } = await threeIndexers()
  const { key, keyPair } = other.base.local as unknown as { key: Uint8Array; keyPair: { publicKey: Uint8Array; secretKey: Uint8Array } }
  const payload = encodeStruct('equivocation', await twoPasts({ key, keyPair }))
  const [written] = await owner.log.append([{ type: 'equivocation', payload }])
  expect(written!.isAccepted).toBe(true)
  for (const room of [owner, one]) await expect.poll(() => indexing(room), { timeout: LIMIT_MS }).toEqual(keysOf(owner))
  await one.room.send('after')
  await expect.poll(() => textsOf(owner), { timeout: LIMIT_MS }).toHaveLength(4)
  await settled(owner, one)
})

test('an admin who is removed, or demoted, indexes no more; the owner names another', async () => {
  const { owner, one, other, devices } = await threeIndexers()
  await owner.room.setRole(devices[2].identity.identity.id, 'member')
  expect(indexing(owner)).toEqual(keysOf(owner))
  await owner.room.setRole(devices[2].identity.identity.id, 'admin')
  expect(indexing(owner)).toEqual(keysOf(owner, one, other))
  await owner.room.remove(devices[2].identity.identity.id)
  expect(indexing(owner)).toEqual(keysOf(owner))
  expect(await codeOf(() => owner.room.setIndexers(devices.map(idOf)))).toBe('DEVICE_NOT_FOUND')
  await owner.room.setIndexers([idOf(devices[1])])
  expect(indexing(owner)).toEqual(keysOf(one))
  await settled(owner, one)
  // Named by the owner, it goes on when its person is no admin any more: there would be nobody else.
  await owner.room.setRole(devices[1].identity.identity.id, 'member')
  expect(indexing(owner)).toEqual(keysOf(one))
})

test('where one of three is left out, the owner goes on alone, in whatever order they were named', async () => {
  const { owner, devices } = await threeIndexers()
  await owner.room.setIndexers([devices[1], devices[0], devices[2]].map(idOf))
  await owner.room.setRole(devices[2].identity.identity.id, 'member')
  expect(indexing(owner)).toEqual(keysOf(owner))
})

test('what is asked for has to be one or three devices of the room, by an admin', async () => {
  const [device, theirs] = [await startDevice(net), await startDevice(net)]
  const owner = await foundBy(device)
  const member = await memberOf(owner, theirs)
  const set = (opened: OpenRoom, devices: string[]) => codeOf(() => opened.room.setIndexers(devices))
  expect(await set(owner, [])).toBe('TypeError')
  expect(await set(owner, [idOf(device), idOf(theirs)])).toBe('TypeError')
  expect(await set(owner, [idOf(device), idOf(device), idOf(device)])).toBe('TypeError')
  expect(await set(owner, ['yyy'])).toBe('TypeError')
  expect(await set(owner, [idOf(await startDevice(net))])).toBe('DEVICE_NOT_FOUND')
  expect(await set(member, [idOf(theirs)])).toBe('ROOM_FORBIDDEN')
  await member.room.send('now it has written')
  await expect.poll(() => textsOf(owner), { timeout: LIMIT_MS }).toHaveLength(1)
  expect(await set(owner, [idOf(theirs)])).toBe('ROOM_FORBIDDEN')
  expect(indexing(owner)).toEqual(keysOf(owner))
})

const naming = (...writers: Uint8Array[]) => ({ type: OpType.indexers, payload: encodeStruct('indexers', { writers }) })

test.for(['member', 'moderator', 'admin'] as const)('a hostile %s does not make itself the indexer', async (role) => {
  const { owner, hostile } = await hostileScene(net, role)
  const founder = owner.base.local.key
  const nobody = new Uint8Array(32)
  const attacks = [
    naming(hostile.key),
    naming(),
    naming(founder, hostile.key),
    naming(founder, founder, hostile.key),
    naming(founder, hostile.key, nobody),
    naming(hostile.key, hostile.key, hostile.key),
    { type: OpType.indexers, payload: new Uint8Array(3) },
    { type: OpType.indexers }
  ]
  for (const attack of attacks) expect(await effectOf(owner, hostile, () => hostile.write(attack))).toEqual([])
  expect(indexing(owner)).toEqual(keysOf(owner))
})

test('an admin names others with the owner, but not while muted, and is no indexer any more when removed', async () => {
  const device = await startDevice(net)
  const owner = await foundBy(device)
  const one = await memberOf(owner, await startDevice(net), 'admin')
  const hostile = await admitHostile(owner, await startDevice(net), 'admin')
  await one.room.send('here')
  await expect.poll(() => textsOf(owner), { timeout: LIMIT_MS }).toHaveLength(1)
  const three = naming(owner.base.local.key, one.base.local.key, hostile.key)
  const mallory = encodeZ32(hostile.identity)
  await owner.room.mute(mallory)
  await expect.poll(async () => (await hostile.base.view.member(hostile.identity))?.muted, { timeout: LIMIT_MS }).toBe(true)
  expect(await effectOf(owner, hostile, () => hostile.write(three))).toEqual([])
  await owner.room.unmute(mallory)
  await expect.poll(async () => (await hostile.base.view.member(hostile.identity))?.muted === true, { timeout: LIMIT_MS }).toBe(false)
  await appliedBy(owner, hostile.key, await hostile.write(three))
  expect(indexing(owner)).toEqual([...keysOf(owner, one), toHex(hostile.key)].toSorted())
  await owner.room.remove(mallory)
  expect(indexing(owner)).toEqual(keysOf(owner))
  expect((await dumpEffects(owner.view))['room']).toHaveLength(1)
})

test('an admin does not come to index alone by naming who has written nothing', async () => {
  const { owner, hostile } = await hostileScene(net, 'admin')
  const silent = await memberOf(owner, await startDevice(net), 'admin')
  const [founder, unwritten] = [owner.base.local.key, silent.base.local.key]
  expect(await owner.view.writer(unwritten)).toBe(null)
  for (const writers of [[hostile.key, founder, unwritten], [unwritten, hostile.key, founder]]) {
    await appliedBy(owner, hostile.key, await hostile.write(naming(...writers)))
    expect(indexing(owner)).toEqual(keysOf(owner))
  }
  // Together with it, they take over.
  await silent.room.send('now it has written')
  await expect.poll(() => textsOf(owner), { timeout: LIMIT_MS }).toHaveLength(1)
  await appliedBy(owner, hostile.key, await hostile.write(naming(hostile.key, founder, unwritten)))
  expect(indexing(owner)).toEqual([...keysOf(owner, silent), toHex(hostile.key)].toSorted())
})

test('an admin names indexers so many times and no more: each change is a copy of the view for everybody', async () => {
  const { owner, hostile } = await hostileScene(net, 'admin')
  const silent = await memberOf(owner, await startDevice(net), 'admin')
  const orders = [[owner.base.local.key, hostile.key, silent.base.local.key], [owner.base.local.key, silent.base.local.key, hostile.key]]
  for (let i = 0; i < MAX_NAMINGS; i++) expect(await effectOf(owner, hostile, () => hostile.write(naming(...orders[i % 2]!)))).not.toEqual([])
  expect(await effectOf(owner, hostile, () => hostile.write(naming(...orders[0]!)))).toEqual([])
})
