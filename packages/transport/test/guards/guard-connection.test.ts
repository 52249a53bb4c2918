import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { assertUpstream } from '../../src/internal/guards/upstream.js'

const ATTACKS = ['throws', 'rejects', 'throws after others']

test.for(ATTACKS)('a handler that %s stops a process without the guard', async (attack) => {
  const { code, output, errors } = await run(attack, 'stock')
  expect(output).toBe('')
  expect(errors).toContain('TypeError')
  expect(code).toBe(1)
})

test.for(ATTACKS)('a handler that %s ends its connection, and no other', async (attack) => {
  const { code, output } = await run(attack, 'guarded')
  expect(JSON.parse(output)).toEqual({ received: ['whole'], isOpen: true })
  expect(code).toBe(0)
})

test('a module of another version is refused', () => {
  const right = { hypercore: '11.37.1', 'hypercore-storage': '3.3.1', hyperdht: '6.32.0', hyperswarm: '4.17.2', protomux: '3.12.1' }
  expect(() => assertUpstream()).not.toThrow()
  expect(() => assertUpstream(right)).not.toThrow()
  for (const wrong of [{ protomux: '3.12.2' }, { hyperswarm: '4.17.3' }, { hyperdht: '6.34.0' }, { 'hypercore-storage': '3.4.0' }, { hypercore: '11.38.0' }]) {
    expect(() => assertUpstream({ ...right, ...wrong })).toThrow(expect.objectContaining({ code: 'UPSTREAM_UNSUPPORTED' }))
  }
})

async function run(attack: string, mode: 'stock' | 'guarded') {
  const script = fileURLToPath(new URL('run-attack.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', '-C', '@covey/source', script, attack, mode])
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output, errors }
}
