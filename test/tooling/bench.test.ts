import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { configure, measure } from '../../bench/harness.js'
import { runCommand } from '../../scripts/run-command.js'
import { installedWorkspace } from './fixture.js'

const AREA = `
import { isQuick, measure } from './harness.js'
let calls = 0
await measure('join', {
  unit: 'ms',
  baselineName: 'stock',
  runs: 3,
  value: async () => { calls++; return 2 },
  baseline: async () => 8
})
console.log('calls ' + calls + ' quick ' + isQuick())
`

function bench(files: Record<string, string>, ...args: string[]): ReturnType<typeof runCommand> & { root: string } {
  const root = installedWorkspace(files, ['scripts', 'bench/harness.ts'])
  return Object.assign(runCommand(process.execPath, ['--import', 'tsx', 'scripts/bench.ts', ...args], { cwd: root }), { root })
}

describe('measure', () => {
  beforeEach(() => configure({ quick: false }))

  const numbers = (...values: number[]): (() => Promise<number>) => {
    const left = [...values]
    return () => Promise.resolve(left.shift() ?? Number.NaN)
  }

  it('gives medians and their ratio, and does not count the first run of each', async () => {
    const result = await measure('a', {
      unit: 'ms', baselineName: 'b', runs: 3, value: numbers(999, 4, 1, 3), baseline: numbers(999, 2, 1, 9)
    })
    expect(result).toEqual({ name: 'a', unit: 'ms', value: 3, baseline: 2, ratio: 1.5 })
  })

  it('takes the middle of an even number of runs', async () => {
    const result = await measure('a', { unit: 'ms', baselineName: 'b', runs: 2, value: numbers(1, 2, 4), baseline: numbers(1, 1, 1) })
    expect(result.value).toBe(3)
  })

  it('alternates, and lets each go first', async () => {
    const order: string[] = []
    const note = (name: string) => (): Promise<number> => {
      order.push(name)
      return Promise.resolve(1)
    }
    await measure('a', { unit: 'ms', baselineName: 'b', runs: 2, value: note('value'), baseline: note('baseline') })
    expect(order).toEqual(['value', 'baseline', 'value', 'baseline', 'baseline', 'value'])
  })

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s as a measured number', async (measured) => {
    const one = (): Promise<number> => Promise.resolve(1)
    const bad = (): Promise<number> => Promise.resolve(measured)
    await expect(measure('a', { unit: 'ms', baselineName: 'b', value: bad, baseline: one })).rejects.toThrow('a: value measured')
    await expect(measure('a', { unit: 'ms', baselineName: 'b', value: one, baseline: bad })).rejects.toThrow('a: baseline measured')
  })

  it('runs once when quick', async () => {
    configure({ quick: true })
    const value = vi.fn<() => Promise<number>>(() => Promise.resolve(1))
    await measure('a', { unit: 'ms', baselineName: 'b', runs: 9, value, baseline: value })
    expect(value).toHaveBeenCalledTimes(2)
  })
})

describe('the bench command', () => {
  it('prints a table with the machine and writes the numbers', async () => {
    const run = bench({ 'bench/rooms.ts': AREA }, 'rooms', '--json', 'out.json')
    const { code, output } = await run
    expect(output).toContain('calls 4 quick false')
    expect(output).toMatch(/join +2\.00 ms +8\.00 ms \(stock\) +0\.250 × +3/)
    expect(output).toMatch(new RegExp(`, \\d+ cores, Node ${process.version}`))
    expect(code).toBe(0)
    expect(JSON.parse(readFileSync(join(run.root, 'out.json'), 'utf8'))).toEqual([
      { name: 'join', value: 2, unit: 'ms', baseline: 8, ratio: 0.25 }
    ])
  })

  it('says that a quick run means nothing', async () => {
    const { code, output } = await bench({ 'bench/rooms.ts': AREA }, '--', 'rooms', '--quick')
    expect(output).toContain('calls 1 quick true')
    expect(output).toContain('its numbers mean nothing')
    expect(code).toBe(0)
  })

  it('lists the areas when it knows none of that name', async () => {
    const { code, output } = await bench({ 'bench/rooms.ts': AREA, 'bench/files.ts': AREA }, 'room')
    expect(output).toContain("There is no bench 'room'. There are: files, rooms.")
    expect(code).toBe(1)
  })

  it('fails for an area that throws or measures nothing', async () => {
    expect((await bench({ 'bench/rooms.ts': "throw new Error('no network')" }, 'rooms')).code).toBe(1)
    const { code, output } = await bench({ 'bench/rooms.ts': 'export {}' }, 'rooms')
    expect(output).toContain('Nothing was measured.')
    expect(code).toBe(1)
  })
})
