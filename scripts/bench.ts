import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { configure, report } from '../bench/harness.js'
import { runProgram } from './programs.js'
import { ROOT } from './workspace.js'

try {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2).filter((arg) => arg !== '--'),
    allowPositionals: true,
    options: { json: { type: 'string' }, quick: { type: 'boolean', default: false } }
  })
  if (positionals.length > 1) throw new Error(`One area at a time: ${positionals.join(', ')}`)
  configure({ quick: values.quick })
  await runProgram(join(ROOT, 'bench'), 'bench', positionals[0])
  await report({ json: values.json })
  // Not left to the event loop: a peer that an area forgot to close must not hold up a nightly run.
  process.exit(0)
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error)
  process.exit(1)
}
