import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'

/** Odd, so that the median is a run that happened; few, for each may take seconds. */
const DEFAULT_RUNS = 5

export interface Measurement {
  /** Of both numbers: `ms`, `messages/s`. */
  unit: string
  /** What it is compared with: the stock part that ours stands on, or a rival. */
  baselineName: string
  /** Does the work once and returns the number. */
  value: () => Promise<number>
  /** As `value`, for what it is compared with. */
  baseline: () => Promise<number>
  /** Default {@link DEFAULT_RUNS}; always 1 with `--quick`. */
  runs?: number
}

export interface Result {
  name: string
  /** The median of all runs. */
  value: number
  unit: string
  /** The median of all runs. */
  baseline: number
  /** `value / baseline`. */
  ratio: number
}

const results: (Result & { baselineName: string; runs: number })[] = []
let quickRun = false

/** Whether this is a smoke run: an area then also makes its work small. Its numbers mean nothing. */
export function isQuick(): boolean {
  return quickRun
}

/**
 * Measures a value and its baseline in the same process, in turn, so that what the machine does
 * meanwhile falls on both: the ratio can be compared between machines where the numbers cannot.
 * One run of each before that is not counted.
 *
 * @throws {RangeError} for a run that gives no positive finite number.
 */
export async function measure(name: string, { value, baseline, ...how }: Measurement): Promise<Result> {
  const [result] = await measureEach([name], {
    ...how,
    value: async () => ({ [name]: await value() }),
    baseline: async () => ({ [name]: await baseline() })
  })
  return result!
}

/**
 * As {@link measure}, for work that gives several numbers at once, one for each of `names`: the
 * percentiles of one series, say.
 *
 * @throws {RangeError} for a run that gives no positive finite number.
 */
export async function measureEach<Name extends string>(
  names: readonly Name[],
  measurement: Omit<Measurement, 'unit' | 'value' | 'baseline'> & {
    /** Of all numbers, or of each. */
    unit: string | Readonly<Record<Name, string>>
  } & Record<'value' | 'baseline', () => Promise<Record<Name, number>>>
): Promise<Result[]> {
  const runs = quickRun ? 1 : (measurement.runs ?? DEFAULT_RUNS)
  const values: Record<Name, number>[] = []
  const baselines: Record<Name, number>[] = []
  const once = async (into: Record<Name, number>[], kind: 'value' | 'baseline'): Promise<void> => {
    const measured = await measurement[kind]()
    for (const name of names) {
      const number = measured[name]
      if (!Number.isFinite(number) || number <= 0) throw new RangeError(`${name}: ${kind} measured ${number}`)
    }
    into.push(measured)
  }
  if (!quickRun) {
    await once([], 'value')
    await once([], 'baseline')
  }
  for (let run = 0; run < runs; run++) {
    // The one that goes first finds a colder machine: let it be each of them as often.
    if (run % 2 === 0) await once(values, 'value')
    await once(baselines, 'baseline')
    if (run % 2 === 1) await once(values, 'value')
  }
  return names.map((name) => {
    const value = median(values.map((numbers) => numbers[name]))
    const baseline = median(baselines.map((numbers) => numbers[name]))
    const unit = typeof measurement.unit === 'string' ? measurement.unit : measurement.unit[name]
    const result: Result = { name, value, unit, baseline, ratio: value / baseline }
    results.push({ ...result, baselineName: measurement.baselineName, runs })
    return result
  })
}

/** Prints what was measured so far, and writes it to the file `json` where there is one. */
export async function report({ json }: { json?: string | undefined } = {}): Promise<void> {
  if (results.length === 0) throw new Error('Nothing was measured.')
  const rows = results.map((result) => [
    result.name,
    `${format(result.value)} ${result.unit}`,
    `${format(result.baseline)} ${result.unit} (${result.baselineName})`,
    `${format(result.ratio)} ×`,
    String(result.runs)
  ])
  console.log(table([['', 'median', 'baseline', 'ratio', 'runs'], ...rows]))
  const cores = cpus()
  console.log(`\n${cores[0]?.model ?? 'unknown processor'}, ${cores.length} cores, Node ${process.version}, ${process.platform}`)
  if (quickRun) console.log('A quick run: it shows that the bench works, and its numbers mean nothing.')
  if (json === undefined) return
  const plain = results.map(({ name, value, unit, baseline, ratio }) => ({ name, value, unit, baseline, ratio }))
  await writeFile(json, `${JSON.stringify(plain, null, 2)}\n`)
}

/** For the program that runs an area: how it was called. Forgets what was measured. */
export function configure({ quick }: { quick: boolean }): void {
  quickRun = quick
  results.length = 0
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? Number.NaN)) / 2 : upper
}

function format(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n')
}
