import { KILLS_PER_ROOM, PARALLEL_ROOMS, proveDurability } from './durability/prove.js'
import { proof } from './harness.js'

await proof('durability', {
  count: 1_000,
  perRun: KILLS_PER_ROOM,
  parallel: PARALLEL_ROOMS,
  run: (seed, _, kills) => proveDurability(seed, kills)
})
