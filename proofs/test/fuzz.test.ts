import { randomInt } from 'node:crypto'
import { expect, test } from 'vitest'
import { decodersFor } from '../fuzz/decoders.js'
import { createFixtures } from '../fuzz/fixtures.js'
import { proveDecoders } from '../fuzz/prove.js'

const INPUTS = 100_000
const decoders = decodersFor(await createFixtures())

test.for(decoders)(`${INPUTS} inputs: $name`, { timeout: 300_000 }, async (decoder) => {
  // A failure is told with the seed that repeats it.
  await expect(proveDecoders([decoder], randomInt(2 ** 32), INPUTS)).resolves.toBeUndefined()
})
