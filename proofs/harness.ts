import { randomInt } from 'node:crypto'

/** Seeds are whole numbers below it, so that one can be read out and typed. */
const SEED_LIMIT = 2 ** 32
const PROGRESS_INTERVAL_MS = 5_000

export interface Proof {
  /** How many tries, where the command line does not say. */
  count: number
  /** How many tries one run makes, at most; the last run makes what is left. Default 1. */
  perRun?: number
  /** How many runs at a time, for those that mostly wait. Default 1. */
  parallel?: number
  /** The first seed, where the command line does not say. Default: a random one, which is printed. */
  seed?: number
  /**
   * Tries the claim once and throws when it does not hold. All its choices follow from `seed`, so
   * that a failure can be run again; `index` is for names and ports only. `size` is how many tries
   * this run is for, where there are several in one.
   */
  run: (seed: number, index: number, size: number) => Promise<void> | void
}

let given: { count?: number; seed?: number } = {}
let failures = 0

/**
 * Runs a claim many times, each time with another seed. A failed run does not end it: its error and
 * the command that runs it alone are printed. The last line is `PROOF name: N runs, F failures`.
 *
 * @returns the number of failed runs.
 */
export async function proof(name: string, { run, perRun = 1, parallel = 1, ...defaults }: Proof): Promise<number> {
  const tries = given.count ?? defaults.count
  const count = Math.ceil(tries / perRun)
  const firstSeed = given.seed ?? defaults.seed ?? randomInt(SEED_LIMIT)
  let failed = 0
  let shownAt = Date.now()
  console.log(`PROOF ${name}: ${count} runs${perRun > 1 ? ` of ${Math.min(tries, perRun)}` : ''} from seed ${firstSeed}`)
  let begun = 0
  let done = 0
  async function runOn(): Promise<void> {
    while (begun < count) {
      const index = begun++
      const seed = seedOf(firstSeed, index)
      const size = Math.min(perRun, tries - index * perRun)
      try {
        await run(seed, index, size)
      } catch (error) {
        failed++
        console.log(`Run ${index + 1} failed with seed ${seed}. To run it alone: pnpm proof ${name} --count ${size} --seed ${seed}`)
        console.log(error instanceof Error ? (error.stack ?? error.message) : error)
      }
      done++
      if (Date.now() - shownAt < PROGRESS_INTERVAL_MS) continue
      shownAt = Date.now()
      console.log(`${done} of ${count} runs, ${failed} failures`)
    }
  }
  await Promise.all(Array.from({ length: parallel }, runOn))
  failures += failed
  console.log(`PROOF ${name}: ${count} runs, ${failed} failures`)
  return failed
}

/** How many runs failed, of all proofs of this process. */
export function failedRuns(): number {
  return failures
}

/** For the program that runs a proof: what the command line says. Forgets earlier failures. */
export function configure({ count, seed }: { count?: string | undefined; seed?: string | undefined }): void {
  failures = 0
  given = {}
  if (count !== undefined) given.count = wholeNumber('--count', count, 1)
  if (seed !== undefined) given.seed = wholeNumber('--seed', seed, 0)
}

/** The first run has the given seed itself, so that a single run repeats any other by its seed. */
export function seedOf(firstSeed: number, index: number): number {
  if (index === 0) return firstSeed
  // The finaliser of MurmurHash3 over a Weyl sequence (2^32 / golden ratio): neighbours become unlike each other.
  let mixed = (firstSeed + Math.imul(index, 0x9e3779b9)) >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

function wholeNumber(option: string, text: string, min: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value < SEED_LIMIT)) throw new TypeError(`${option} must be a whole number from ${min}: ${text}`)
  return value
}
