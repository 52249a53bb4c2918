import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createLocalNetwork, type LocalNetwork } from '@covey/testing'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'

let network: LocalNetwork
beforeAll(async () => void (network = await createLocalNetwork()))
afterAll(() => network.close())

/** Runs the program as a person would, in a folder. */
function run(folder: string, ...args: string[]) {
  const [{ host, port }] = network.bootstrap as [{ host: string; port: number }]
  const program = ['--import', 'tsx', '-C', '@covey/source', 'src/main.ts', '--storage', folder, '--local', `${host}:${port}`, ...args]
  const child = spawn(process.execPath, program, { cwd: fileURLToPath(new URL('..', import.meta.url)) })
  onTestFinished(() => void child.kill('SIGKILL'))
  return { stdout: child.stdout, stderr: child.stderr, exited: once(child, 'close'), interrupt: () => child.kill('SIGINT') }
}

it('carries what is said between two who never meet again', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'usb-stick-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const [alice, bob, stick] = ['alice', 'bob', 'stick'].map((name) => join(folder, name)) as [string, string, string]
  await mkdir(stick)

  const inviting = run(alice, '--name', 'Alice', '--invite')
  const { value: link } = (await createInterface({ input: inviting.stdout })[Symbol.asyncIterator]().next()) as { value: string }
  const joining = run(bob, '--name', 'Bob', '--join', link)
  expect(await joining.exited).toEqual([0, null])
  inviting.interrupt()
  expect(await inviting.exited).toEqual([0, null])

  // From here on, one at a time: nothing but the stick is between them.
  async function visit(storage: string, ...said: string[]): Promise<string[]> {
    const program = run(storage, '--stick', stick, ...said)
    const [stdout, stderr, exit] = await Promise.all([text(program.stdout), text(program.stderr), program.exited])
    expect(exit, stderr).toEqual([0, null])
    return stdout.split('\n').slice(0, -1).map((line) => line.slice(line.indexOf(':') + 2))
  }
  expect(await visit(alice, 'tea at five?')).toEqual(['tea at five?'])
  expect(await visit(bob, 'with pleasure')).toEqual(['tea at five?', 'with pleasure'])
  const [file] = (await readdir(stick)) as [string]
  expect(await readFile(join(stick, file), 'latin1')).not.toMatch(/tea at five|with pleasure|Alice|Bob/)

  // A stick that was pulled too early is no loss, and is not written over.
  const path = join(stick, file)
  const whole = await readFile(path)
  await truncate(path, whole.length - 40)
  const refused = run(alice, '--stick', stick)
  const [stderr, exit] = await Promise.all([text(refused.stderr), refused.exited])
  expect(stderr).toContain('The bundle ends early.')
  expect(exit).toEqual([1, null])
  expect((await readFile(path)).length).toBe(whole.length - 40)
  await writeFile(path, whole)
  await appendFile(path, 'and what else is on sticks')
  expect(await visit(alice)).toEqual(['tea at five?', 'with pleasure'])
})
