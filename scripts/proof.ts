import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { configure, failedRuns } from '../proofs/harness.js'
import { runProgram } from './programs.js'
import { ROOT } from './workspace.js'

// An end by a signal, too, is one that listeners for `exit` hear of.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
try {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2).filter((arg) => arg !== '--'),
    allowPositionals: true,
    options: { count: { type: 'string' }, seed: { type: 'string' } }
  })
  if (positionals.length > 1) throw new Error(`One proof at a time: ${positionals.join(', ')}`)
  configure({ count: values.count, seed: values.seed })
  await runProgram(join(ROOT, 'proofs'), 'proof', positionals[0])
  // Not left to the event loop: a failed run may have left a peer open.
  process.exit(failedRuns() === 0 ? 0 : 1)
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error)
  process.exit(1)
}
