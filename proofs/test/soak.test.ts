import { expect, test } from 'vitest'
import { configure, failedRuns, proof } from '../harness.js'
import { proveSoak } from '../soak/prove.js'
import { trendOf } from '../soak/trend.js'

test('ten minutes of people who come and go: all have the same in the end, and who was there holds no more; a day by `pnpm proof soak`', { timeout: 1_200_000 }, async () => {
  configure({})
  await proof('soak', { count: 10, perRun: 10, run: (seed, _, minutes) => proveSoak(seed, minutes) })
  expect(failedRuns()).toBe(0)
})

test('a trend is seen through peaks, and a level row has none', () => {
  const row = (value: (i: number) => number) => trendOf(Array.from({ length: 40 }, (_, i) => value(i)))
  expect(row(() => 7)).toEqual({ first: 7, last: 7 })
  expect(row((i) => (i % 9 === 0 ? 1_000 : 5))).toEqual({ first: 5, last: 5 })
  expect(row((i) => i)).toEqual({ first: 15, last: 35 })
  expect(() => trendOf([1, 2, 3])).toThrow(RangeError)
})
