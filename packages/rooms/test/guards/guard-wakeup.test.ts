import { expect, test } from 'vitest'
import { boundedHints, mayWake } from '../../src/internal/guards/guard-wakeup.js'

test('of many hints, as many are taken as there is room for', () => {
  const hints = Array.from({ length: 3_000 }, (_, length) => ({ key: new Uint8Array(32), length }))
  expect(boundedHints(hints, 0)).toEqual(hints.slice(0, 1_024))
  expect(boundedHints(hints, 1_000)).toEqual(hints.slice(0, 24))
  expect(boundedHints(hints, 5_000)).toEqual([])
  expect(boundedHints(hints.slice(0, 3), 0)).toEqual(hints.slice(0, 3))
})

test('the writers of the room are always woken, others while there are few', async () => {
  const writer = (isKnown: boolean, strangers: number) =>
    mayWake({ isKnown: async () => isKnown, strangers: () => strangers })
  expect(await writer(true, 1_000)).toBe(true)
  expect(await writer(false, 15)).toBe(true)
  expect(await writer(false, 16)).toBe(false)
})
