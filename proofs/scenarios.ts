import { proof } from './harness.js'
import { proveScenario, SCENE_NAMES } from './scenarios/scenes.js'

// Each run plays all of them.
await proof('scenarios', {
  count: 10,
  async run(seed) {
    for (const name of SCENE_NAMES) {
      await proveScenario(name, seed).catch((cause: unknown) => {
        throw new Error(`In the scene ${name}`, { cause })
      })
    }
  }
})
