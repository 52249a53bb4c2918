import { test } from 'vitest'
import { proveScenario, SCENE_NAMES } from '../scenarios/scenes.js'

// `pnpm proof scenarios` plays them with other seeds.
test.for(SCENE_NAMES)('what still works: %s', { timeout: 600_000 }, async (name) => {
  await proveScenario(name, 1)
})
