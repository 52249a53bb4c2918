import { proveCrashes } from './crash/prove.js'
import { proof } from './harness.js'

/** How many kills a room goes through: enough for what only shows after many of them. */
const KILLS_PER_ROOM = 50

await proof('crash', { count: 100, perRun: KILLS_PER_ROOM, run: (seed, _, kills) => proveCrashes(seed, kills) })
