import { expect, test } from 'vitest'
import { decodeKey, encodeUtf8, jsonCodec, type ContentCodec } from '@covey/core'
import { MAX_VALUE_BYTES, type Collection, type CollectionChange, type CollectionEntry, type Room } from '@covey/rooms'
import { MAX_COLLECTION_BYTES, MAX_ENTRIES } from '../src/internal/apply/entries.js'
import { hash, randomBytes, seal } from '../src/internal/crypto.js'
import { encodeOp, OpType } from '../src/internal/op.js'
import { bodyContext } from '../src/internal/op-log.js'
import { stateKey } from '../src/internal/slots.js'
import type { OpenRoom } from '../src/internal/open-room.js'
import { encodeStruct } from '../src/internal/structs.js'
import { appliedBy, effectOf, foundBy, hostileScene, memberOf, startDevice } from './support-apply.js'
import { codeOf, open, person, shareRoom, start, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

const text: ContentCodec<string> = jsonCodec((value) => {
  if (typeof value !== 'string') throw new TypeError('a note is a text')
  return value
})

const notes = (room: Room): Collection<string> => room.collection('notes', { codec: text })

async function all<Value>(entries: AsyncIterable<CollectionEntry<Value>>): Promise<[string, Value][]> {
  const found: [string, Value][] = []
  for await (const { key, value } of entries) found.push([key, value])
  return found
}

function comesTo(room: Room, key: string, value: string | undefined): Promise<true> {
  return until(room, async () => ((await notes(room).get(key)) === value ? true : undefined))
}

test('what one puts, all members get, in the order of the keys, and after a restart', async () => {
  const alice = await person('Alice')
  const first = await open(alice, net)
  const [room, theirs] = await shareRoom(first, await start(net, 'Bob'))
  const own = notes(room!)
  expect(await own.rules()).toBeUndefined()
  for (const key of ['b', 'ä', 'a', 'c', 'B']) await own.put(key, `of ${key}`)
  await own.put('b', 'another')
  await own.del('c')
  await own.del('not there')
  expect(await own.get('b')).toBe('another')
  expect(await own.get('c')).toBeUndefined()
  const wanted = [['B', 'of B'], ['a', 'of a'], ['b', 'another'], ['ä', 'of ä']]
  expect(await all(own.range())).toEqual(wanted)
  await comesTo(theirs!, 'c', undefined)
  await until(theirs!, async () => ((await all(notes(theirs!).range())).length === 4 ? true : undefined))
  expect(await all(notes(theirs!).range())).toEqual(wanted)
  expect(await all(notes(theirs!).range({ gte: 'a', lt: 'ä' }))).toEqual(wanted.slice(1, 3))
  expect(await all(notes(theirs!).range({ gt: 'a', lte: 'ä', reverse: true, limit: 1 }))).toEqual([wanted[3]])
  expect(await own.rules()).toMatchObject({ write: 'member', entries: 4 })
  await notes(theirs!).put('a', 'of Bob')
  await comesTo(room!, 'a', 'of Bob')
  for await (const entry of own.range({ lte: 'a', gte: 'a' })) expect(entry).toMatchObject({ key: 'a', author: (await theirs!.members()).find(({ isSelf }) => isSelf)!.id })
  // Another name is another collection.
  expect(await all(room!.collection('other', { codec: text }).range())).toEqual([])

  await first.close()
  const again = await open(alice, net)
  expect(await all(notes(again.rooms.list()[0]!).range())).toEqual(wanted.with(1, ['a', 'of Bob']))
})

test('a watch begins with what is there, and tells every key that becomes another', async () => {
  const [room, theirs] = await shareRoom(await start(net), await start(net))
  await notes(room!).put('a', '1')
  await comesTo(theirs!, 'a', '1')
  const seen: string[] = []
  const changes = notes(theirs!).watch()[Symbol.asyncIterator]() as AsyncGenerator<CollectionChange<string>>
  const next = async (): Promise<string> => {
    const { value } = (await changes.next()) as { value: CollectionChange<string> }
    return value.type === 'put' ? `${value.key}=${value.entry.value}` : `-${value.key}`
  }
  seen.push(await next())
  await notes(room!).put('b', '2')
  seen.push(await next())
  await notes(room!).put('a', '3')
  seen.push(await next())
  await room!.send('of which a watch knows nothing')
  await notes(room!).del('b')
  seen.push(await next())
  expect(seen).toEqual(['a=1', 'b=2', 'a=3', '-b'])
  const ended = changes.next()
  await theirs!.close()
  expect(await ended).toMatchObject({ done: true })
  const aborted = notes(room!).watch({ signal: AbortSignal.abort(new Error('enough')) })[Symbol.asyncIterator]()
  await expect(aborted.next()).rejects.toThrow('enough')
})

test('who may write is what the room says, whatever an app asks for', async () => {
  const [alice, bob] = [await start(net), await start(net)]
  const [room, theirs] = await shareRoom(alice, bob)
  const own = room!.collection('notes', { codec: text, write: 'moderator' })
  const other = theirs!.collection('notes', { codec: text, write: 'reader' })
  expect(await codeOf(() => other.put('a', 'x'))).toBe('COLLECTION_NOT_FOUND')
  expect(await codeOf(() => other.setWrite('reader'))).toBe('ROOM_FORBIDDEN')
  await own.put('a', '1')
  await comesTo(theirs!, 'a', '1')
  for (const call of [() => other.put('a', 'x'), () => other.del('a'), () => other.setWrite('member')]) expect(await codeOf(call)).toBe('ROOM_FORBIDDEN')
  await own.setWrite('member')
  await until(theirs!, async () => ((await other.rules())?.write === 'member' ? true : undefined))
  await other.put('a', '2')
  await comesTo(room!, 'a', '2')
  const id = bob.identity.identity.id
  await room!.mute(id)
  await until(theirs!, async () => ((await theirs!.members()).find(({ isSelf }) => isSelf)!.isMuted ? true : undefined))
  expect(await codeOf(() => other.put('a', '3'))).toBe('ROOM_FORBIDDEN')
  // Nobody takes from those above them what these have reserved for themselves.
  await room!.unmute(id)
  await room!.setRole(id, 'admin')
  await own.setWrite('owner')
  await until(theirs!, async () => ((await other.rules())?.write === 'owner' ? true : undefined))
  expect(await codeOf(() => other.setWrite('member'))).toBe('ROOM_FORBIDDEN')
  expect(await own.get('a')).toBe('2')
})

test('arguments that are none are refused, and nothing is written', async () => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  const own = notes(room)
  const calls: (() => unknown)[] = [
    () => room.collection('', { codec: text }),
    () => room.collection('n'.repeat(65), { codec: text }),
    () => room.collection('notes', {} as never),
    () => room.collection('notes', { codec: text, write: 'king' as never }),
    () => room.collection('notes', { codec: text, version: 0 }),
    () => own.put('', 'x'),
    () => own.put('\ud800', 'x'),
    () => own.put('ä'.repeat(129), 'x'),
    () => own.put('a', 1 as never),
    () => own.put('a', 'x'.repeat(MAX_VALUE_BYTES)),
    () => own.get(1 as never),
    () => own.range({ limit: -1 }),
    () => own.range({ from: 'a' } as never),
    () => own.setWrite('king' as never)
  ]
  for (const [i, call] of calls.entries()) expect([i, await codeOf(call)]).toEqual([i, 'TypeError'])
  expect(await own.rules()).toBeUndefined()
  await own.put('a'.repeat(256), 'x'.repeat(MAX_VALUE_BYTES - 2))
  expect(await own.rules()).toMatchObject({ entries: 1 })
  await room.close()
  for (const call of [() => own.get('a'), () => own.put('a', 'x'), () => all(own.range())]) expect(await codeOf(call)).toBe('ROOM_CLOSED')
})

test('devices that are apart put the same key: all end with the same, whoever came first', async () => {
  const [alice, bob, carol] = [await start(net), await start(net), await start(net)]
  const rooms = await shareRoom(alice, bob, carol)
  await notes(rooms[0]!).put('a', 'first')
  for (const room of rooms) await comesTo(room, 'a', 'first')
  // At once: nobody has read what the others write.
  await Promise.all(rooms.map((room, i) => notes(room).put('a', `of ${i}`)))
  await Promise.all(rooms.map((room, i) => notes(room).put(`own ${i}`, 'x')))
  const settled = Promise.all(rooms.map((room) => until(room, async () => ((await all(notes(room).range())).length === 4 ? true : undefined))))
  await settled
  await until(rooms[0]!, async () => {
    const values = await Promise.all(rooms.map((room) => notes(room).get('a')))
    return new Set(values).size === 1 ? true : undefined
  })
  expect(await notes(rooms[0]!).get('a')).toMatch(/^of [012]$/)
  expect(await notes(rooms[0]!).rules()).toEqual(await notes(rooms[2]!).rules())
})

test('who comes later gets what is there, also where they may not read what was said', async () => {
  const [alice, bob] = [await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea', history: 'since-join' })
  await room.send('not for newcomers')
  await notes(room).put('a', 'for all')
  const theirs = await bob.rooms.join(await room.createInvite())
  await comesTo(theirs, 'a', 'for all')
  for await (const message of theirs.messages({ limit: 1 })) expect(message.kind).toBe('unreadable')
})

test('who was removed does not read what is put from then on', async () => {
  const [one, other] = [await startDevice(net), await startDevice(net)]
  const owner = await foundBy(one)
  const removed = await memberOf(owner, other)
  const rowOf = async (key: string) => (await owner.view.entry(idOf(owner), tagOf(owner, key)))!
  await notes(owner.room).put('a', 'before')
  await comesTo(removed.room, 'a', 'before')
  const before = await rowOf('a')
  expect(await removed.reader.body(before.op, before.writer)).toBeInstanceOf(Uint8Array)
  await owner.room.remove(other.identity.identity.id)
  await notes(owner.room).put('a', 'after')
  const after = await rowOf('a')
  // They may well get hold of all of the log.
  expect(await removed.reader.body(after.op, after.writer)).toBe('unreadable')
  Object.assign(removed.view, { entry: async () => after })
  expect(await codeOf(() => notes(removed.room).get('a'))).toBe('ENTRY_UNREADABLE')
  expect(Buffer.from(after.op).includes('after')).toBe(false)
})

const idOf = ({ base }: OpenRoom, name = 'notes'): Uint8Array => hash('covey/collection/1', base.encryptionKey!, encodeUtf8(name))
const tagOf = (room: OpenRoom, key: string, name = 'notes'): Uint8Array => hash('covey/collection/key/1', room.base.encryptionKey!, idOf(room, name), encodeUtf8(key))
const nameOf = (room: OpenRoom, key: string): Uint8Array => encodeStruct('entry-name', { collection: idOf(room), key: tagOf(room, key) })

test('other software writes nowhere where its role may not, and not more than there is room for', async () => {
  const { owner, hostile } = await hostileScene(net, 'member')
  const put = (payload = nameOf(owner, 'a'), sealed = randomBytes(100)) => () => hostile.write({ type: OpType.put, payload }, sealed)
  const id = idOf(owner)
  const declare = (role: number) => () => hostile.write({ type: OpType.collection, payload: encodeStruct('collection', { id, role }) })
  const knows = async (room: OpenRoom): Promise<void> => hostile.has((await room.room.messages({ limit: 1 })[Symbol.asyncIterator]().next().then(({ value }) => decode(value!.id))))
  // There is none yet, and no member makes one.
  expect(await effectOf(owner, hostile, put())).toEqual([])
  for (const role of [1, 2, 9]) expect(await effectOf(owner, hostile, declare(role))).toEqual([])
  const own = owner.room.collection('notes', { codec: text, write: 'moderator' })
  await own.put('a', 'kept')
  await owner.room.send('so that it is known')
  await owner.room.settled()
  await owner.log.settled()
  await knows(owner)
  expect(await effectOf(owner, hostile, put())).toEqual([])
  expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.del, payload: nameOf(owner, 'a') }))).toEqual([])
  expect(await own.get('a')).toBe('kept')

  // Where it may write, it writes no more than that.
  await own.setWrite('member')
  await owner.room.send('that too')
  await owner.log.settled()
  await knows(owner)
  for (const payload of [new Uint8Array(), new Uint8Array(31), new Uint8Array(63), randomBytes(64)]) expect(await effectOf(owner, hostile, put(payload))).toEqual([])
  expect(await effectOf(owner, hostile, put(nameOf(owner, 'big'), randomBytes(80_000)))).toEqual([])
  expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.del, payload: nameOf(owner, 'b') }))).toEqual([])
  expect(await effectOf(owner, hostile, put(nameOf(owner, 'b')))).toEqual(['collection-usage', 'entries'])
  // What nobody can open, is none.
  expect(await own.get('b')).toBeUndefined()
  expect(await all(own.range())).toEqual([['a', 'kept']])

  // Sealed as it should be, and put where another key is looked for.
  const epoch = (await owner.keyring.plan()).epoch([])
  const head = (await owner.view.writer(hostile.key))!.head!
  const forge = (key: string, at: string, previous: Uint8Array): Uint8Array =>
    encodeOp({ type: OpType.put, sentAt: Date.now(), previous, epoch: epoch.id, payload: nameOf(owner, at) }, (clear) => {
      const room = owner.base.discoveryKey!
      return seal(encodeStruct('entry-body', { name: key, version: 1, value: text.encode('forged') }), bodyContext(room, hostile.key, clear), stateKey(room, epoch.key))
    })
  expect(await effectOf(owner, hostile, () => hostile.append(forge('a', 'c', head)))).toEqual(['collection-usage', 'entries'])
  expect(await own.get('c')).toBeUndefined()
  expect(await all(own.range())).toEqual([['a', 'kept']])
  // The same is read where it is in its place: it was not refused for another reason.
  const next = (await owner.view.writer(hostile.key))!.head!
  await appliedBy(owner, hostile.key, await hostile.append(forge('c', 'c', next)))
  expect(await all(own.range())).toEqual([['a', 'kept'], ['c', 'forged']])
})

test('a collection that is full says so, and lets go', async () => {
  const owner = await foundBy(await startDevice(net))
  const own = notes(owner.room)
  await own.put('a', 'x')
  await own.put('b', 'x')
  const usage = (await owner.view.collectionUsage(idOf(owner)))!
  // By the books alone: that `apply` holds to them as well, see collection-rules.test.ts.
  Object.assign(owner.view, { collectionUsage: async () => ({ ...usage, entries: MAX_ENTRIES }) })
  expect(await codeOf(() => own.put('c', 'x'))).toBe('COLLECTION_FULL')
  await own.put('a', 'y')
  await own.del('b')
  Object.assign(owner.view, { collectionUsage: async () => ({ ...usage, bytes: MAX_COLLECTION_BYTES }) })
  expect(await codeOf(() => own.put('a', 'x'))).toBe('COLLECTION_FULL')
  expect(await own.get('a')).toBe('y')
})

function decode(id: string): Uint8Array {
  return decodeKey(id, 'id')
}
