import { getHeapStatistics } from 'node:v8'
import { seedOf } from '../harness.js'
import { createPrng, type Prng } from '../model/prng.js'

/** What turns bytes, or a text, from anybody into something. */
export interface Decoder<Input = Uint8Array | string> {
  readonly name: string
  /** An input whose every choice is `random`'s. */
  readonly make: (random: Prng) => Input
  /** `taken`, or how it was refused. What it throws, it must not throw. */
  readonly run: (input: Input) => string | Promise<string>
  /** The refusals that are declared. */
  readonly refusals: RegExp
}

const MAX_MS = 50
/** What one input may have allocated, garbage too: many times the longest input. */
const MAX_BYTES = 24 * 2 ** 20
/** A machine that does something else meanwhile makes any decoder slow, but not three times in a row. */
const RETRIES = 5
const MAX_FAILURES = 5
/** From so many inputs on, some have to be taken and some refused. */
const ENOUGH_INPUTS = 500

/**
 * Gives every decoder `count` inputs, and throws for those that do anything but what is declared. The
 * input number `i` follows from `seedOf(seed, i)` alone, so that `--count 1` with that seed repeats it.
 */
export async function proveDecoders(decoders: readonly Decoder[], seed: number, count: number): Promise<void> {
  const failures: string[] = []
  for (const decoder of decoders) failures.push(...(await proveDecoder(decoder, seed, count)))
  if (failures.length > 0) throw new Error(failures.join('\n'))
}

async function proveDecoder(decoder: Decoder, seed: number, count: number): Promise<string[]> {
  const failures: string[] = []
  const outcomes = new Map<string, number>()
  const startedAt = performance.now()
  let slowest = 0
  for (let i = 0; i < count && failures.length < MAX_FAILURES; i++) {
    const inputSeed = seedOf(seed, i)
    const input = decoder.make(createPrng(inputSeed))
    let outcome: string
    try {
      const tried = await tryOnce(decoder, input)
      slowest = Math.max(slowest, tried.ms)
      outcome = tried.outcome
      if (outcome !== 'taken' && !decoder.refusals.test(outcome)) throw new Error(`undeclared: ${outcome}`)
    } catch (error) {
      outcome = 'failed'
      failures.push(
        `${decoder.name}: ${describe(error)}\n  alone: pnpm proof fuzz --count 1 --seed ${inputSeed}\n  input: ${show(input)}`
      )
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  const taken = outcomes.get('taken') ?? 0
  console.log(
    `${decoder.name.padEnd(34)} ${String(count).padStart(8)} inputs, ${String(taken).padStart(7)} taken, ` +
      `slowest ${slowest.toFixed(1)} ms, ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`
  )
  if (count >= ENOUGH_INPUTS && taken === 0) failures.push(`${decoder.name}: nothing was ever taken: ${[...outcomes.keys()].join(', ')}`)
  if (count >= ENOUGH_INPUTS && taken === count) failures.push(`${decoder.name}: nothing was ever refused`)
  return failures
}

async function tryOnce({ run }: Decoder, input: Uint8Array | string): Promise<{ outcome: string; ms: number }> {
  let ms = Infinity
  let bytes = Infinity
  for (let left = RETRIES; ; left--) {
    const before = allocated()
    const at = performance.now()
    const running = run(input)
    const outcome = typeof running === 'string' ? running : await running
    ms = Math.min(ms, performance.now() - at)
    bytes = Math.min(bytes, allocated() - before)
    if (ms <= MAX_MS && bytes <= MAX_BYTES) return { outcome, ms }
    if (left > 0) continue
    throw new Error(`takes ${ms.toFixed(0)} ms and ${(bytes / 2 ** 20).toFixed(0)} MiB`)
  }
}

/** What is allocated, whether it is still used or not. */
function allocated(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics()
  return heap + external
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 6).join('\n    ') : String(error)
}

function show(input: Uint8Array | string): string {
  return typeof input === 'string' ? JSON.stringify(input) : Buffer.from(input).toString('hex')
}
