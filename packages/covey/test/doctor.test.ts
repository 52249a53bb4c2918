import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createLocalNetwork } from '@covey/testing'
import { expect, onTestFinished, test } from 'vitest'

test('covey doctor tells how the network looks', async () => {
  const network = await createLocalNetwork()
  onTestFinished(() => network.close())
  const [{ host, port }] = network.bootstrap as [{ host: string; port: number }]
  const { code, output } = await run('doctor', '--bootstrap', `${host}:${port}`)
  expect(output).toMatch(/^Peers can be reached directly\.\n\nnat {6}\w+\naddress {2}127\.0\.0\.1:\d+\nudp {6}(\d) of \1 answered, \d+ ms\nclock {4}not compared\n$/)
  expect(code).toBe(0)
})

test.each([
  [[], 2, ''],
  [['docter'], 2, /there is no command docter/],
  [['doctor', '--relais', 'x'], 2, /there is no option --relais/],
  [['doctor', '--relay'], 2, /--relay has no value/],
  [['doctor', '--relay', 'not-a-relay'], 2, /line must/],
  [['doctor', '--bootstrap', 'nowhere'], 2, /host/],
  [['--help'], 0, '']
])('%j ends with %d', async (args, expected, said) => {
  const { code, errors } = await run(...args)
  expect(code).toBe(expected)
  expect(errors).toMatch(said)
})

async function run(...args: readonly string[]): Promise<{ code: number; output: string; errors: string }> {
  const script = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', '-C', '@covey/source', script, ...args])
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  const [code] = (await once(child, 'close')) as [number]
  return { code, output, errors }
}
