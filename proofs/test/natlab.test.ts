import { expect, test } from 'vitest'
import { whyNoLaboratory } from '../natlab/laboratory.js'
import { tryMatrix } from '../natlab/prove.js'

test('behind real NATs, devices meet', { timeout: 180_000 }, async ({ skip }) => {
  const reason = whyNoLaboratory()
  if (reason !== null) {
    console.log(`Skipped: ${reason}`)
    skip(reason)
  }
  const { covey } = await tryMatrix(['open', 'portrest', 'cgnat'])
  expect(Object.keys(covey!)).toHaveLength(9)
  expect(Object.entries(covey!).filter(([, { ok, n }]) => ok < n)).toEqual([])
})
