import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { encodeZ32 } from '@covey/core'
import { createAttendance } from '../src/internal/attendance.js'
import { createIndexerKeeper } from '../src/internal/keep-indexers.js'
import { SLEPT_MS, STEADY_MS } from '../src/internal/plan-indexers.js'
import type { Roster } from '../src/internal/roster.js'
import type { DeviceRow, MemberRow, RoomRow, RoomView } from '../src/internal/view.js'

// White box: the rows of a room, and a clock.

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const idOf = (number: number): string => encodeZ32(key(number))
/** A look, and the turn that each waits for. */
const A_LOOK_MS = STEADY_MS + 60_000

/** A room of an owner, whose device is 1, and of admins; the writer of device `n` has the key `100 + n`. */
function scene({ role = 5, muted = false, peer = null as Uint8Array | null, blocks = 10 } = {}) {
  const room: { row: RoomRow } = { row: { createdAt: 0, history: 1, indexers: role === 5 ? [key(101)] : [key(101), key(104), key(109)], ...(peer && { peer }) } }
  const devices = [1, 2, 3, 4].map((n) => ({ writer: key(100 + n), device: key(n), box: key(n), identity: key(200 + n), position: 0 }) as DeviceRow)
  const find = (writer: Uint8Array) => devices.find((row) => row.writer[0] === writer[0]) ?? null
  const view = {
    db: { core: { length: blocks } },
    room: async () => room.row,
    device: async (writer: Uint8Array) => find(writer),
    member: async (identity: Uint8Array) => ({ identity, role: identity[0] === 201 ? role : identity[0] === 204 && role === 4 ? 5 : 4, joinedAt: 0, muted: muted && identity[0] === 201 }) as MemberRow,
    writer: async (writer: Uint8Array) => (find(writer) ? { writer, length: 1 } : null),
  } as unknown as RoomView
  const roster = { devices: async () => new Map(devices.map((row) => [encodeZ32(row.writer), row])) } as unknown as Roster
  const named: string[][] = []
  const errors: unknown[] = []
  const attendance = createAttendance()
  const keeper = createIndexerKeeper({
    self: idOf(1),
    identity: key(201),
    view,
    roster,
    name: async (next) => {
      named.push([...next])
      room.row = { ...room.row, indexers: next.map((id) => devices.find(({ device }) => encodeZ32(device) === id)!.writer) }
    },
    attendance,
    onerror: (error) => void errors.push(error)
  })
  return { keeper, attendance, named, errors }
}

test('three are named when they have long been there, and another when one has long been away', async () => {
  const { keeper, attendance, named, errors } = scene()
  attendance.met(idOf(2))
  await vi.advanceTimersByTimeAsync(A_LOOK_MS)
  expect(named).toEqual([])
  attendance.met(idOf(3))
  await vi.advanceTimersByTimeAsync(A_LOOK_MS * 2)
  expect(named).toEqual([[idOf(1), idOf(2), idOf(3)]])
  attendance.lost(idOf(3))
  attendance.met(idOf(4))
  await vi.advanceTimersByTimeAsync(SLEPT_MS - A_LOOK_MS)
  expect(named).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(A_LOOK_MS * 3)
  expect(named.slice(1)).toEqual([[idOf(1), idOf(2), idOf(4)]])
  keeper.close()
  expect(errors).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})

test('what the room would not take is not asked of it', async () => {
  const { keeper, attendance, named, errors } = scene({ role: 4 })
  for (const n of [2, 3]) attendance.met(idOf(n))
  await vi.advanceTimersByTimeAsync(A_LOOK_MS * 2)
  // The owner's was named and is asleep, and an admin leaves it in.
  expect(named).toEqual([])
  expect(errors).toEqual([])
  keeper.close()
})

test.for([
  ['by who is muted', { muted: true }],
  ['in a direct room', { peer: key(9) }],
  ['where the view is long', { blocks: 32_769 }]
] as const)('nobody is named %s', async ([, change]) => {
  const { keeper, attendance, named } = scene(change)
  for (const n of [2, 3]) attendance.met(idOf(n))
  await vi.advanceTimersByTimeAsync(A_LOOK_MS * 3)
  expect(named).toEqual([])
  keeper.close()
})

test('what this device has slept through, or been alone, is no absence of others', async () => {
  const { keeper, attendance, named } = scene()
  for (const n of [2, 3]) attendance.met(idOf(n))
  await vi.advanceTimersByTimeAsync(A_LOOK_MS * 2)
  expect(named).toHaveLength(1)
  attendance.met(idOf(4))
  attendance.lost(idOf(3))
  // Its timers stand still.
  vi.setSystemTime(Date.now() + 2 * SLEPT_MS)
  await vi.advanceTimersByTimeAsync(A_LOOK_MS * 2)
  for (const n of [2, 4]) attendance.lost(idOf(n))
  await vi.advanceTimersByTimeAsync(2 * SLEPT_MS)
  for (const n of [2, 4]) attendance.met(idOf(n))
  await vi.advanceTimersByTimeAsync(A_LOOK_MS * 2)
  expect(named).toHaveLength(1)
  // And then it was really away for a day.
  await vi.advanceTimersByTimeAsync(SLEPT_MS)
  expect(named.slice(1)).toEqual([[idOf(1), idOf(2), idOf(4)]])
  keeper.close()
  expect(vi.getTimerCount()).toBe(0)
})
