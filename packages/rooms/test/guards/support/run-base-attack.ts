// A process of its own, because an attack that succeeds stops it. Says what came of it as JSON.
import { ATTACKS as BASE_ATTACKS } from './base-attacks.js'
import { FORK_ATTACKS } from './fork-attacks.js'
import { World } from './world.js'

const ATTACKS = { ...BASE_ATTACKS, ...FORK_ATTACKS }
const [name, mode] = process.argv.slice(2)
const world = new World(mode === 'guarded', name === 'value-not-json' ? 'json' : 'binary')
let phase = 'opening'
let failure: string | null = null
try {
  await world.open()
  phase = 'attack'
  await ATTACKS[name as keyof typeof ATTACKS](world)
  phase = 'after the attack'
  await world.talk('after')
  phase = 'after a restart'
  await world.restart()
  await world.talk('again')
} catch (error) {
  failure = `${phase}: ${(error as Error).message}`
}
const { frozen, errors, warnings, splits, proofs } = world
console.log(JSON.stringify({ failure, frozen: [...new Set(frozen)].sort(), errors, warnings: [...new Set(warnings)], splits, proofs }))
process.exit(0)
