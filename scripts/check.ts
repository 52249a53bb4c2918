import { fileURLToPath } from 'node:url'
import { runCommand } from './run-command.js'

/** The order is that of the report, quick and often broken first; each runs in a process of its own. */
const STEPS: Readonly<Record<string, () => Promise<() => Promise<string[]> | string[]>>> = {
  lint: async () => (await import('./check/lint.js')).checkLint,
  layers: async () => (await import('./check/layers.js')).checkLayers,
  size: async () => (await import('./check/size.js')).checkSize,
  types: async () => (await import('./check/types.js')).checkTypes,
  docs: async () => (await import('./check/docs.js')).checkDocs,
  unused: async () => (await import('./check/unused.js')).checkUnused,
  api: async () => (await import('./check/api.js')).checkApi,
  packaging: async () => (await import('./check/packaging.js')).checkPackaging,
  examples: async () => (await import('./check/examples.js')).checkExamples
}

/** As many as the cores that we count on. */
const CONCURRENT_STEPS = 2

const args = process.argv.slice(2).filter((arg) => arg !== '--')
if (args[0] === '--in-process') await runHere(args[1] ?? '')
else await runAll(args.length > 0 ? args : Object.keys(STEPS))

async function runHere(name: string): Promise<void> {
  const step = await STEPS[name]?.()
  if (step === undefined) throw new Error(`There is no step ${name}.`)
  const problems = await step()
  for (const problem of problems) console.log(problem)
  process.exitCode = problems.length > 0 ? 1 : 0
}

async function runAll(names: string[]): Promise<void> {
  const unknown = names.filter((name) => !(name in STEPS))
  if (unknown.length > 0) {
    console.error(`There is no step ${unknown.join(', ')}. The steps: ${Object.keys(STEPS).join(', ')}.`)
    process.exitCode = 2
    return
  }
  const failed: string[] = []
  const waiting = [...names]
  const runNext = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const startedAt = performance.now()
      const args = [...process.execArgv, fileURLToPath(import.meta.url), '--in-process', name]
      const { code, output } = await runCommand(process.execPath, args)
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      console.log(`${code === 0 ? '✓' : '✗'} ${name.padEnd(10)} ${seconds} s`)
      if (code !== 0) {
        failed.push(name)
        console.log(output.trim().replace(/^/gm, '    '))
      }
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT_STEPS }, runNext))
  if (failed.length === 0) console.log(`\n${names.length} of ${names.length} steps passed.`)
  else console.log(`\n${failed.length} of ${names.length} steps failed: ${failed.join(', ')}.`)
  process.exitCode = failed.length > 0 ? 1 : 0
}
