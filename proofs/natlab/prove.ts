import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { proveAlone } from './alone.js'
import { COVEY, openLaboratory, STOCK, type Laboratory } from './laboratory.js'
import { regressions, report } from './report.js'
import type { AloneRow, FanoutRow, FaultRow, LanRow, Matrix, RaceRow, Results, ThroughputRow } from './results.js'

const REPORT = fileURLToPath(new URL('../../docs/benchmarks/nat.md', import.meta.url))
/** Of a session whose two sides joined at the same moment; each is quick. */
const RACES = 100
const STOCK_RACES = 12
const RACES_AT_A_TIME = 10
const BOTH = ['--peer', COVEY, '--peer', STOCK]

type Suite = (lab: Laboratory, attempts: number) => Promise<Results>

/** The longest last: the tables of those that are done are there meanwhile. */
const SUITES: Readonly<Record<string, Suite>> = {
  matrix: async (lab, attempts) => ({ matrix: (await lab.run('matrix', [...BOTH, '--attempts', `${attempts}`, '--limit', '20000'])) as Matrix }),
  fanout: async (lab) => {
    // By key: in a topic the four would meet each other too.
    const ours = (await lab.run('fanout', ['--peer', COVEY, '--limit', '60000', '--opts', '{"by":"key"}'])) as FanoutRow[]
    const stock = (await lab.run('fanout', ['--peer', STOCK, '--limit', '60000'])) as FanoutRow[]
    // The laboratory's relays are not ours, and its other variants are about options of stock.
    return { fanout: [...ours.map((row) => ({ ...row, variant: 'without a relay' })), ...stock] }
  },
  race: async (lab) => {
    const race = async (peer: string, count: number): Promise<RaceRow[]> => {
      const rows: RaceRow[] = []
      // In parts, for a suite that ends early is run again; one at a time, since who starts late breaks it off.
      for (let left = count; left > 0; left -= RACES_AT_A_TIME) {
        const attempts = Math.min(left, RACES_AT_A_TIME)
        rows.push(...((await lab.run('race', ['--peer', peer, '--attempts', `${attempts}`, '--deltas', '0', '--lanes', '1'])) as RaceRow[]))
      }
      return [joinRaces(rows)]
    }
    return { race: { covey: await race(COVEY, RACES), hyperswarm: await race(STOCK, STOCK_RACES) } }
  },
  throughput: async (lab) => ({ throughput: (await lab.run('throughput', [...BOTH, '--quick'])) as ThroughputRow[] }),
  lan: async (lab, attempts) => ({ lan: (await lab.run('lan', [...BOTH, '--attempts', `${attempts}`])) as LanRow[] }),
  faults: async (lab, attempts) => ({ faults: (await lab.run('faults', [...BOTH, '--attempts', `${attempts}`, '--limit', '60000'])) as FaultRow[] }),
  alone: async (lab, attempts) => ({ alone: await proveAlone(lab, attempts) })
}

/**
 * Runs the suites of the laboratory with our peer and with stock Hyperswarm, `attempts` times each, and
 * writes the tables down, after each suite. `NATLAB_SUITES` names some of them; then nothing is written.
 *
 * @throws when a pair of networks that stock connects is not connected, two that join at once miss each other, or two
 *   behind one NAT do without its uplink.
 */
export async function proveNatlab(attempts: number): Promise<void> {
  const chosen = process.env['NATLAB_SUITES']?.split(',')
  const lab = openLaboratory()
  try {
    let results: Results = {}
    let text = ''
    const problems: string[] = []
    for (const suite of chosen ?? Object.keys(SUITES)) {
      const run = SUITES[suite]
      if (run === undefined) throw new Error(`There is no suite ${suite}. There are: ${Object.keys(SUITES).join(', ')}.`)
      // What one suite cannot measure is no reason not to measure the others.
      const measured = await run(lab, attempts).catch((error: Error) => void problems.push(error.message))
      results = { ...results, ...measured }
      text = report(results, `pnpm proof natlab --count ${attempts}`)
      if (chosen === undefined) writeFileSync(REPORT, text)
    }
    console.log(text)
    const missed = (results.race?.['covey'] ?? []).filter(({ ok, n }) => ok < n).map(({ ok, n }) => `${ok} of ${n} that joined at once met`)
    problems.push(...regressions(results.matrix ?? {}), ...missed, ...notAlone(results.alone ?? []))
    if (problems.length > 0) throw new Error(problems.join('\n'))
  } finally {
    lab.close()
  }
}

function joinRaces(rows: readonly RaceRow[]): RaceRow {
  const runs = rows.flatMap((row) => row.runs)
  const times = runs.filter((ms) => ms !== null).toSorted((a, b) => a - b)
  return { ...rows[0]!, n: runs.length, ok: times.length, ms: times[times.length >> 1] ?? null, runs }
}

/** What of two devices without an uplink should have gone, and did not. */
export function notAlone(rows: readonly AloneRow[]): string[] {
  const ours = rows.filter(({ key }) => key.startsWith('covey, '))
  return ours.filter(({ ok, n }) => ok < n).map(({ key, ok, n }) => `${key}: ${ok} of ${n}`)
}

/** Two devices without an uplink, once each, for the tests. */
export async function tryAlone(): Promise<AloneRow[]> {
  const lab = openLaboratory()
  try {
    return await proveAlone(lab, 1, true)
  } finally {
    lab.close()
  }
}

/** A few pairs of networks, for the tests. */
export async function tryMatrix(types: readonly string[]): Promise<Matrix> {
  const lab = openLaboratory()
  try {
    return (await lab.run('matrix', ['--peer', COVEY, '--types', types.join(','), '--attempts', '1', '--limit', '30000'])) as Matrix
  } finally {
    lab.close()
  }
}
