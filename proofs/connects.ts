import { proveConnects } from './connects/prove.js'
import { proof } from './harness.js'

// One run, whose cycles the count says: what leaks a little each time is seen only over many.
await proof('connects', { count: 1_000, perRun: Number.MAX_SAFE_INTEGER, run: (_, __, cycles) => proveConnects(cycles) })
