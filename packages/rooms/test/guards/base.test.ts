import { expect, test } from 'vitest'
import type { AttackName } from './support/base-attacks.js'
import { run } from './support/run.js'

/** What stock autobase comes to, and at which block the guard stops reading the attacker, where it does. */
const ATTACKS: Readonly<Record<AttackName, { readonly stock: RegExp; readonly frozen?: string }>> = {
  'duplicated-head': { stock: /^stopped: AssertionError: Corrupted DAG/, frozen: 'duplicated-head at 1' },
  'batch-zero': { stock: /Batch is linked partially/, frozen: 'batch-count at 1' },
  'batch-endless': { stock: /\d{4} blocks of one append are held/, frozen: 'batch-count at 1' },
  'batch-torn': { stock: /Batch is linked partially/, frozen: 'batch-heads at 2' },
  'batch-optimistic': { stock: /an append was torn/, frozen: 'batch-optimistic at 2' },
  'batch-linked-inside': { stock: /Batch is linked partially|Autobase is closing/ },
  'trace-long': { stock: /Maximum call stack size exceeded|Autobase is closing/ },
  'core-of-version-2': { stock: /^stopped|stalled/, frozen: 'bad-core at 0' },
  'heads-many': { stock: /^stopped|\d{3,} cores are on disk/, frozen: 'undecodable at 1' },
  'heads-empty': { stock: /cores are on disk/, frozen: 'empty-head at 1' },
  'heads-left-open': { stock: /one honest block has \d+ heads|stalled/ },
  'wakeup-strangers': { stock: /3\d\d\d writers are open/ },
  'checkpoint-without-system': { stock: /^stopped: TypeError/ },
  'checkpoint-without-user': { stock: /^stopped: TypeError/ },
  'checkpoint-pointing-nowhere': { stock: /^stopped: TypeError/ },
  'digest-without-key': { stock: /^stopped: TypeError/ },
  'fast-forward-garbage': { stock: /^stopped: RangeError/ },
  'core-asked-for': { stock: /^stopped: TypeError: Cannot read properties of null/ },
  'value-not-json': { stock: /^stopped: SyntaxError/, frozen: 'undecodable at 1' }
}

/** What autobase survives by itself today, and the guard refuses all the same. */
const ODDITIES: Readonly<Record<string, string>> = {
  'batch-short': 'batch-count at 2',
  'batch-repeated': 'batch-count at 2',
  'block-undecodable': 'undecodable at 1',
  'block-empty': 'undecodable at 0',
  'block-of-version-1': 'undecodable at 1',
  'heads-own-future': 'own-future-head at 1'
}

/** What may not come about, and is tried again: docs/guards.md, "Open". */
const RETRIES: Readonly<Record<string, { readonly stock?: number; readonly guarded?: number }>> = {
  // Needs a random key that sorts below another.
  'batch-optimistic': { stock: 3, guarded: 3 },
  // Has to come while the base opens the core.
  'core-asked-for': { stock: 3 }
}

for (const [attack, { stock }] of Object.entries(ATTACKS)) test(`${attack}: succeeds on stock autobase`, { retry: RETRIES[attack]?.stock ?? 0 }, async () => {
  const { report, errors } = await run('run-base-attack.ts', attack, 'stock')
  const stopped = `stopped: ${/^\w*Error.*$/m.exec(errors)?.[0] ?? ''}`
  const outcome = report === undefined ? stopped : [report.failure, ...report.errors].join(' | ')
  expect(outcome).toMatch(stock)
})

for (const [attack, { frozen }] of Object.entries(ATTACKS)) test(`${attack}: the room lives on, and after a restart too`, { retry: RETRIES[attack]?.guarded ?? 0 }, async () => {
  const { report, errors } = await run('run-base-attack.ts', attack, 'guarded')
  expect(report, errors).toMatchObject({ failure: null, errors: [] })
  expect(report!.frozen).toEqual(frozen === undefined ? [] : [`member: ${frozen}`, `owner: ${frozen}`])
})

test.for(Object.entries(ODDITIES))('%s: is not read', async ([attack, frozen]) => {
  const { report, errors } = await run('run-base-attack.ts', attack, 'guarded')
  expect(report, errors).toMatchObject({ failure: null, errors: [] })
  expect(report!.frozen).toEqual([`member: ${frozen}`, `owner: ${frozen}`])
})

test('checkpoint-forged: a signature that is none stops nobody', async () => {
  const { report, errors } = await run('run-base-attack.ts', 'checkpoint-forged', 'guarded')
  expect(report, errors).toMatchObject({ failure: null, errors: [] })
})

test('honest writers are never frozen, however they meet and part', async () => {
  const { report, errors } = await run('run-base-attack.ts', 'none', 'guarded')
  expect(report, errors).toMatchObject({ failure: null, errors: [], frozen: [] })
})

test('a value may be any bytes: ours are binary, and none stops a stock base either', async () => {
  const { report, errors } = await run('run-base-attack.ts', 'value-odd', 'stock')
  expect(report, errors).toMatchObject({ failure: null, errors: [] })
})

test('killed between two writes of what it applied: a stock member has another view for ever', async () => {
  const { report, errors } = await run('run-killed-while-flushing.ts', 'stock')
  expect(report?.failure, errors).toMatch(/^timed out: all have again|twice/)
})

test('killed between two writes of what it applied: a guarded member has the view of all', async () => {
  const { report, errors } = await run('run-killed-while-flushing.ts', 'guarded')
  expect(report, errors).toMatchObject({ failure: null, errors: [], splits: [] })
})
