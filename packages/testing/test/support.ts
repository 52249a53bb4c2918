import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Makes an empty folder the place of temporary files for the rest of the test. */
export async function useTemporaryFolder(): Promise<string> {
  const before = process.env['TMPDIR']
  const folder = await mkdtemp(join(tmpdir(), 'covey-testing-'))
  process.env['TMPDIR'] = folder
  onTestFinished(async () => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
    await rm(folder, { recursive: true, force: true })
  })
  return folder
}

/** Runs a module text in a process of its own; resolves when that ends by itself. */
export async function run(text: string): Promise<{ code: number | null; output: string }> {
  const args = ['--import', 'tsx', '-C', '@covey/source', '--input-type=module', '--eval', text]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (data) => (output += String(data)))
  child.stderr.on('data', (data) => (output += String(data)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}
