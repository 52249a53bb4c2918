import { expect, onTestFinished, test, vi } from 'vitest'
import { createPace } from '../src/internal/pace.js'

function scene() {
  vi.useFakeTimers({ now: 1_000_000 })
  onTestFinished(() => void vi.useRealTimers())
  const pace = createPace(100, Date.now)
  const done: number[] = []
  const due = async (): Promise<void> => void (await pace.due(), done.push(Date.now() - 1_000_000))
  return { pace, done, due }
}

test('the first is due at once, and each after it when the interval is over', async () => {
  const { done, due } = scene()
  await due()
  const second = due()
  await vi.advanceTimersByTimeAsync(99)
  expect(done).toEqual([0])
  await vi.advanceTimersByTimeAsync(1)
  await second
  await vi.advanceTimersByTimeAsync(500)
  await due()
  expect(done).toEqual([0, 100, 600])
  expect(vi.getTimerCount()).toBe(0)
})

test('nothing is held up while somebody waits, nor longer than the interval by a clock that is set back', async () => {
  const { pace, done, due } = scene()
  await due()
  const held = due()
  await vi.advanceTimersByTimeAsync(10)
  let finish!: () => void
  const waiting = pace.hurry(new Promise<void>((resolve) => (finish = resolve)))
  await held
  await due()
  expect(done).toEqual([0, 10, 10])
  finish()
  await waiting
  vi.setSystemTime(0)
  const late = due()
  await vi.advanceTimersByTimeAsync(100)
  await late
  expect(done).toHaveLength(4)
  expect(vi.getTimerCount()).toBe(0)
})

test('what is waited for in vain holds nobody up afterwards', async () => {
  const { pace, due } = scene()
  await expect(pace.hurry(Promise.reject(new Error('no')))).rejects.toThrow('no')
  await due()
  const held = due()
  expect(vi.getTimerCount()).toBe(1)
  await vi.advanceTimersByTimeAsync(100)
  await held
})
