// A process of its own, because an attack that succeeds stops it. Says what came of it as JSON.
import { PAIRING_ATTACKS, PairingWorld } from './pairing-attacks.js'

const [name, mode] = process.argv.slice(2)
const world = new PairingWorld(mode === 'guarded')
let phase = 'opening'
let failure: string | null = null
try {
  await world.open()
  phase = 'attack'
  await PAIRING_ATTACKS[name!]!(world)
  phase = 'after the attack'
  world.answerMs = 0
  await world.pairs()
} catch (error) {
  failure = `${phase}: ${(error as Error).message}`
}
console.log(JSON.stringify({ failure, frozen: [], errors: [], warnings: [...new Set(world.warnings)] }))
process.exit(0)
