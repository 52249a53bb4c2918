import { afterAll, beforeAll, expect, test } from 'vitest'
import { configure, failedRuns, proof } from '../harness.js'
import { proveHistory } from '../model/prove.js'
import { proveRoom } from '../rooms/prove.js'
import { proveScene, SCENES } from '../rooms/scenes.js'
import { createWorld, type World } from '../rooms/world.js'

let world: World
beforeAll(async () => void (world = await createWorld()))
afterAll(() => world.close())

test('10,000 histories: the code answers as the model does', { timeout: 900_000 }, async () => {
  configure({})
  await proof('model', { count: 10_000, run: (seed) => proveHistory(seed) })
  expect(failedRuns()).toBe(0)
})

// The same rooms each time, so that a failure is of the change; `pnpm proof rooms` makes others.
test('300 rooms: what the members see and read is what the model says', { timeout: 1_800_000 }, async () => {
  configure({ seed: '9000' })
  await proof('rooms', { count: 300, run: (seed) => proveRoom(seed, world) })
  expect(failedRuns()).toBe(0)
})

test.for(SCENES)('a room in which there is one rule to keep: %s', async (name) => {
  await expect(proveScene(name, 1, world)).resolves.toBeUndefined()
})
