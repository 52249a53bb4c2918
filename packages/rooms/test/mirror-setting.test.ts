import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeLink, encodeLink } from '@covey/core'
import { MAX_ROOM_MIRRORS, type Room } from '@covey/rooms'
import { randomBytes } from '../src/internal/crypto.js'
import { readMirrors } from '../src/internal/mirror-setting.js'
import { OpType } from '../src/internal/op.js'
import { encodeStruct } from '../src/internal/structs.js'
import { effectOf, hostileScene } from './support-apply.js'
import { codeOf, shareRoom, start, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

const mirror = (name: number, rest = new Uint8Array()): Uint8Array => Uint8Array.of(...new Uint8Array(32).fill(name), ...rest)
const link = (name: number): string => encodeLink('mirror', mirror(name))

function mirrorsBecome(room: Room, mirrors: readonly string[]): Promise<true> {
  return until(room, async () => ((await room.info()).mirrors.join() === mirrors.join() ? true : undefined))
}

test('an admin names mirrors, and all members know them, whoever comes later too', async () => {
  const [alice, bob, carol] = [await start(net, 'Alice'), await start(net, 'Bob'), await start(net, 'Carol')]
  const room = await alice.rooms.create({ name: 'Tea', history: 'since-join' })
  const his = await bob.rooms.join(await room.createInvite())
  expect((await room.info()).mirrors).toEqual([])
  await room.setMirrors([link(1), link(2)])
  await mirrorsBecome(his, [link(1), link(2)])
  const hers = await carol.rooms.join(await room.createInvite())
  await mirrorsBecome(hers, [link(1), link(2)])
  await expect(his.setMirrors([link(3)])).rejects.toMatchObject({ code: 'ROOM_FORBIDDEN' })
  await room.setRole(bob.identity.identity.id, 'admin')
  await until(his, async () => ((await his.info()).role === 'admin' ? true : undefined))
  await his.setMirrors([])
  for (const each of [room, his, hers]) await mirrorsBecome(each, [])
})

test('who names mirrors and who renames the room at once undo nothing of each other', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [room, his] = (await shareRoom(alice, bob)) as [Room, Room]
  await room.setRole(bob.identity.identity.id, 'admin')
  await until(his, async () => ((await his.info()).role === 'admin' ? true : undefined))
  await Promise.all([room.setMirrors([link(1)]), his.rename('Coffee')])
  for (const each of [room, his]) {
    await mirrorsBecome(each, [link(1)])
    await until(each, async () => ((await each.info()).name === 'Coffee' ? true : undefined))
  }
})

test('what a room is told to have as mirrors has to be links of some', async () => {
  const { rooms } = await start(net)
  const room = await rooms.create({ name: 'Tea' })
  const tooMany = Array.from({ length: MAX_ROOM_MIRRORS + 1 }, (_, i) => link(i))
  for (const links of [undefined, 'covey:mirror/x', tooMany, [link(1), link(1)], [1], [encodeLink('mirror', new Uint8Array(31))]]) {
    expect(await codeOf(() => room.setMirrors(links as string[]))).toBe('TypeError')
  }
  expect(await codeOf(() => room.setMirrors([encodeLink('relay', mirror(1))]))).toBe('LINK_WRONG_KIND')
  expect(await codeOf(() => room.setMirrors([link(1).slice(0, -1)]))).toBe('LINK_TRUNCATED')
  expect(await codeOf(() => room.setMirrors([encodeLink('mirror', mirror(1, new Uint8Array(1_000)))]))).toBe('LINK_TOO_LONG')
  expect((await room.info()).mirrors).toEqual([])
  await room.setMirrors(tooMany.slice(1))
  expect((await room.info()).mirrors).toEqual(tooMany.slice(1))
})

test('of what a body says no more comes than there may be, each once, and only links of mirrors', () => {
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.nat(12).map((name) => mirror(name)), fc.constant(mirror(1, new Uint8Array(2_000)))), { maxLength: 30 })
      .map((mirrors) => encodeStruct('mirrors-body', { mirrors }))
  )
  fc.assert(
    fc.property(bodies, (body) => {
      const links = readMirrors(body)
      const keys = links.map((each) => Buffer.from(decodeLink(each, { kind: 'mirror', maxBytes: 1_024 }).body.subarray(0, 32)).toString('hex'))
      expect(links.length).toBeLessThanOrEqual(MAX_ROOM_MIRRORS)
      expect(new Set(keys).size).toBe(links.length)
      expect(keys.every(({ length }) => length === 64)).toBe(true)
    }),
    { numRuns: 2_000 }
  )
  const many = Array.from({ length: 20 }, (_, i) => mirror(i))
  expect(readMirrors(encodeStruct('mirrors-body', { mirrors: [new Uint8Array(), mirror(3).subarray(1), ...many, ...many] }))).toEqual(
    many.slice(0, MAX_ROOM_MIRRORS).map((each) => encodeLink('mirror', each))
  )
})

test('which mirrors a room has is sealed; an admin who seals nothing names none', async () => {
  const { owner, hostile } = await hostileScene(net, 'admin')
  await owner.room.setMirrors([link(9)])
  const { mirrors } = (await owner.view.room())!
  expect(Buffer.from(mirrors!).includes(Buffer.from(mirror(9)))).toBe(false)
  for (const epoch of [null, randomBytes(32)]) {
    expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.mirrors, epoch }, randomBytes(60)))).toEqual(['room'])
    expect((await owner.room.info()).mirrors).toEqual([])
  }
})
