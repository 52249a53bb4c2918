import { expect, test } from 'vitest'
import { KILLS_PER_ROOM, PARALLEL_ROOMS, proveCrashes } from '../crash/prove.js'
import { configure, failedRuns, proof } from '../harness.js'

test('100 kills: what was acknowledged is there once, and all devices agree', { timeout: 1_800_000 }, async () => {
  configure({})
  const rooms = { perRun: KILLS_PER_ROOM, parallel: PARALLEL_ROOMS }
  await proof('crash', { count: 100, ...rooms, run: (seed, _, kills) => proveCrashes(seed, kills) })
  expect(failedRuns()).toBe(0)
})
