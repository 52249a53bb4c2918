import type { AutobaseNode } from 'autobase'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { createMemorySecretStore, openIdentity, type LocalIdentity } from '@covey/identity'
import { MAX_COLLECTION_BYTES, MAX_ENTRIES } from '../src/internal/apply/entries.js'
import { MAX_COLLECTIONS } from '../src/internal/authority/acts.js'
import { makeClaim } from '../src/internal/claim.js'
import { encodeOp, opId, OpType, type OpHeader } from '../src/internal/op.js'
import { encodeStruct } from '../src/internal/structs.js'
import { ADMIN, MEMBER, OWNER, READER } from './message-model.js'
import { admission, bareView, createWriter } from './support-apply.js'
import { toHex } from './support.js'

// White box: `apply` alone, on a real view, held against a model of a few lines.

const CORES = [1, 3, 4, 5].map((byte) => createWriter(new Uint8Array(32).fill(byte)))
const ROOM = { key: CORES[0]!.key, discoveryKey: new Uint8Array(32).fill(2) }
const ROLES = [OWNER, ADMIN, MEMBER, READER]
const NOW = Date.now()
const named = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

const people: LocalIdentity[] = []
beforeAll(async () => {
  for (const _ of CORES) people.push(await openIdentity({ storage: createMemorySecretStore() }))
  return () => Promise.all(people.map((person) => person.close())).then(() => undefined)
})

/** A log of the room, in which each op follows the last of its writer. */
function createLog() {
  const heads = CORES.map((): { id: Uint8Array | null; length: number } => ({ id: null, length: 0 }))
  const nodes: AutobaseNode[] = []
  function write(by: number, header: Partial<OpHeader> & { type: number }, sealed: Uint8Array): Uint8Array {
    const head = heads[by]!
    const { key } = CORES[by]!
    const value = encodeOp({ sentAt: NOW, previous: head.id, ...header }, () => sealed)
    head.id = opId(ROOM.discoveryKey, key, value)
    head.length++
    nodes.push({ from: { key }, length: head.length, value, heads: [] } as unknown as AutobaseNode)
    return head.id
  }
  const claimOf = (of: number) => makeClaim(people[of]!, ROOM.discoveryKey, CORES[of]!)
  write(0, { type: OpType.create, payload: encodeStruct('create', { ...claimOf(0), history: 1 }) }, new Uint8Array())
  for (const of of [1, 2, 3]) {
    const request = { writer: CORES[of]!.key, nonce: new Uint8Array(32), ...claimOf(of) }
    write(0, { type: OpType.admit, payload: admission(request, ROLES[of]!) }, new Uint8Array())
  }
  return {
    nodes,
    remove: (by: number, payload: Uint8Array) => write(by, { type: OpType.remove, payload }, new Uint8Array()),
    rule: (by: number, id: number, role: number) => write(by, { type: OpType.collection, payload: encodeStruct('collection', { id: named(id), role }) }, new Uint8Array()),
    put: (by: number, id: number, key: number, bytes = 1) =>
      write(by, { type: OpType.put, payload: encodeStruct('entry-name', { collection: named(id), key: named(key) }) }, new Uint8Array(bytes)),
    del: (by: number, id: number, key: number) =>
      write(by, { type: OpType.del, payload: encodeStruct('entry-name', { collection: named(id), key: named(key) }) }, new Uint8Array())
  }
}

interface Deed {
  readonly type: 'rule' | 'put' | 'del'
  readonly by: number
  readonly id: number
  readonly key: number
  readonly role: number
}

const deeds: fc.Arbitrary<Deed[]> = fc.array(
  fc.record({
    type: fc.constantFrom<Deed['type']>('rule', 'put', 'put', 'put', 'del'),
    by: fc.nat(3),
    id: fc.nat(1),
    key: fc.nat(3),
    role: fc.nat(6)
  }),
  { minLength: 5, maxLength: 50 }
)

test('who may write is what the room says at that place, and the last in the order holds', async () => {
  const openBare = await bareView(ROOM)
  await fc.assert(
    fc.asyncProperty(deeds, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), async (all, steps) => {
      const log = createLog()
      const roles = new Map<number, number>()
      const entries = new Map<string, string>()
      for (const { type, by, id, key, role } of all) {
        const own = ROLES[by]!
        const name = toHex(named(id)) + toHex(named(key))
        const least = roles.get(id)
        const mayWrite = least !== undefined && own >= least
        if (type === 'rule') {
          log.rule(by, id, role)
          if (own >= ADMIN && role >= READER && role <= own && own >= (least ?? 0)) roles.set(id, role)
        } else if (type === 'put') {
          const op = toHex(log.put(by, id, key))
          if (mayWrite) entries.set(name, op)
        } else {
          log.del(by, id, key)
          if (mayWrite) entries.delete(name)
        }
      }
      const [whole, parts] = [openBare(), openBare()]
      await whole.apply(log.nodes)
      // In parts, and each twice: what was applied is not applied again.
      for (let at = 0, i = 0; at < log.nodes.length; i++) {
        const part = log.nodes.slice(at, (at += steps[i % steps.length]!))
        await parts.apply(part)
        await parts.apply(part)
      }
      const dump = await whole.dump()
      expect(await parts.dump()).toEqual(dump)
      const found = (dump['entries'] as Record<string, string>[]).map((row) => [row['collection']! + row['key']!, row['id']])
      expect(new Map(found as [string, string][])).toEqual(entries)
      expect(dump['collections']).toEqual([...roles].toSorted(([a], [b]) => a - b).map(([id, role]) => ({ id: toHex(named(id)), role })))
      for (const usage of dump['collection-usage'] as { id: string; entries: number; bytes: number }[]) {
        const rows = (dump['entries'] as { collection: string; op: string }[]).filter(({ collection }) => collection === usage.id)
        expect(usage).toMatchObject({ entries: rows.length, bytes: rows.reduce((sum, { op }) => sum + op.length / 2, 0) })
      }
    }),
    { numRuns: 30 }
  )
})

test('there is an end to what a collection, an entry, and a room take', async () => {
  const log = createLog()
  const { view, apply } = (await bareView(ROOM))()
  const flush = async (): Promise<void> => apply(log.nodes.splice(0))
  const usage = async () => (await view.collectionUsage(named(0)))!
  log.rule(0, 0, MEMBER)
  log.put(2, 0, 1)
  log.put(2, 0, 2, 70_000)
  log.put(2, 0, 3, 65_536)
  await flush()
  expect(await usage()).toMatchObject({ entries: 2 })
  expect(await view.entry(named(0), named(2))).toBeNull()

  await view.put('collection-usage', { ...(await usage()), entries: MAX_ENTRIES })
  log.put(2, 0, 4)
  log.put(2, 0, 1, 2)
  await flush()
  expect(await view.entry(named(0), named(4))).toBeNull()
  log.del(2, 0, 3)
  log.put(2, 0, 4)
  await flush()
  expect(await view.entry(named(0), named(4))).not.toBeNull()

  await view.put('collection-usage', { ...(await usage()), entries: 2, bytes: MAX_COLLECTION_BYTES })
  const before = (await view.entry(named(0), named(1)))!
  log.put(2, 0, 5)
  log.put(2, 0, 1, 3)
  await flush()
  expect(await view.entry(named(0), named(5))).toBeNull()
  expect((await view.entry(named(0), named(1)))!.id).toEqual(before.id)
  // What makes it less is taken.
  const least = log.put(2, 0, 1, 0)
  await flush()
  expect((await view.entry(named(0), named(1)))!.id).toEqual(Buffer.from(least))

  for (let id = 1; id <= MAX_COLLECTIONS; id++) log.rule(0, id, MEMBER)
  log.rule(0, 0, ADMIN)
  await flush()
  expect(await view.all('collections')).toHaveLength(MAX_COLLECTIONS)
  expect(await view.collection(named(MAX_COLLECTIONS))).toBeNull()
  expect(await view.collection(named(0))).toMatchObject({ role: ADMIN })
})

test('what an admin said who was removed meanwhile is void', async () => {
  const log = createLog()
  log.rule(0, 0, ADMIN)
  const seen = [{ writer: CORES[1]!.key, length: 0 }]
  log.rule(1, 0, READER)
  log.put(3, 0, 1)
  const { view, apply } = (await bareView(ROOM))()
  await apply(log.nodes)
  expect(await view.collection(named(0))).toMatchObject({ role: READER })
  const { identity } = people[1]!
  const removal = encodeStruct('remove', { identity: identity.publicKey, seen })
  log.nodes.splice(0)
  log.remove(0, removal)
  await apply(log.nodes)
  expect(await view.collection(named(0))).toMatchObject({ role: ADMIN })
  // What was written by that, stays for those who may now to judge.
  log.nodes.splice(0)
  log.put(3, 0, 2)
  await apply(log.nodes)
  expect(await view.entry(named(0), named(2))).toBeNull()
})
