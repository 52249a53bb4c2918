import { expect, test } from 'vitest'
import { decodeKey } from '@covey/core'
import { MAX_IN_A_ROW, MAX_SLOW_MODE_MS, type Room } from '@covey/rooms'
import { OpType } from '../src/internal/op.js'
import { encodeStruct } from '../src/internal/structs.js'
import { appliedBy, foundBy, hostileScene, memberOf, startDevice, type Hostile } from './support-apply.js'
import { allOf, codeOf, shareRoom, start, textsOf, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
const HOUR_MS = 3_600_000

function slow(room: Room): Promise<true> {
  return until(room, async () => ((await room.info()).rules.slowModeMs > 0 ? true : undefined))
}

test('a member waits between two messages, a moderator does not', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  expect(await his.pace()).toEqual({ waitMs: 0, isOthersTurn: false })
  expect(await codeOf(() => his.setRules({ slowModeMs: 1 }))).toBe('ROOM_FORBIDDEN')
  await hers.setRules({ slowModeMs: HOUR_MS })
  await slow(his)
  await his.send('one')
  // Also while the first is on its way to the log.
  expect(await codeOf(() => his.send('too soon'))).toBe('MESSAGE_TOO_SOON')
  const { waitMs, isOthersTurn } = await his.pace()
  expect(isOthersTurn).toBe(false)
  expect(waitMs).toBeGreaterThan(HOUR_MS - 600_000)
  expect(waitMs).toBeLessThanOrEqual(HOUR_MS)
  await allOf(hers, ['one'])
  await hers.send('two')
  await hers.send('three')
  await allOf(his, ['one', 'two', 'three'])
  expect(await codeOf(() => his.send('still too soon'))).toBe('MESSAGE_TOO_SOON')
  await hers.setRules({ slowModeMs: 0 })
  await until(his, async () => ((await his.info()).rules.slowModeMs === 0 ? true : undefined))
  await his.send('four')
  await allOf(hers, ['one', 'two', 'three', 'four'])
})

test('of two that are sent at once by who has to wait, one is sent and the other refused', async () => {
  const owner = await foundBy(await startDevice(net))
  const { room } = await memberOf(owner, await startDevice(net))
  await owner.room.setRules({ slowModeMs: HOUR_MS })
  await slow(room)
  // The log is at something else meanwhile.
  const [, ...sent] = await Promise.allSettled([room.createInvite({ role: 'reader' }), room.send('one'), room.send('two')])
  expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  expect(sent[1]).toMatchObject({ reason: { code: 'MESSAGE_TOO_SOON' } })
  await allOf(owner.room, ['one'])
  expect(await textsOf(room)).toEqual(['one'])
})

test('rules that are none are refused before anything is written', async () => {
  const room = await foundBy(await startDevice(net))
  for (const rules of [{ slowModeMs: -1 }, { slowModeMs: MAX_SLOW_MODE_MS + 1 }, { broadcast: 1 }, { links: 'reader' }, { media: 'owner' }, { wrong: true }]) {
    await expect(room.room.setRules(rules as never)).rejects.toThrow(TypeError)
  }
  await room.room.setRules({})
  expect((await room.view.room())?.rules ?? null).toBe(null)
})

/** How many of a member's messages the owner has. */
async function taken({ owner, hostile }: Awaited<ReturnType<typeof hostileScene>>, last: Uint8Array): Promise<number> {
  await appliedBy(owner, hostile.key, last)
  return (await owner.view.all('messages')).filter(({ writer }) => Buffer.from(writer).equals(hostile.key)).length
}

async function write(hostile: Hostile, times: readonly number[]): Promise<Uint8Array> {
  let last: Uint8Array | undefined
  for (const sentAt of times) last = await hostile.write({ type: OpType.message, sentAt })
  return last!
}

test('software that ignores slow mode: what is too soon by its own clock is not in the room', async () => {
  const scene = await hostileScene(net, 'member')
  await scene.owner.room.setRules({ slowModeMs: HOUR_MS })
  await knows(scene)
  const now = Date.now()
  const last = await write(scene.hostile, [now, now, now + 1, now + HOUR_MS - 1, now + HOUR_MS])
  expect(await taken(scene, last)).toBe(2)
})

test('software that lies about the time writes no more in a row than anybody may', async () => {
  const scene = await hostileScene(net, 'member')
  await scene.owner.room.setRules({ slowModeMs: HOUR_MS })
  await knows(scene)
  const times = Array.from({ length: 3 * MAX_IN_A_ROW }, (_, i) => i * HOUR_MS)
  expect(await taken(scene, await write(scene.hostile, times))).toBe(MAX_IN_A_ROW)
  // Somebody else's message is what gives it the word again, and its own deeds are not.
  const { id } = await scene.owner.room.send('and now?')
  await scene.hostile.has(await sentId(scene.owner.room, id))
  const later = times.map((at) => at + 1e12)
  expect(await taken(scene, await write(scene.hostile, later))).toBe(2 * MAX_IN_A_ROW)
})

test('a clock that is years off, and one that is set back, hold nobody up', async () => {
  const scene = await hostileScene(net, 'member')
  await scene.owner.room.setRules({ slowModeMs: HOUR_MS })
  await knows(scene)
  const year = 365 * 24 * HOUR_MS
  const now = Date.now()
  expect(await taken(scene, await write(scene.hostile, [now + 10 * year, now, now - 10 * year, now + HOUR_MS]))).toBe(4)
})

test('rules are for admins to set, and to be what they may be', async () => {
  const scene = await hostileScene(net, 'moderator')
  const { owner, hostile } = scene
  const rules = (rule: number, value: number) => ({ type: OpType.rules, payload: encodeStruct('rules', { rules: [{ rule, value }] }) })
  await appliedBy(owner, hostile.key, await hostile.write(rules(2, 1)))
  expect((await owner.room.info()).rules.broadcast).toBe(false)
  const admin = await hostileScene(net, 'admin')
  for (const [rule, value] of [[1, MAX_SLOW_MODE_MS + 1], [2, 2], [3, 1], [3, 5], [4, 9], [5, 2], [99, 1]] as const) await admin.hostile.write(rules(rule, value))
  const empty = await admin.hostile.write({ type: OpType.rules, payload: encodeStruct('rules', { rules: [] }) })
  await appliedBy(admin.owner, admin.hostile.key, empty)
  expect((await admin.owner.view.room())?.rules ?? null).toBe(null)
  await appliedBy(admin.owner, admin.hostile.key, await admin.hostile.write(rules(1, 1_000)))
  expect((await admin.owner.room.info()).rules.slowModeMs).toBe(1_000)
})

test('who waits as slow mode asks for loses nothing, up to as many in a row as anybody may write', async () => {
  const owner = await foundBy(await startDevice(net))
  const member = await memberOf(owner, await startDevice(net))
  await owner.room.setRules({ slowModeMs: 1 })
  await slow(member.room)
  for (let i = 0; i < MAX_IN_A_ROW; i++) {
    await sendInTime(member.room, `${i}`)
    if (i % 4 === 0) await owner.room.send(`owner ${i}`)
  }
  const texts = Array.from({ length: MAX_IN_A_ROW }, (_, i) => `${i}`)
  const seen = await until(owner.room, async () => {
    const all = await textsOf(owner.room, { pending: false })
    return texts.every((text) => all.includes(text)) ? all : undefined
  })
  expect(seen.filter((text) => texts.includes(text))).toEqual(texts)
})

/** Waits as slow mode asks for. */
async function sendInTime(room: Room, text: string): Promise<void> {
  // A timer may fire before the clock says so.
  for (let waitMs = (await room.pace()).waitMs; waitMs > 0; waitMs = (await room.pace()).waitMs) {
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
  await room.send(text)
}

async function knows({ owner, hostile }: Awaited<ReturnType<typeof hostileScene>>): Promise<void> {
  const { id } = await owner.room.send('slow from here on')
  await hostile.has(await sentId(owner.room, id))
}

/** The bytes of a message's id, when the log has it. */
async function sentId(room: Room, id: string): Promise<Uint8Array> {
  await until(room, async () => ((await room.message(id))?.state === 'sent' ? true : undefined))
  return decodeKey(id)
}
