import { expect, test } from 'vitest'
import type { ForkAttackName } from './support/fork-attacks.js'
import { run } from './support/run.js'

/** What stock modules come to, and what the guards tell of it. */
const ATTACKS: Readonly<Record<ForkAttackName, { stock: RegExp; frozen: boolean; splits: RegExp; proves: boolean }>> = {
  'fork-same-length': { stock: /timed out: all have apart/, frozen: false, splits: /^member: view at \d+$/, proves: false },
  'fork-longer': {
    stock: /timed out: all have apart/,
    frozen: true,
    splits: /^member: (view|_system) at \d+$/,
    proves: true
  },
  'fork-truncated': {
    stock: /timed out: all have apart/,
    frozen: true,
    splits: /^member: (view|_system) at \d+$/,
    proves: true
  },
  // The owner's process goes round and round on a core that is closed, until it is killed.
  'conflict-invented': { stock: /^stopped|stalled: the owner writes/, frozen: false, splits: /^$/, proves: false }
}

test.for(Object.entries(ATTACKS))('%s: succeeds on stock modules', async ([attack, { stock }]) => {
  const { report, errors } = await run('run-base-attack.ts', attack, 'stock')
  const outcome = report === undefined ? `stopped: ${errors}` : [report.failure, ...report.errors].join(' | ')
  expect(outcome).toMatch(stock)
})

test.for(Object.entries(ATTACKS))('%s: all see the same, after a restart too', async ([attack, expected]) => {
  const { report, errors } = await run('run-base-attack.ts', attack, 'guarded')
  expect(report, errors).toMatchObject({ failure: null, errors: [] })
  const { frozen, splits, proofs } = report!
  // Which block it is found at depends on who met whom first; after the restart it is found again.
  const who = new Set(frozen.map((each) => each.replace(/ at \d$/, '')))
  expect([...who]).toEqual(expected.frozen ? ['member: forked', 'owner: forked'] : [])
  for (const split of splits) expect(split).toMatch(expected.splits)
  expect(proofs.length > 0).toBe(expected.proves)
})
