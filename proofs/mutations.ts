import { copyWorkspace } from './mutations/copy.js'
import { MUTANTS } from './mutations/mutants.js'
import { proof } from './harness.js'

const DEFAULT_RUNS = { model: 400, rooms: 60 } as const

const copy = await copyWorkspace()
let next = 0
await proof('mutations', {
  count: MUTANTS.length,
  seed: 1,
  async run(seed) {
    const { rule, file, from, to, proof: name = 'model', count = DEFAULT_RUNS[name] } = MUTANTS[next++ % MUTANTS.length]!
    const undo = await copy.change(file, from, to)
    const survives = await copy.holds(name, count, seed)
    await undo()
    console.log(`${survives ? 'SURVIVES' : 'killed'}: ${rule}`)
    if (survives) throw new Error(`Without the rule '${rule}' (${file}), ${count} runs of the proof '${name}' still hold.`)
  }
})
await copy.remove()
