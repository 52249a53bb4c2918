import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pnpmCommand, runCommand } from '../run-command.js'
import { readManifest, ROOT, sourceFiles, workspacePackages } from '../workspace.js'

/** Beyond it an example hangs, and says nothing about why. */
const SMOKE_TIMEOUT_MS = 120_000

/**
 * Every example is private, is explained, and is run: by Vitest tests of its own (`pnpm test` runs
 * them), or here by its `smoke` script, which does what a person would do with it and ends.
 */
export async function checkExamples(root = ROOT): Promise<string[]> {
  const problems: string[] = []
  for (const { path, folder } of workspacePackages(root).filter((each) => each.path.startsWith('examples/'))) {
    const { scripts } = readManifest(folder) as { scripts?: Record<string, string> }
    if (readManifest(folder).private !== true) problems.push(`${path}: its package.json is not private`)
    if (!existsSync(join(folder, 'README.md'))) problems.push(`${path}: README.md is missing`)
    if (scripts?.['smoke'] !== undefined) problems.push(...(await runSmoke(path, folder)))
    else if (sourceFiles(`${path}/test`, ['.test.ts'], root).length === 0) {
      problems.push(`${path}: nothing runs it: give it a smoke script, or tests in test/`)
    }
  }
  return problems
}

async function runSmoke(path: string, folder: string): Promise<string[]> {
  const pnpm = pnpmCommand()
  const { code, output } = await runCommand(pnpm.command, [...pnpm.args, 'run', 'smoke'], {
    cwd: folder,
    timeoutMs: SMOKE_TIMEOUT_MS
  })
  return code === 0 ? [] : [`${path}: its smoke script ended with code ${code}\n${output.trim()}`]
}
