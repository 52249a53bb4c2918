import type { AutobaseNode } from 'autobase'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { createMemorySecretStore, openIdentity, type LocalIdentity } from '@covey/identity'
import { MAX_KEPT_EDITS, MAX_PINS, MAX_REACT_OP_BYTES, MAX_REACTIONS_BY_ONE } from '../src/internal/apply/messages.js'
import { makeClaim } from '../src/internal/claim.js'
import { decodeOp, encodeOp, opId, OpType, type OpHeader } from '../src/internal/op.js'
import { encodeStruct } from '../src/internal/structs.js'
import { ADMIN, MEMBER, model, MODERATOR, OWNER, READER, type Deed } from './message-model.js'
import { admission, bareView, createWriter } from './support-apply.js'
import { toHex } from './support.js'

// White box: `apply` alone, on a real view, held against a model.

const CORES = [1, 3, 4, 5].map((byte) => createWriter(new Uint8Array(32).fill(byte)))
const WRITERS = CORES.map(({ key }) => key)
const ROOM = { key: WRITERS[0]!, discoveryKey: new Uint8Array(32).fill(2) }
const ROLES = [OWNER, MODERATOR, MEMBER, MEMBER]
const NOW = Date.now()

const people: LocalIdentity[] = []
beforeAll(async () => {
  for (const _ of WRITERS) people.push(await openIdentity({ storage: createMemorySecretStore() }))
  return () => Promise.all(people.map((person) => person.close())).then(() => undefined)
})

/** A log of the room, in which each op follows the last of its writer. */
function createLog() {
  const heads = WRITERS.map((): { id: Uint8Array | null; length: number } => ({ id: null, length: 0 }))
  const nodes: AutobaseNode[] = []
  function write(by: number, header: Partial<OpHeader> & { type: number }, sealed: Uint8Array = Uint8Array.of(nodes.length % 256)): Uint8Array {
    const head = heads[by]!
    const value = encodeOp({ sentAt: NOW, previous: head.id, ...header }, () => sealed)
    head.id = opId(ROOM.discoveryKey, WRITERS[by]!, value)
    head.length++
    nodes.push({ from: { key: WRITERS[by]! }, length: head.length, value, heads: [] } as unknown as AutobaseNode)
    return head.id
  }
  const claimOf = (of: number) => makeClaim(people[of]!, ROOM.discoveryKey, CORES[of]!)
  write(0, { type: OpType.create, payload: encodeStruct('create', { ...claimOf(0), history: 1 }) })
  for (const of of [1, 2, 3]) {
    const request = { writer: WRITERS[of]!, nonce: new Uint8Array(32), ...claimOf(of) }
    write(0, { type: OpType.admit, payload: admission(request, ROLES[of]!) })
  }
  return { nodes, write }
}

/** The deeds as ops, and the id of each. */
function logOf(deeds: readonly Deed[]) {
  const { nodes, write } = createLog()
  const ids: Uint8Array[] = []
  const reactions: Uint8Array[] = []
  for (const { by, type, on, reaction, role } of deeds) {
    const target = on === undefined ? new Uint8Array(32).fill(9) : ids[on]!
    const identity = people[on ?? 0]!
    if (type === 'mute' || type === 'unmute') {
      const payload = encodeStruct('mute', { identity: identity.identity.publicKey, muted: type === 'mute' })
      ids.push(write(by, { type: OpType.mute, payload }))
    } else if (type === 'setRole') {
      const payload = encodeStruct('set-role', { identity: identity.identity.publicKey, role, seen: seenOf(nodes, on ?? 0) })
      ids.push(write(by, { type: OpType.setRole, payload }))
    } else if (type === 'unreact') {
      const payload = encodeStruct('unreact', { reaction: reactions[reaction] ?? new Uint8Array(32) })
      ids.push(write(by, { type: OpType.unreact, target, payload }))
    } else {
      ids.push(write(by, { type: OpType[type], target }))
      if (type === 'react') reactions.push(ids.at(-1)!)
    }
  }
  return { nodes, ids }
}

/** All of a person's: this is about messages, not about what somebody had not seen. */
function seenOf(nodes: readonly AutobaseNode[], person: number) {
  const own = nodes.filter(({ from }) => from.key === WRITERS[person])
  return [{ writer: WRITERS[person]!, length: own.length }]
}

const PLAIN = { on: undefined, reaction: 0, role: 0 } as const

/** Deeds about what came before: mostly about messages that are there. */
const deeds: fc.Arbitrary<Deed[]> = fc
  .array(
    fc.record({
      by: fc.nat(3),
      type: fc.constantFrom<Deed['type']>(
        ...['message', 'message', 'message', 'edit', 'edit', 'delete', 'react', 'react', 'react', 'unreact', 'unreact', 'vote', 'vote', 'closeVote'] as const,
        ...['pin', 'unpin', 'mute', 'unmute', 'setRole'] as const
      ),
      on: fc.option(fc.nat(40), { nil: undefined, freq: 12 }),
      reaction: fc.nat(8),
      role: fc.constantFrom(READER, MEMBER, MODERATOR, ADMIN)
    }),
    { minLength: 5, maxLength: 60 }
  )
  .map((all) => {
    const written: number[] = []
    return all.map((deed, op): Deed => {
      const isOfPerson = deed.type === 'mute' || deed.type === 'unmute' || deed.type === 'setRole'
      const on = isOfPerson ? 1 + (deed.on ?? 0) % 3 : written.length > 0 && deed.on !== undefined ? written[deed.on % written.length] : undefined
      if (deed.type === 'message') written.push(op)
      return { ...deed, on }
    })
  })

type Rows = Record<string, Record<string, unknown>[]>

/** What the model says, in the words of the view. */
function expected(wanted: readonly Deed[], ids: readonly Uint8Array[]): Rows {
  const { messages } = model([...ROLES], wanted)
  const orderOf = new Map(messages.map(({ op }, order) => [op, order]))
  const writer = (by: number): string => toHex(WRITERS[by]!)
  return {
    messages: messages.map(({ op, by, root, deletedBy }, order) => ({
      order,
      id: toHex(ids[op]!),
      writer: writer(by),
      thread: root === undefined ? null : toHex(ids[root]!),
      isEmpty: deletedBy !== undefined
    })),
    'message-states': messages.flatMap(({ op, edits, reactions, reacted, isPinned, votes, isClosed, deletedBy }, order) => {
      const replies = messages.filter(({ root }) => root === op).length
      const state = { order, edits: edits.length, reactions: reactions.length, reacted, replies, pinned: isPinned, votes: votes.size, closed: isClosed }
      return [{ ...state, deletedBy: deletedBy === undefined ? null : writer(deletedBy) }]
    }),
    edits: messages.flatMap(({ edits, by }, order) => edits.map((_, number) => ({ order, number, writer: writer(by) }))),
    reactions: messages.flatMap(({ reactions }, order) =>
      reactions.map(({ op, by }) => ({ order, id: toHex(ids[op]!), writer: writer(by), identity: toHex(people[by]!.identity.publicKey) }))
    ),
    votes: messages.flatMap(({ votes }, order) => [...votes].map((by) => ({ order, writer: writer(by), identity: toHex(people[by]!.identity.publicKey) }))),
    pins: messages.flatMap(({ isPinned }, order) => (isPinned ? [{ order }] : [])),
    'thread-messages': messages.flatMap(({ root }, order) => (root === undefined ? [] : [{ root: orderOf.get(root), order }]))
  }
}

/** Of the view what the model speaks of; a message of which nothing has become has no state, or one of zeros. */
function found(dump: Record<string, unknown[]>): Rows {
  const rows = dump as Rows
  const stateOf = (order: number) => rows['message-states']!.find((state) => state['order'] === order)
  const zeros = { edits: 0, reactions: 0, reacted: 0, replies: 0, pinned: false, votes: 0, closed: false, deletedBy: null }
  const picked = (name: string, ...fields: string[]) =>
    rows[name]!.map((row) => Object.fromEntries(fields.map((field) => [field, row[field]])))
  return {
    messages: rows['messages']!.map(({ order, id, writer, thread, op }) => {
      const { sealed, header } = decodeOp(new Uint8Array(Buffer.from(op as string, 'hex')))!
      return { order, id, writer, thread, isEmpty: sealed.length === 0 && header.target === null && header.sentAt === NOW }
    }),
    'message-states': rows['messages']!.map(({ order }) => ({ order, ...zeros, ...stateOf(order as number) })),
    edits: picked('edits', 'order', 'number', 'writer'),
    reactions: picked('reactions', 'order', 'id', 'writer', 'identity'),
    votes: picked('votes', 'order', 'writer', 'identity'),
    pins: picked('pins', 'order'),
    'thread-messages': picked('thread-messages', 'root', 'order')
  }
}

function sorted(rows: Rows): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(rows).map(([name, all]) => [
      name,
      all.map((row) => JSON.stringify(Object.fromEntries(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1))))).toSorted()
    ])
  )
}

test('what becomes of messages is what the model says, however the log is cut', { timeout: 120_000 }, async () => {
  const views = await bareView(ROOM)
  const seen = { deleted: 0, edited: 0, reacted: 0, pinned: 0, voted: 0, threads: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(deeds, fc.array(fc.nat(60), { maxLength: 4 }), async (wanted, cuts) => {
      const { nodes, ids } = logOf(wanted)
      const [whole, cut] = [views(), views()]
      await whole.apply(nodes)
      const rows = await whole.dump()
      const should = expected(wanted, ids)
      expect(sorted(found(rows))).toEqual(sorted(should))
      const { refused } = model([...ROLES], wanted)
      expect(rows['meta']).toMatchObject([{ skipped: refused.length, messages: should['messages']!.length }])

      // Cut anywhere, with what was applied before applied again: as after a crash.
      let start = 0
      for (const end of [...cuts.toSorted((a, b) => a - b), nodes.length]) {
        if (end <= start) continue
        await cut.apply(nodes.slice(Math.max(0, start - 3), end))
        start = end
      }
      expect(await cut.dump()).toEqual(rows)
      if (should['messages']!.some(({ isEmpty }) => isEmpty)) seen.deleted++
      if (should['edits']!.length > 0) seen.edited++
      if (should['reactions']!.length > 0) seen.reacted++
      if (should['pins']!.length > 0) seen.pinned++
      if (should['votes']!.length > 0) seen.voted++
      if (should['thread-messages']!.length > 0) seen.threads++
      if (refused.length > 0) seen.refused++
    }),
    { numRuns: 120 }
  )
  for (const [what, runs] of Object.entries(seen)) expect([what, runs > 5]).toEqual([what, true])
})

test('whichever of a deletion and what is done at once comes first, nothing of the message is left', async () => {
  const views = await bareView(ROOM)
  const others: Deed[] = [
    { ...PLAIN, by: 2, type: 'edit', on: 0 },
    { ...PLAIN, by: 3, type: 'react', on: 0 },
    { ...PLAIN, by: 1, type: 'pin', on: 0 }
  ]
  const message: Deed = { ...PLAIN, by: 2, type: 'message' }
  const deletion: Deed = { ...PLAIN, by: 1, type: 'delete', on: 0 }
  for (const order of [[...others, deletion], [deletion, ...others]]) {
    const { apply, dump } = views()
    await apply(logOf([message, ...order]).nodes)
    const rows = found(await dump())
    expect(rows['messages']).toMatchObject([{ isEmpty: true }])
    expect([rows['edits'], rows['reactions'], rows['pins']]).toEqual([[], [], []])
  }
})

test('a message takes so much of the view, and no more, whatever is done to it', async () => {
  const views = await bareView(ROOM)
  const { nodes, write } = createLog()
  const id = write(2, { type: OpType.message })
  const body = (byte: number): Uint8Array => new Uint8Array(40).fill(byte)
  for (let i = 0; i < MAX_KEPT_EDITS + 20; i++) write(2, { type: OpType.edit, target: id }, body(i))
  for (let i = 0; i < 100; i++) write(3, { type: OpType.vote, target: id })
  write(3, { type: OpType.vote, target: id }, new Uint8Array(MAX_REACT_OP_BYTES))
  for (let i = 0; i < 10_000; i++) write(3, { type: OpType.react, target: id }, new Uint8Array(40).fill(i % 256))
  write(2, { type: OpType.react, target: id }, new Uint8Array(MAX_REACT_OP_BYTES))
  const { apply, dump, view } = views()
  await apply(nodes)
  const rows = await dump()
  expect(rows['reactions']).toHaveLength(MAX_REACTIONS_BY_ONE)
  expect(rows['edits']).toHaveLength(MAX_KEPT_EDITS)
  expect(rows['votes']).toHaveLength(1)
  expect(rows['message-states']).toMatchObject([{ edits: MAX_KEPT_EDITS + 20, reactions: MAX_REACTIONS_BY_ONE, votes: 1 }])
  // Of those that are not kept it is not the newest.
  expect(toHex(decodeOp((await view.lastEdit(0))!.op)!.sealed)).toBe(toHex(body(MAX_KEPT_EDITS + 19)))
})

test('a room has so many pins, and no more', async () => {
  const views = await bareView(ROOM)
  const { nodes, write } = createLog()
  for (let i = 0; i <= MAX_PINS; i++) write(1, { type: OpType.pin, target: write(2, { type: OpType.message }) })
  const { apply, dump } = views()
  await apply(nodes)
  expect((await dump())['pins']).toHaveLength(MAX_PINS)
  expect((await dump())['meta']).toMatchObject([{ skipped: 1 }])
})
