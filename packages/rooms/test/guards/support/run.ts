import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What an attack came to, in a process of its own. */
export interface Outcome {
  /** 0 when the process reached its end. */
  readonly code: number | null
  readonly errors: string
  /** Absent when the process was stopped. */
  readonly report?: {
    /** What did not go on, or `null` when all did, also after a restart. */
    readonly failure: string | null
    readonly frozen: readonly string[]
    readonly errors: readonly string[]
    /** Where a view was not what was signed. */
    readonly splits: readonly string[]
    /** That somebody signed two pasts. */
    readonly proofs: readonly string[]
  }
}

/** Longer than any attack that comes to an end; some leave the process busy or waiting for ever. */
const LIMIT_MS = 45_000

export function run(script: string, ...args: readonly string[]): Promise<Outcome> {
  return runFor(LIMIT_MS, script, ...args)
}

/** As {@link run}, for what may take longer. */
export async function runFor(limitMs: number, script: string, ...args: readonly string[]): Promise<Outcome> {
  const path = fileURLToPath(new URL(script, import.meta.url))
  // What a stopped process leaves behind goes with the folder.
  const folder = await mkdtemp(join(tmpdir(), 'covey-guards-'))
  const env = { ...process.env, TMPDIR: folder }
  const child = spawn(process.execPath, ['--import', 'tsx', '-C', '@covey/source', path, ...args], { env })
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  const line = output.split('\n').find((text) => text.startsWith('{'))
  return { code, errors, ...(line === undefined ? {} : { report: JSON.parse(line) as Outcome['report'] & object }) }
}
