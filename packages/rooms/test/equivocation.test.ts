import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Corestore from 'corestore'
import fc from 'fast-check'
import type Hypercore from 'hypercore'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isEquivocation, signedTree, type Equivocation } from '../src/internal/equivocation.js'

let folder: string
const stores: Corestore[] = []
let count = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'covey-equivocation-'))
  const primaryKey = new Uint8Array(32).fill(9)
  for (const name of ['one', 'other']) stores.push(new Corestore(join(folder, name), { primaryKey, unsafe: true }))
})

afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()))
  await rm(folder, { recursive: true, force: true })
})

/** Two cores of one key: the first blocks are the same, the others are not. */
async function twoCores(shared: number, one: number, other: number): Promise<[Hypercore, Hypercore]> {
  const name = `core ${count++}`
  const cores = stores.map((store) => store.get({ name })) as [Hypercore, Hypercore]
  for (const [i, core] of cores.entries()) {
    await core.ready()
    for (let block = 0; block < shared; block++) await core.append(Buffer.from(`shared ${block}`))
    for (let block = 0; block < [one, other][i]!; block++) await core.append(Buffer.from(`${i} ${block}`))
  }
  return cores
}

async function tree(core: Hypercore, at: number) {
  const found = signedTree(await core.proof({ upgrade: { start: 0, length: at } }))
  if (found === undefined) throw new Error('the core has no such tree')
  return found
}

async function prove(one: Hypercore, other: Hypercore, at: number): Promise<Equivocation> {
  const signer = one.manifest!.signers[0]!.publicKey
  return { writer: one.key!, signer, at, first: await tree(one, at), second: await tree(other, at) }
}

test('two trees that differ anywhere below a length prove, whatever their own lengths', async () => {
  for (const [shared, one, other] of [[0, 1, 1], [1, 1, 4], [3, 9, 2], [6, 1, 20], [7, 5, 5], [8, 8, 1]] as const) {
    const cores = await twoCores(shared, one, other)
    const shortest = shared + Math.min(one, other)
    for (let at = 1; at <= shortest; at++) {
      expect(isEquivocation(await prove(...cores, at)), `${shared} ${one} ${other} at ${at}`).toBe(at > shared)
    }
  }
})

test('who only wrote on has not equivocated', async () => {
  const [one, other] = await twoCores(3, 0, 10)
  for (const at of [1, 2, 3]) expect(isEquivocation(await prove(one, other, at))).toBe(false)
})

test('a tree after others were taken back proves alone', async () => {
  const [core] = await twoCores(5, 0, 0)
  const before = await tree(core, 2)
  await core.truncate(2)
  const signer = core.manifest!.signers[0]!.publicKey
  const proof = { writer: core.key!, signer, at: 2, first: await tree(core, 2) }
  expect(isEquivocation(proof)).toBe(true)
  expect(isEquivocation({ ...proof, first: before })).toBe(false)
  expect(isEquivocation({ ...proof, first: { ...before, fork: 1 } })).toBe(false)
})

test('a proof is of one writer, whole, and without anything more', async () => {
  const [one, other] = await twoCores(2, 3, 2)
  const [stranger] = await twoCores(1, 1, 1)
  const proof = await prove(one, other, 4)
  const second = proof.second!
  expect(isEquivocation(proof)).toBe(true)
  const junk = new Uint8Array([...second.nodes, ...new Uint8Array(40)])
  const wrong: Partial<Equivocation>[] = [
    { writer: stranger.key! },
    { signer: stranger.manifest!.signers[0]!.publicKey },
    { writer: stranger.key!, signer: stranger.manifest!.signers[0]!.publicKey },
    { second: proof.first },
    { second: null },
    { second: { ...second, nodes: junk } },
    { second: { ...second, nodes: second.nodes.subarray(40) } },
    { second: { ...second, length: second.length + 1 } },
    { second: { ...second, fork: 1 } },
    { second: { ...second, signature: proof.first.signature } },
    { at: 0 },
    { at: 3 },
    { at: 5 },
    { at: 2 ** 52 }
  ]
  for (const change of wrong) expect(isEquivocation({ ...proof, ...change }), JSON.stringify(change)).toBe(false)
})

test('no bit of a proof can be changed', async () => {
  const [one, other] = await twoCores(2, 3, 2)
  const proof = await prove(one, other, 4)
  fc.assert(
    fc.property(fc.constantFrom('nodes', 'signature'), fc.nat(), fc.integer({ min: 0, max: 7 }), (field, at, bit) => {
      const bytes = Uint8Array.from(proof.first[field])
      bytes[at % bytes.length]! ^= 1 << bit
      return !isEquivocation({ ...proof, first: { ...proof.first, [field]: bytes } })
    })
  )
})

test('what a core sends is not taken as it comes', async () => {
  const [core] = await twoCores(5, 0, 0)
  const sent = await core.proof({ upgrade: { start: 0, length: 3 } })
  const node = { index: 2 * 5 + 64, size: 1, hash: new Uint8Array(32) }
  const { upgrade } = sent
  expect(signedTree(sent)).toBeDefined()
  for (const change of [
    { nodes: [...upgrade.nodes, node] },
    { nodes: [] },
    { additionalNodes: [...upgrade.additionalNodes, node] },
    { additionalNodes: [{ ...node, index: 2 ** 53 - 1 }] },
    { signature: null },
    { signature: new Uint8Array(64) },
    { length: 7 }
  ]) {
    expect(signedTree({ ...sent, upgrade: { ...upgrade, ...change } })).toBeUndefined()
  }
})
