import { copyWorkspace } from './mutations/copy.js'
import { MUTANTS, type Mutant } from './mutations/mutants.js'
import { proof } from './harness.js'

/** Random histories come upon some rules rarely. A scene depends on little but the order that random keys give. */
const DEFAULT_RUNS = { model: 5_000, rooms: 60, scene: 10 } as const

const copy = await copyWorkspace()
let next = 0
await proof('mutations', {
  count: MUTANTS.length,
  seed: 1,
  async run(seed) {
    const mutant = MUTANTS[next++ % MUTANTS.length]!
    const run = await killer(mutant, seed)
    console.log(`${run === undefined ? 'SURVIVES' : `killed by run ${run}`}: ${mutant.rule}`)
    if (run === undefined) throw new Error(`Without the rule '${mutant.rule}' (${mutant.file}), the proof still holds.`)
  }
})
await copy.remove()

/** The first run that fails without the rule, and holds with it: what fails in both shows nothing. */
async function killer({ file, from, to, proof: name = 'model', count = runsOf(name) }: Mutant, seed: number): Promise<number | undefined> {
  for (let run = 0; run < count; run++) {
    const undo = await copy.change(file, from, to)
    const failed = await copy.failure(name, count, seed, run)
    await undo()
    if (failed === undefined) return undefined
    if ((await copy.failure(name, failed + 1, seed, failed)) === undefined) return failed
    console.log(`Run ${failed} of '${name}' with seed ${seed} fails with the rule too, and does not count.`)
    run = failed
  }
  return undefined
}

function runsOf(name: NonNullable<Mutant['proof']>): number {
  return name === 'model' || name === 'rooms' ? DEFAULT_RUNS[name] : DEFAULT_RUNS.scene
}
