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

test('what has to be sooner is: from the one before on, once, and never later than it was due', async () => {
  const { pace, done, due } = scene()
  await due()
  const soon = due()
  await vi.advanceTimersByTimeAsync(5)
  pace.within(20)
  pace.within(50)
  await vi.advanceTimersByTimeAsync(14)
  expect(done).toEqual([0])
  await vi.advanceTimersByTimeAsync(1)
  await soon
  const next = due()
  await vi.advanceTimersByTimeAsync(99)
  expect(done).toEqual([0, 20])
  await vi.advanceTimersByTimeAsync(1)
  await next
  // What is late already is due at once.
  const late = due()
  await vi.advanceTimersByTimeAsync(30)
  pace.within(20)
  await late
  expect(done).toEqual([0, 20, 120, 150])
  expect(vi.getTimerCount()).toBe(0)
})
