import { expect, test } from 'vitest'
import type { FloodName } from './support/floods.js'
import { runFor } from './support/run.js'

/** Of two peers in one process, whom a third serves as much as they ask for. */
interface Figures {
  readonly diskMiB: number
  readonly memoryMiB: number
  /** Read of the attacker, by each; -1 where all was. */
  readonly blocks: readonly number[]
  readonly slowestWordMs: number
  readonly floods: readonly string[]
}

/** What nobody may be able to cost two peers who have never met them before. */
const LIMITS = { diskMiB: 300, memoryMiB: 500, slowestWordMs: 10_000 } as const

/** At which block the attacker is not read on, where it is not. */
const FLOODS: Readonly<Record<FloodName, string | undefined>> = {
  tiny: undefined,
  large: undefined,
  giant: 'undecodable at 0',
  batch: undefined
}

test.for(Object.keys(FLOODS))('%s: costs stock peers more than they can bear', { timeout: 200_000 }, async (flood) => {
  const figures = await measure(flood, 'stock')
  expect(figures.failure).toBeNull()
  expect(exceeded(figures), JSON.stringify(figures)).not.toEqual([])
})

test.for(Object.entries(FLOODS))('%s: costs little, holds nobody up, and is told of', async ([flood, frozen]) => {
  const figures = await measure(flood, 'guarded')
  expect(figures).toMatchObject({ failure: null, errors: [] })
  expect(figures.frozen).toEqual(frozen === undefined ? [] : [`member: ${frozen}`, `owner: ${frozen}`])
  expect(figures.floods.toSorted()).toEqual(['member', 'owner'])
  // The burst of 512, what fills again meanwhile, and what the two may draw on for each other.
  for (const blocks of figures.blocks) expect(blocks).toBeLessThan(1_500)
  expect(exceeded(figures), JSON.stringify(figures)).toEqual([])
})

function exceeded(figures: Figures): string[] {
  return Object.entries(LIMITS).flatMap(([name, limit]) => (figures[name as keyof typeof LIMITS] > limit ? [name] : []))
}

async function measure(flood: string, mode: 'stock' | 'guarded') {
  const { report, errors } = await runFor(150_000, 'run-flood.ts', flood, mode)
  expect(report, errors).toBeDefined()
  return report as NonNullable<typeof report> & Figures
}
