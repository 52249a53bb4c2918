import { encodeZ32, withTimeout } from '@covey/core'
import { expect, test, vi } from 'vitest'
import { partsOfRooms } from '../src/internal/rooms-parts.js'
import { laneScene, says } from './lane/support.js'
import { codeOf, start, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
const elsewhere = useLocalNetwork()

test('what waits for a message that is pending fails when the room is closed', async () => {
  const { bob, hers, his, judge, message } = await laneScene(net)
  const shown = await judge.judge(bob.node.id, says(bob, his, await message('said, and never written')))
  hers.pending.addOther(shown!, 60_000)
  const id = encodeZ32(shown!.id)
  const waiting = [() => hers.room.react(id, '👍'), () => hers.room.markRead(id), () => hers.room.send('in its thread', { thread: id })].map(codeOf)
  await hers.room.close()
  expect(await withTimeout(Promise.all(waiting), { timeoutMs: 5_000 })).toEqual(Array(3).fill('ROOM_CLOSED'))
})

test('what waits for a message that is pending fails when the room breaks', async () => {
  const { bob, hers, his, judge, message } = await laneScene(net)
  const shown = await judge.judge(bob.node.id, says(bob, his, await message('said, and never written')))
  hers.pending.addOther(shown!, 60_000)
  const waiting = codeOf(() => hers.room.react(encodeZ32(shown!.id), '👍'))
  hers.room.on('error', () => undefined)
  hers.base.emit('error', new Error('The disk is gone.'))
  expect(await withTimeout(waiting, { timeoutMs: 5_000 })).toBe('ROOM_BROKEN')
})

test('what is sent does not wait for the answer to what the log may never have', async () => {
  const { bob, hers, his, judge, message } = await laneScene(net)
  const shown = await judge.judge(bob.node.id, says(bob, his, await message('bait')))
  hers.pending.addOther(shown!, 60_000)
  const id = encodeZ32(shown!.id)
  const inThread = codeOf(() => hers.room.send('in its thread', { thread: id }))
  const answer = hers.room.send('an answer', { replyTo: id })
  expect((await withTimeout(answer, { timeoutMs: 5_000 })).replyTo).toBe(id)
  await withTimeout(hers.room.send('to everybody'), { timeoutMs: 5_000 })
  // It is withdrawn, and what would have been in its thread says so.
  hers.pending.settle(shown!.id, false)
  expect(await withTimeout(inThread, { timeoutMs: 5_000 })).toBe('MESSAGE_NOT_FOUND')
})

test('a peer that is closed while it waits to come in by a public invite says so at once', async () => {
  const [alice, bob] = [await start(net), await start(elsewhere)]
  const invite = await (await alice.rooms.create({ name: 'Tea' })).createInvite({ public: true })
  const entering = vi.spyOn(partsOfRooms(bob.rooms).node, 'join')
  const joining = codeOf(() => bob.rooms.join(invite, { timeoutMs: 600_000 }))
  await expect.poll(() => entering.mock.calls.length, { timeout: 20_000 }).toBeGreaterThan(0)
  await withTimeout(bob.rooms.close(), { timeoutMs: 10_000 })
  expect(await joining).toBe('ROOM_CLOSED')
})
