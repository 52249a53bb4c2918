import { describe, expect, it } from 'vitest'
import { runCommand } from '../../scripts/run-command.js'
import { installedWorkspace } from './fixture.js'

const PROOF = `
import { proof } from './harness.js'
await proof('even', {
  count: 5,
  run: (seed, index) => {
    console.log('seed ' + seed + ' index ' + index)
    if (seed % 2 === 1) throw new Error('odd: ' + seed)
  }
})
setInterval(() => {}, 1000) // what a failed run may leave open
`

async function run(...args: string[]): Promise<{ code: number; lines: string[]; seeds: number[] }> {
  const root = installedWorkspace({ 'proofs/even.ts': PROOF, 'proofs/odd.ts': PROOF }, ['scripts', 'proofs/harness.ts'])
  const { code, output } = await runCommand(process.execPath, ['--import', 'tsx', 'scripts/proof.ts', ...args], { cwd: root })
  const lines = output.trimEnd().split('\n')
  return { code, lines, seeds: lines.flatMap((line) => /^seed (\d+)/.exec(line)?.slice(1).map(Number) ?? []) }
}

describe('the proof command', () => {
  it('prints the seed, runs the default count and ends with the sum', async () => {
    const { lines, seeds, code } = await run('even')
    expect(lines[0]).toMatch(/^PROOF even: 5 runs from seed \d+$/)
    expect(lines[0]).toContain(`seed ${seeds[0]}`)
    expect(new Set(seeds).size).toBe(5)
    const failures = seeds.filter((seed) => seed % 2 === 1).length
    expect(lines.at(-1)).toBe(`PROOF even: 5 runs, ${failures} failures`)
    expect(code).toBe(failures === 0 ? 0 : 1)
  })

  it('takes the same seeds for the same first seed', async () => {
    const first = await run('even', '--count', '20', '--seed', '7')
    expect((await run('even', '--seed', '7', '--count', '20')).seeds).toEqual(first.seeds)
    expect(first.seeds).toHaveLength(20)
    expect((await run('even', '--seed', '8', '--count', '20')).seeds).not.toEqual(first.seeds)
  })

  it('fails with the command that runs the failed run alone, which does the same again', async () => {
    const { lines, code } = await run('even', '--count', '20', '--seed', '8')
    const command = lines.find((line) => line.includes('To run it alone')) ?? ''
    const [, seed = ''] = /: pnpm proof even --count 1 --seed (\d+)$/.exec(command) ?? []
    expect(code).toBe(1)
    const again = await run('even', '--count', '1', '--seed', seed)
    expect(again.seeds).toEqual([Number(seed)])
    expect(again.lines.at(-1)).toBe('PROOF even: 1 runs, 1 failures')
    expect(again.code).toBe(1)
  })

  it('passes when every run does', async () => {
    const { lines, code } = await run('even', '--count', '1', '--seed', '8')
    expect(lines.at(-1)).toBe('PROOF even: 1 runs, 0 failures')
    expect(code).toBe(0)
  })

  it.each([
    [['evn'], "There is no proof 'evn'. There are: even, odd."],
    [[], 'Which proof? There are: even, odd.'],
    [['even', '--count', '0'], '--count must be a whole number from 1: 0'],
    [['even', '--seed', 'x'], '--seed must be a whole number from 0: x'],
    [['even', '--sed', '1'], "Unknown option '--sed'"]
  ])('refuses %j', async (args, message) => {
    const { lines, code } = await run(...args)
    expect(lines.join('\n')).toContain(message)
    expect(code).toBe(1)
  })
})
