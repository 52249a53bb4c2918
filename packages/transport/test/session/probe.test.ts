import { setImmediate } from 'node:timers/promises'
import type HyperDHT from 'hyperdht'
import { expect, test } from 'vitest'
import { PROBE_LOST_MS, PROBE_MS } from '../../src/internal/session/constants.js'
import { Probe } from '../../src/internal/session/probe.js'

/** A probe whose network answers what it is told to, and how often it has told of a change. */
function createProbe() {
  let answer: string | Error = '20.0.0.1'
  let at = 0
  let changes = 0
  const ping = async () => {
    if (answer instanceof Error) throw answer
    return { to: { host: answer, port: 1 } }
  }
  const dht = { host: null, toArray: () => [{ host: '5.1.1.1', port: 1 }], bootstrapNodes: [], ping } as unknown as HyperDHT
  const probe = new Probe(dht, () => changes++)
  return {
    async ask(next: string | Error, afterMs = PROBE_MS): Promise<number> {
      answer = next
      probe.tick((at += afterMs))
      await setImmediate()
      return changes
    },
    probe
  }
}

const LOST = new Error('lost')

test('a network that is as it was is no news', async () => {
  const { ask } = createProbe()
  expect(await ask('20.0.0.1')).toBe(0)
  expect(await ask('20.0.0.1')).toBe(0)
})

test('a network that is back is told once', async () => {
  const { ask, probe } = createProbe()
  await ask('20.0.0.1')
  expect(await ask(LOST)).toBe(0)
  expect(probe.isLost).toBe(true)
  expect(await ask(LOST, PROBE_LOST_MS)).toBe(0)
  expect(await ask('20.0.0.1', PROBE_LOST_MS)).toBe(1)
  expect(await ask('20.0.0.1')).toBe(1)
  expect(probe.isLost).toBe(false)
})

test('another address is another network', async () => {
  const { ask } = createProbe()
  await ask('20.0.0.1')
  expect(await ask('20.0.0.2')).toBe(1)
  expect(await ask('20.0.0.2')).toBe(1)
})

test('it asks no more often than it should', async () => {
  const { ask } = createProbe()
  await ask('20.0.0.1')
  expect(await ask('20.0.0.2', PROBE_MS - 1)).toBe(0)
  expect(await ask('20.0.0.2', 1)).toBe(1)
})
