import { expect, test, type TestContext } from 'vitest'
import { whyNoLaboratory } from '../natlab/laboratory.js'
import { notAlone, tryAlone, tryMatrix } from '../natlab/prove.js'

function skipWithout({ skip }: TestContext): void {
  const reason = whyNoLaboratory()
  if (reason === null) return
  console.log(`Skipped: ${reason}`)
  skip(reason)
}

test('behind real NATs, devices meet', { timeout: 180_000 }, async (context) => {
  skipWithout(context)
  const { covey } = await tryMatrix(['open', 'portrest', 'cgnat'])
  expect(Object.keys(covey!)).toHaveLength(9)
  expect(Object.entries(covey!).filter(([, { ok, n }]) => ok < n)).toEqual([])
})

test('behind one NAT, devices meet and go on without its uplink', { timeout: 120_000 }, async (context) => {
  skipWithout(context)
  const rows = await tryAlone()
  expect(rows).toHaveLength(3)
  expect(notAlone(rows)).toEqual([])
})
