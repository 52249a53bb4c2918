import { proof } from './harness.js'
import { whyNoLaboratory } from './natlab/laboratory.js'
import { proveNatlab } from './natlab/prove.js'

const reason = whyNoLaboratory()
// One run of so many attempts, which the laboratory makes itself. Its choices do not follow from a seed.
if (reason === null) await proof('natlab', { count: 3, perRun: 1_000, run: (_seed, _index, attempts) => proveNatlab(attempts) })
else console.log(`PROOF natlab: skipped, since ${reason}`)
