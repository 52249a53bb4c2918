import { proof } from './harness.js'
import { createWorld } from './rooms/world.js'
import { proveRoom } from './rooms/prove.js'

const world = await createWorld()
await proof('rooms', { count: 300, run: (seed) => proveRoom(seed, world) })
await world.close()
