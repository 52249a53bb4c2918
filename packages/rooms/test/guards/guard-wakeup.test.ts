import { expect, onTestFinished, test, vi } from 'vitest'
import type { UpstreamAutobase } from '../../src/internal/guards/autobase-internals.js'
import { randomBytes } from '../../src/internal/crypto.js'
import { boundedHints, createWaiting, mayWake } from '../../src/internal/guards/guard-wakeup.js'
import { createRateLimit } from '../../src/internal/guards/rate-limit.js'
import { foundBy, startDevice } from '../support-apply.js'
import { useLocalNetwork } from '../support.js'

const net = useLocalNetwork()

test('of many hints, as many are taken as there is room for', () => {
  const hints = Array.from({ length: 3_000 }, (_, length) => ({ key: new Uint8Array(32), length }))
  expect(boundedHints(hints, 0)).toEqual(hints.slice(0, 1_024))
  expect(boundedHints(hints, 1_000)).toEqual(hints.slice(0, 24))
  expect(boundedHints(hints, 5_000)).toEqual([])
  expect(boundedHints(hints.slice(0, 3), 0)).toEqual(hints.slice(0, 3))
})

test('the writers of the room are always woken, others while there are few, and not too often', async () => {
  const rate = createRateLimit({ burst: 2, perSecond: 0 })
  const writer = (isIn: boolean, strangers: number) =>
    mayWake({ isIn: async () => isIn, strangers: () => strangers, rate })
  expect(await writer(true, 1_000)).toBe(true)
  expect(await writer(false, 16)).toBe(false)
  expect(await writer(false, 15)).toBe(true)
  expect(await writer(false, 0)).toBe(true)
  expect(await writer(false, 0)).toBe(false)
  expect(await writer(true, 0)).toBe(true)
})

test('writers that may not be opened yet are spoken of again, and not after closing', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const told: number[] = []
  const waiting = createWaiting((hints) => told.push(hints.length))
  const hint = (byte: number) => ({ key: new Uint8Array(32).fill(byte), length: 1 })
  for (let byte = 0; byte < 100; byte++) waiting.add(hint(byte))
  vi.advanceTimersByTime(1_000)
  expect(told).toEqual([64])
  waiting.add(hint(1))
  waiting.add(hint(1))
  vi.advanceTimersByTime(1_000)
  expect(told).toEqual([64, 1])
  waiting.add(hint(2))
  waiting.close()
  waiting.add(hint(3))
  vi.advanceTimersByTime(10_000)
  expect(told).toEqual([64, 1])
})

test('a hint that comes while another of the same writer is followed is followed too', async () => {
  const { base } = await foundBy(await startDevice(net))
  const upstream = base as unknown as UpstreamAutobase<unknown>
  const key = randomBytes(32)
  const followed: number[] = []
  upstream._wakeupWriter = async (_, length) => {
    followed.push(length)
    // As where a peer announces what the device has just looked for in vain.
    if (followed.length === 1) base.hintWakeup([{ key, length: 5 }])
  }
  base.hintWakeup([{ key, length: -1 }])
  await expect.poll(() => followed).toEqual([0, 5])
})
