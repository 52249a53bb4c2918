import { KILLS_PER_ROOM, PARALLEL_ROOMS, proveCrashes } from './crash/prove.js'
import { proof } from './harness.js'

await proof('crash', { count: 100, perRun: KILLS_PER_ROOM, parallel: PARALLEL_ROOMS, run: (seed, _, kills) => proveCrashes(seed, kills) })
