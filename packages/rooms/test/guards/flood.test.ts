import { expect, test } from 'vitest'
import type { FloodName } from './support/floods.js'
import { run } from './support/run.js'

/** Of two peers in one process, whom a third serves as much as they ask for. */
interface Figures {
  readonly diskMiB: number
  readonly memoryMiB: number
  /** Read of the attacker, by each; -1 where all was. */
  readonly blocks: readonly number[]
  readonly slowestWordMs: number
  readonly floods: readonly string[]
}

/** What the least of the floods costs stock autobase, in several runs, less a third. */
const FLOODS: Readonly<Record<FloodName, { readonly stock: Partial<Figures>; readonly frozen?: string }>> = {
  tiny: { stock: { memoryMiB: 400, slowestWordMs: 8_000 } },
  large: { stock: { memoryMiB: 700, diskMiB: 500 } },
  giant: { stock: { memoryMiB: 700, diskMiB: 300 }, frozen: 'undecodable at 0' },
  batch: { stock: { memoryMiB: 500, diskMiB: 200 } }
}

test.for(Object.entries(FLOODS))('%s: costs stock peers whatever the attacker has', async ([flood, { stock }]) => {
  const { failure, ...figures } = await measure(flood, 'stock')
  expect(failure).toBeNull()
  expect(figures.blocks).toEqual([-1, -1])
  for (const [name, least] of Object.entries(stock)) {
    expect(figures[name as 'diskMiB'], name).toBeGreaterThan(least as number)
  }
})

test.for(Object.entries(FLOODS))('%s: costs little, holds nobody up, and is told of', async ([flood, { frozen }]) => {
  const figures = await measure(flood, 'guarded')
  expect(figures).toMatchObject({ failure: null, errors: [] })
  expect(figures.frozen).toEqual(frozen === undefined ? [] : [`member: ${frozen}`, `owner: ${frozen}`])
  expect(figures.floods.toSorted()).toEqual(['member', 'owner'])
  // The burst of 512, what fills again meanwhile, and what the two may draw on for each other.
  for (const blocks of figures.blocks) expect(blocks).toBeLessThan(1_500)
  expect(figures.diskMiB).toBeLessThan(90)
  expect(figures.memoryMiB).toBeLessThan(400)
  expect(figures.slowestWordMs).toBeLessThan(8_000)
})

async function measure(flood: string, mode: 'stock' | 'guarded') {
  const { report, errors } = await run('run-flood.ts', flood, mode)
  expect(report, errors).toBeDefined()
  return report as NonNullable<typeof report> & Figures
}
