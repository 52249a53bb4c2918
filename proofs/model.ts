import { proof } from './harness.js'
import { proveHistory } from './model/prove.js'

await proof('model', { count: 10_000, run: (seed) => proveHistory(seed) })
