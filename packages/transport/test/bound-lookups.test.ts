import type HyperDHT from 'hyperdht'
import { expect, test } from 'vitest'
import { boundLookups } from '../src/internal/bound-lookups.js'

type Dht = Pick<HyperDHT, 'udx'> & { io: { suspended: boolean } }

function bounded(lookup: HyperDHT['udx']['lookup']): Dht {
  const dht = { udx: { lookup, networkInterfaces: () => [] }, io: { suspended: false } } as unknown as Dht
  boundLookups(dht as unknown as HyperDHT)
  return dht
}

const ADDRESS = { host: '203.0.113.7', family: 4 } as const

test('a name is resolved as before, for whom it is asked', async () => {
  const asked: unknown[] = []
  const { udx } = bounded(async (...args) => {
    asked.push(args)
    return ADDRESS
  })
  expect(await udx.lookup('node.example', { family: 4 })).toEqual(ADDRESS)
  expect(asked).toEqual([['node.example', { family: 4 }]])
})

test('a resolver that never answers is not waited for', async () => {
  const startedAt = performance.now()
  const { udx } = bounded(() => new Promise(() => undefined))
  await expect(udx.lookup('node.example')).rejects.toThrow('No resolver answered in time.')
  expect(performance.now() - startedAt).toBeLessThan(3_000)
})

test('with closed sockets nothing is asked', async () => {
  let asked = 0
  const dht = bounded(async () => {
    asked++
    return ADDRESS
  })
  dht.io.suspended = true
  await expect(dht.udx.lookup('node.example')).rejects.toThrow('There is no network')
  expect(asked).toBe(0)
})
