import { expect, test, vi } from 'vitest'
import type { Receipt, Room } from '@covey/rooms'
import { MAX_REACT_OP_BYTES } from '../src/internal/apply/messages.js'
import { randomBytes } from '../src/internal/crypto.js'
import { OpType } from '../src/internal/op.js'
import { partsOfRooms } from '../src/internal/rooms-parts.js'
import { decodeZ32, encodeZ32 } from '@covey/core'
import { appliedBy, effectOf, hostileScene } from './support-apply.js'
import { allOf, codeOf, open, person, shareRoom, start, useLocalNetwork, type TestPeer } from './support.js'

const net = useLocalNetwork()
const startTelling = async (name: string): Promise<TestPeer> => open(await person(name), net, undefined, { readReceipts: true })
const idOf = ({ identity }: TestPeer): string => identity.identity.id
const keyOf = (id: string): Uint8Array => (decodeZ32(id, 32) as { value: Uint8Array }).value

/** Who is how far, as a room has it. */
async function told(room: Room): Promise<[string, string][]> {
  return (await room.receipts()).map(({ memberId, messageId }: Receipt): [string, string] => [memberId, messageId])
}

async function sendAll(room: Room, ...texts: string[]): Promise<string[]> {
  const ids: string[] = []
  for (const text of texts) ids.push((await room.send(text)).id)
  return ids
}

test('who tells it has others see how far they have read: once for all that was read in some seconds', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await startTelling('Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  const [one, two, three] = (await sendAll(hers, 'one', 'two', 'three')) as [string, string, string]
  await allOf(his, ['one', 'two', 'three'])
  expect(await hers.receipts()).toEqual([])
  const append = vi.spyOn(partsOfRooms(bob.rooms).open.get(his.id)!.log, 'append')
  for (const id of [one, two]) await his.markRead(id)
  await expect.poll(() => told(hers), { timeout: 20_000 }).toEqual([[idOf(bob), two]])
  expect(append).toHaveBeenCalledOnce()
  expect(await hers.readBy(one)).toEqual([idOf(bob)])
  expect(await hers.readBy(three)).toEqual([])
  const [{ readAt }] = (await hers.receipts()) as [Receipt]
  expect(Math.abs(Date.now() - readAt)).toBeLessThan(60_000)
  await his.markRead()
  await expect.poll(() => told(hers), { timeout: 20_000 }).toEqual([[idOf(bob), three]])
  expect(await told(his)).toEqual([[idOf(bob), three]])
  expect(await codeOf(() => hers.readBy(encodeZ32(randomBytes(32))))).toBe('MESSAGE_NOT_FOUND')
  // Who wrote it is none of its readers.
  const [own] = (await sendAll(his, 'mine')) as [string]
  await allOf(hers, ['mine'])
  await his.markRead(own)
  await expect.poll(() => told(hers), { timeout: 20_000 }).toEqual([[idOf(bob), own]])
  expect(await hers.readBy(own)).toEqual([])
})

test('nobody is told where the peer was not opened for it', async () => {
  const [alice, bob] = [await startTelling('Alice'), await start(net, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  await sendAll(hers, 'one')
  await allOf(his, ['one'])
  await his.markRead()
  await his.close()
  const [last] = (await sendAll(hers, 'two')) as [string]
  await hers.markRead(last)
  await expect.poll(() => told(hers), { timeout: 20_000 }).toEqual([[idOf(alice), last]])
})

test('what was read is told also by who closes at once; of who is blocked, or out, nothing is shown', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await startTelling('Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  const [one] = (await sendAll(hers, 'one')) as [string]
  await allOf(his, ['one'])
  await his.markRead()
  await bob.close()
  await open(bob.person, net, undefined, { readReceipts: true })
  await expect.poll(() => told(hers), { timeout: 20_000 }).toEqual([[idOf(bob), one]])
  await alice.rooms.contacts.block(idOf(bob))
  expect(await told(hers)).toEqual([])
  await alice.rooms.contacts.unblock(idOf(bob))
  expect(await told(hers)).toEqual([[idOf(bob), one]])
  await hers.remove(idOf(bob))
  expect(await told(hers)).toEqual([])
})

test('what is no receipt, or goes back, changes nothing', async () => {
  const { owner, hostile } = await hostileScene(net, 'member')
  const [one, two] = (await sendAll(owner.room, 'one', 'two')).map(keyOf) as [Uint8Array, Uint8Array]
  await owner.until(async () => (await owner.view.message(two)) ?? undefined)
  await appliedBy(owner, hostile.key, await hostile.write({ type: OpType.receipt, target: two }))
  expect(await told(owner.room)).toEqual([[encodeZ32(hostile.identity), encodeZ32(two)]])
  const attacks = [
    { type: OpType.receipt, target: one },
    { type: OpType.receipt, target: two },
    { type: OpType.receipt, target: randomBytes(32) },
    { type: OpType.receipt },
    { type: OpType.receipt, target: one, payload: new Uint8Array(MAX_REACT_OP_BYTES) }
  ]
  for (const attack of attacks) expect(await effectOf(owner, hostile, () => hostile.write(attack))).toEqual([])
})
