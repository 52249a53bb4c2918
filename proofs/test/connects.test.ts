import { expect, test } from 'vitest'
import { proveConnects } from '../connects/prove.js'

test('of 40 connections nothing is left; 1,000 by `pnpm proof connects`', { timeout: 120_000 }, async () => {
  await expect(proveConnects(40)).resolves.toBeUndefined()
})
