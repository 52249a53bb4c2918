import type { AutobaseNode } from 'autobase'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { createMemorySecretStore, openIdentity, type LocalIdentity } from '@covey/identity'
import { makeClaim } from '../src/internal/claim.js'
import { hash, randomBytes } from '../src/internal/crypto.js'
import { encodeOp, opId, OpType, type OpHeader } from '../src/internal/op.js'
import { encodeStruct, type Structs } from '../src/internal/structs.js'
import { admission, bareView, createWriter, twoPasts } from './support-apply.js'

// White box: `apply` alone, on a real view. What a hostile member does to a whole room is in
// hostile-member.test.ts.

/** The founder's core, and those of three others. */
const CORES = [1, 3, 4, 5].map((byte) => createWriter(new Uint8Array(32).fill(byte)))
const WRITERS = CORES.map(({ key }) => key)
const ROOM = { key: WRITERS[0]!, discoveryKey: new Uint8Array(32).fill(2) }
const NOW = Date.now()

const people: LocalIdentity[] = []
beforeAll(async () => {
  for (const _ of WRITERS) people.push(await openIdentity({ storage: createMemorySecretStore() }))
  return () => Promise.all(people.map((person) => person.close())).then(() => undefined)
})

function claimOf(person: number) {
  return makeClaim(people[person]!, ROOM.discoveryKey, CORES[person]!)
}

function requestOf(person: number, as = person) {
  return { writer: WRITERS[as]!, nonce: new Uint8Array(32), ...claimOf(person) }
}

const person = fc.nat(WRITERS.length - 1)
const anyBytes = fc.uint8Array({ maxLength: 120 })
/** Ids that ops name again, so that they meet. */
const someId = fc.nat(2).map((byte) => new Uint8Array(32).fill(0x40 + byte))
const hugeNumber = fc.constantFrom(0, 1, 2, 3, 4, 5, 255, 2 ** 32, 2 ** 48, Number.MAX_SAFE_INTEGER)
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null })
const seen = fc.array(fc.record({ writer: person.map((p) => WRITERS[p]!), length: hugeNumber }), { maxLength: 3 })
const identity = person.map((p) => people[p]!.identity.publicKey)

/** What an op says, as a member's software would write it or not. */
const content: fc.Arbitrary<Partial<OpHeader> & { type: number }> = fc.oneof(
  fc.record({ type: fc.constant(OpType.message), epoch: maybe(someId) }),
  fc.record({ type: fc.constantFrom(OpType.settings, OpType.mirrors, OpType.profile, OpType.leave), epoch: maybe(someId) }),
  fc.record({ history: fc.nat(3), of: person }).map(({ history, of }) => ({
    type: OpType.create,
    payload: encodeStruct('create', { ...claimOf(of), history })
  })),
  fc.record({ of: person, as: person, role: hugeNumber, invite: maybe(someId) }).map(({ of, as, role, invite }) => ({
    type: OpType.admit,
    payload: encodeStruct('admit', {
      request: encodeStruct('join-request', requestOf(of, as)),
      role,
      receipt: invite && { invite, publicKey: invite, session: invite, signature: new Uint8Array(64) }
    })
  })),
  fc.record({ of: person, role: fc.constantFrom(1, 2, 3, 4) }).map(({ of, role }) => ({
    type: OpType.admit,
    payload: admission(requestOf(of), role)
  })),
  fc.record({ of: person, as: person }).map(({ of, as }) => ({
    type: OpType.addDevice,
    payload: encodeStruct('add-device', { request: encodeStruct('join-request', requestOf(of, as)) })
  })),
  fc
    .record({ id: someId, publicKey: someId, role: hugeNumber, expiresAt: maybe(hugeNumber), uses: maybe(hugeNumber) })
    .map((invite) => ({ type: OpType.invite, payload: encodeStruct('invite', invite) })),
  fc
    .record({
      lamport: hugeNumber,
      commitment: someId,
      stateCommitment: someId,
      ephemeral: someId,
      slots: fc.nat(3).map((count) => new Uint8Array(56 * count))
    })
    .map((rotate) => ({ type: OpType.rotate, payload: encodeStruct('rotate', rotate) })),
  fc.record({ target: maybe(someId), slots: anyBytes }).map(({ target, slots }) => ({
    type: OpType.grant,
    target,
    payload: encodeStruct('grant', { ephemeral: new Uint8Array(32), slots })
  })),
  fc.record({ type: fc.constantFrom(OpType.keyRequest, OpType.revokeInvite), target: maybe(someId) }),
  fc.record({ identity, role: hugeNumber, seen }).map((change) => ({
    type: OpType.setRole,
    payload: encodeStruct('set-role', change)
  })),
  fc.record({ identity, seen, ban: fc.boolean() }).map((removal) => ({
    type: OpType.remove,
    payload: encodeStruct('remove', removal)
  })),
  fc.record({ identity, muted: fc.boolean() }).map((mute) => ({ type: OpType.mute, payload: encodeStruct('mute', mute) })),
  fc.record({ type: fc.constantFrom(OpType.unban, OpType.transfer), identity }).map(({ type, identity }) => ({
    type,
    payload: encodeStruct(type === OpType.unban ? 'unban' : 'transfer', { identity })
  })),
  fc.record({ identity, device: someId, revocation: anyBytes }).map((revoked) => ({
    type: OpType.revokeDevice,
    payload: encodeStruct('revoke-device', revoked)
  })),
  // Of a type that is not known, or without what belongs to it, or with something else.
  fc.record({ type: fc.oneof(fc.nat(40), hugeNumber), target: maybe(someId), epoch: maybe(someId), payload: maybe(anyBytes) })
)

interface Step {
  readonly by: number
  readonly content: Partial<OpHeader> & { type: number }
  readonly sentAt: number
  readonly wrong: 'previous' | 'bytes' | 'version' | 'garbage' | null
  readonly noise: Uint8Array
}

const step: fc.Arbitrary<Step> = fc.record({
  by: person,
  content,
  sentAt: fc.oneof({ weight: 5, arbitrary: fc.constant(NOW) }, { weight: 1, arbitrary: hugeNumber }),
  wrong: fc.oneof(
    { weight: 8, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constantFrom('previous', 'bytes', 'version', 'garbage') }
  ),
  noise: fc.uint8Array({ minLength: 1, maxLength: 80 })
})

/** The log that the steps make, after a founder who lets two others in. */
function toNodes(steps: readonly Step[]): AutobaseNode[] {
  const heads = WRITERS.map((): { id: Uint8Array | null; length: number } => ({ id: null, length: 0 }))
  const admitted = (of: number, role: number): Step => ({
    ...plain(0, { type: OpType.admit, payload: admission(requestOf(of), role) })
  })
  const first = [
    plain(0, { type: OpType.create, payload: encodeStruct('create', { ...claimOf(0), history: 1 }) }),
    admitted(1, 4),
    admitted(2, 2)
  ]
  return [...first, ...steps].map(({ by, content, sentAt, wrong, noise }) => {
    const head = heads[by]!
    const previous = wrong === 'previous' ? hash('wrong', noise) : head.id
    let value = encodeOp({ sentAt, previous, ...content }, () => noise)
    if (wrong === 'garbage') value = noise
    if (wrong === 'version') value[0] = 99
    if (wrong === 'bytes') value[noise[0]! % value.length]! ^= 1 + (noise[0]! % 255)
    head.id = opId(ROOM.discoveryKey, WRITERS[by]!, value)
    head.length++
    return toNode(WRITERS[by]!, head.length, value)
  })
}

function plain(by: number, content: Step['content']): Step {
  return { by, content, sentAt: NOW, wrong: null, noise: new Uint8Array([1]) }
}

function toNode(key: Uint8Array, length: number, value: Uint8Array): AutobaseNode {
  return { from: { key }, length, value, heads: [] } as unknown as AutobaseNode
}

test('what an op says never makes apply throw, and the same log gives the same rows however it is cut', { timeout: 60_000 }, async () => {
  const views = await bareView(ROOM)
  /** In how many runs something was allowed. */
  let changed = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), fc.array(fc.nat(30), { maxLength: 4 }), async (steps, cuts) => {
      const nodes = toNodes(steps)
      const [whole, cut] = [views(), views()]
      await whole.apply(nodes)

      // Cut anywhere, with what was applied before applied again: as after a crash.
      let start = 0
      for (const end of [...cuts.toSorted((a, b) => a - b), nodes.length]) {
        if (end <= start) continue
        await cut.apply(nodes.slice(Math.max(0, start - 3), end))
        start = end
      }
      const rows = await whole.dump()
      expect(await cut.dump()).toEqual(rows)

      await whole.apply(nodes)
      expect(await whole.dump()).toEqual(rows)
      if (rows['messages']!.length > 0 && rows['members']!.length > 2) changed++
    }),
    { numRuns: 300 }
  )
  expect(changed).toBeGreaterThan(0)
})

test('who comes and goes is read as it is now, also where an index leads there and nothing is flushed yet', async () => {
  const views = await bareView(ROOM)
  const steps = [
    plain(2, { type: OpType.leave }),
    plain(0, { type: OpType.admit, payload: admission(requestOf(2), 2) }),
    plain(2, { type: OpType.leave })
  ]
  const nodes = toNodes(steps)
  const [oneByOne, atOnce] = [views(), views()]
  for (const node of nodes) await oneByOne.apply([node])
  await atOnce.apply(nodes.slice(0, -steps.length))
  await atOnce.apply(nodes.slice(-steps.length))
  const [device] = await atOnce.view.devicesOf(people[2]!.identity.publicKey)
  // As of the second time that the device was let in.
  expect(device).toMatchObject({ position: 4, removed: true })
  expect(await atOnce.dump()).toEqual(await oneByOne.dump())
})

test('the chain of who is brought back begins anew, whether or not what they wrote is flushed', async () => {
  const views = await bareView(ROOM)
  const removalOf = (of: number): Step['content'] => ({
    type: OpType.remove,
    payload: encodeStruct('remove', { identity: people[of]!.identity.publicKey, seen: [], ban: false })
  })
  // The founder removes who removed somebody, and has not seen that: their removal is void.
  const nodes = toNodes([plain(2, { type: OpType.profile }), plain(1, removalOf(2)), plain(0, removalOf(1))])
  const [oneByOne, atOnce] = [views(), views()]
  for (const node of nodes) await oneByOne.apply([node])
  await atOnce.apply(nodes)
  expect(await atOnce.view.device(WRITERS[2]!)).toMatchObject({ removed: false })
  expect(await atOnce.view.writer(WRITERS[2]!)).toMatchObject({ length: 1, head: null })
  expect(await atOnce.dump()).toEqual(await oneByOne.dump())
})

test('a device that signed two pasts stays out for good, however the log is cut', async () => {
  const views = await bareView(ROOM)
  const payload = encodeStruct('equivocation', await twoPasts(CORES[2]!))
  const removal = encodeStruct('remove', { identity: people[2]!.identity.publicKey, seen: [], ban: false })
  const nodes = toNodes([plain(1, { type: OpType.equivocation, payload }), plain(0, { type: OpType.remove, payload: removal })])
  const { apply, view } = views()
  await apply(nodes.slice(0, 3))
  await apply(nodes.slice(3))
  expect(await view.device(WRITERS[2]!)).toMatchObject({ removed: true, forked: true })
})

test('each device that goes is counted once, and a rotation knows of no more than have gone', async () => {
  const views = await bareView(ROOM)
  const { identity } = people[2]!
  const removal = encodeStruct('remove', { identity: identity.publicKey, seen: [], ban: false })
  const fields = { lamport: 1, commitment: hash('a'), stateCommitment: hash('b'), ephemeral: hash('c'), slots: new Uint8Array(56) }
  const rotation = (removals: number) => plain(0, { type: OpType.rotate, payload: encodeStruct('rotate', { ...fields, lamport: removals, removals }) })
  const { apply, view } = views()
  await apply(
    toNodes([
      rotation(1),
      plain(2, { type: OpType.leave }),
      // In vain: who has gone goes no more.
      plain(0, { type: OpType.remove, payload: removal }),
      rotation(2),
      plain(0, { type: OpType.admit, payload: admission(requestOf(2), 2) }),
      plain(0, { type: OpType.remove, payload: removal }),
      rotation(3)
    ])
  )
  expect((await view.meta()).removals).toBe(2)
  expect((await view.epochs(9)).map(({ lamport, removals }) => [lamport, removals])).toEqual([[3, 2], [2, 1], [1, 0]])
})

test('no bytes make apply throw, or change who is in the room', { timeout: 60_000 }, async () => {
  const views = await bareView(ROOM)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 50, maxLength: 200 }), async (values) => {
      const { apply, dump } = views()
      const first = toNodes([])
      await apply(first)
      const { members, devices, inLog } = await dump()
      const lengths = new Map<Uint8Array, number>([[WRITERS[0]!, first.length]])
      await apply(
        values.map((value, i) => {
          const key = WRITERS[i % WRITERS.length]!
          lengths.set(key, (lengths.get(key) ?? 0) + 1)
          return toNode(key, lengths.get(key)!, value)
        })
      )
      const after = await dump()
      expect([after['members'], after['devices'], after['inLog']]).toEqual([members, devices, inLog])
      expect(after['meta']).toMatchObject([{ skipped: values.length }])
    }),
    { numRuns: 20 }
  )
})

test('numbers beyond all bounds are skipped, not stumbled over', async () => {
  const views = await bareView(ROOM)
  // An unsigned 64-bit number is more than JavaScript counts exactly, or can encode again.
  const huge = new Uint8Array([0xff, ...new Uint8Array(8).fill(0xff)])
  const invite = encodeStruct('invite', { id: randomBytes(32), publicKey: randomBytes(32), role: 2 } as Structs['invite'])
  const withNumbers = new Uint8Array([...invite.subarray(0, 65), 3, ...huge, ...huge])
  const rotate = encodeStruct('rotate', {
    lamport: 1,
    commitment: randomBytes(32),
    stateCommitment: randomBytes(32),
    ephemeral: randomBytes(32),
    slots: new Uint8Array(56)
  })
  const { apply, dump } = views()
  await apply(
    toNodes([
      plain(0, { type: OpType.invite, payload: withNumbers }),
      plain(0, { type: OpType.rotate, payload: new Uint8Array([...huge, ...rotate.subarray(1)]) }),
      { ...plain(0, { type: OpType.message }), sentAt: Number.MAX_SAFE_INTEGER },
      { ...plain(0, { type: OpType.message }), sentAt: 8.64e15 }
    ])
  )
  const rows = await dump()
  expect([rows['invites'], rows['epochs']]).toEqual([[], []])
  // The last moment that a Date can hold is one; later there are none.
  expect(rows['messages']).toHaveLength(1)
})

test('the founder founds once, and nobody else does', async () => {
  const views = await bareView(ROOM)
  const create = (of: number) => ({ type: OpType.create, payload: encodeStruct('create', { ...claimOf(of), history: 1 }) })
  const { apply, dump } = views()
  await apply(toNodes([]))
  const before = await dump()
  await apply(toNodes([plain(0, create(0)), plain(1, create(1)), plain(3, create(3))]))
  const after = await dump()
  expect([after['members'], after['devices'], after['room']]).toEqual([before['members'], before['devices'], before['room']])

  // A core that is not the one after whom the room is named founds nothing, not even an empty room.
  const empty = views()
  await empty.apply([toNode(WRITERS[3]!, 1, encodeOp({ type: OpType.create, sentAt: NOW, payload: encodeStruct('create', { ...claimOf(3), history: 1 }) }))])
  expect((await empty.dump())['members']).toEqual([])
})
