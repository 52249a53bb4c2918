import { decodersFor } from './fuzz/decoders.js'
import { createFixtures } from './fuzz/fixtures.js'
import { proveDecoders } from './fuzz/prove.js'
import { proof } from './harness.js'

const decoders = decodersFor(await createFixtures())
// One run, in which each decoder gets as many inputs as the count says.
await proof('fuzz', { count: 100_000, perRun: Number.MAX_SAFE_INTEGER, run: (seed, _, inputs) => proveDecoders(decoders, seed, inputs) })
