import { expect, test } from 'vitest'
import { PARALLEL_ROOMS, proveDurability } from '../durability/prove.js'
import { configure, failedRuns, proof } from '../harness.js'

// `pnpm proof durability` makes a thousand.
test('killed at the moment a message is durable, and gone for good: nothing is lost', { timeout: 300_000 }, async () => {
  configure({})
  await proof('durability', { count: 10, perRun: 5, parallel: PARALLEL_ROOMS, run: (seed, _, kills) => proveDurability(seed, kills) })
  expect(failedRuns()).toBe(0)
})
