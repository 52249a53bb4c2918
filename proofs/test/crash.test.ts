import { expect, test } from 'vitest'
import { PARALLEL_ROOMS, proveCrashes } from '../crash/prove.js'
import { configure, failedRuns, proof } from '../harness.js'

// `pnpm proof crash` makes a hundred.
test('10 kills: what was acknowledged is there once, and all devices agree', { timeout: 1_800_000 }, async () => {
  configure({})
  const rooms = { perRun: 5, parallel: PARALLEL_ROOMS }
  await proof('crash', { count: 10, ...rooms, run: (seed, _, kills) => proveCrashes(seed, kills) })
  expect(failedRuns()).toBe(0)
})
