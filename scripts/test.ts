import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { spawn } from 'node:child_process'
import { ROOT } from './workspace.js'

// pnpm passes a `--` on, and Vitest would then take what follows for no arguments of its own.
const args = process.argv.slice(2)
if (args[0] === '--') args.shift()

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
const child = spawn(process.execPath, [vitest, 'run', ...args], { cwd: ROOT, stdio: 'inherit' })
child.on('error', (error) => {
  console.error(error.message)
  process.exitCode = 1
})
child.on('close', (code) => {
  process.exitCode = code ?? 1
})
