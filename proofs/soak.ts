import { proof } from './harness.js'
import { proveSoak } from './soak/prove.js'

// One run, for as many minutes as the count says: a day.
await proof('soak', { count: 1_440, perRun: Number.MAX_SAFE_INTEGER, run: (seed, _, minutes) => proveSoak(seed, minutes) })
