import { afterEach, expect, test, vi } from 'vitest'
import { steadyNow } from '../src/internal/steady-clock.js'

afterEach(() => void vi.useRealTimers())

test('time goes on where the clock is set back, and not back', () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 5_000_000 })
  const before = steadyNow()
  vi.setSystemTime(1_000_000)
  expect(steadyNow()).toBe(before)
  vi.setSystemTime(1_000_250)
  expect(steadyNow()).toBe(before + 250)
  vi.setSystemTime(900_000)
  vi.setSystemTime(900_010)
  expect(steadyNow()).toBeGreaterThanOrEqual(before + 250)
})
