import fc from 'fast-check'
import type Hypercore from 'hypercore'
import { expect, onTestFinished, test } from 'vitest'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import { pollContent, type Message, type Room, type SearchOptions } from '@covey/rooms'
import { randomBytes } from '../src/internal/crypto.js'
import { foundRoom } from '../src/internal/found-room.js'
import { openRoom, type OpenRoom } from '../src/internal/open-room.js'
import { normalizeText, parseQuery } from '../src/internal/search/query.js'
import type { Reader } from '../src/internal/reader.js'
import { decodeSegment, encodeSegment, SEGMENT_LINES } from '../src/internal/search/segment.js'
import { createTextIndex } from '../src/internal/search/text-index.js'
import type { RoomView } from '../src/internal/view.js'
import { startDevice, type Device } from './support-apply.js'
import { allOf, codeOf, messagesOf, open, person, shareRoom, start, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

async function found(room: Room, text: string, options?: SearchOptions): Promise<string[]> {
  return (await room.search(text, options)).map((message) => message.text)
}

test.each([
  ['tea', 'Green TEA?', true],
  ['te', 'tea', true],
  ['ea', 'tea', false],
  ['cafe', 'Ein Café', true],
  ['CAFÉ', 'cafe au lait', true],
  ['strasse', 'Große Straße', true],
  ['ΟΔΟΣ', 'οδός', true],
  ['привет', 'Привет!', true],
  ['tea green', 'green tea', true],
  ['"tea green"', 'green tea', false],
  ['"green tea"', 'green\n  tea', true],
  ['black tea', 'green tea', false],
  ['京都', '私は東京都に住んでいます', true],
  ['ไทย', 'ภาษาไทย', true],
  ['한국', '한국어', true],
  ['국어', '한국어', false],
  ['हिन', 'हिन्दी', true],
  ['ﬁre', 'fire', true],
  ['☕', 'tea☕', true],
  ['c++', 'c and c++', true],
  ['42', 'answer:42', true],
  ['i', '𝒾', true],
  ['a', '𐐷a', false],
  ['a', '𐐷 a', true]
])('%s in %s: %s', (query, text, isThere) => {
  const line = normalizeText(text)
  const parsed = parseQuery(query)!
  expect(parsed.isIn(line)).toBe(isThere)
  if (isThere) expect(parsed.mayBeIn(`before\n${line}\nafter`)).toBe(true)
})

test('no text makes the search throw, nor takes more than one line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), (text, query) => {
      const line = normalizeText(text)
      expect(line).not.toMatch(/\n/)
      expect(line.length).toBeLessThanOrEqual(8_192)
      const parsed = parseQuery(query)
      if (parsed?.isIn(line)) expect(parsed.mayBeIn(line)).toBe(true)
    }),
    { numRuns: 500 }
  )
})

test('what is said is found: newest first, of whom one asks for, page by page', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [room, theirs] = await shareRoom(alice, bob)
  for (const text of ['green tea', 'black tea', 'coffee']) await room!.send(text)
  await allOf(theirs!, ['coffee'])
  await theirs!.send('Tea, please')
  await allOf(room!, ['Tea, please'])
  for (const each of [room!, theirs!]) {
    expect(await found(each, 'tea')).toEqual(['Tea, please', 'black tea', 'green tea'])
    expect(await found(each, 'tea', { limit: 2 })).toEqual(['Tea, please', 'black tea'])
    expect(await found(each, 'tea', { from: alice.identity.identity.id })).toEqual(['black tea', 'green tea'])
  }
  const [, black] = await room!.search('tea')
  expect(await found(room!, 'tea', { before: black!.id })).toEqual(['green tea'])
  expect(await found(room!, 'nothing of that')).toEqual([])
  await room!.send(pollContent.create({ question: 'Which cake?', options: ['apple', 'plum'], isMultiple: false }))
  expect((await theirs!.search('coffee'))[0]).toMatchObject({ text: 'coffee', authorName: 'Alice', isOwn: false })
  expect(await room!.search('cake plum')).toHaveLength(1)
})

test('what was edited is found by what it says now, and what was deleted is not', async () => {
  const [room, theirs] = await shareRoom(await start(net), await start(net))
  const [one, two] = [await room!.send('green tea'), await room!.send('black tea')]
  await allOf(theirs!, ['green tea', 'black tea'])
  expect(await found(theirs!, 'tea')).toHaveLength(2)
  await room!.edit(one.id, 'green cocoa')
  await room!.delete(two.id)
  expect(await found(room!, 'tea')).toEqual([])
  expect(await found(room!, 'cocoa')).toEqual(['green cocoa'])
  await until(theirs!, async () => ((await found(theirs!, 'cocoa')).length === 1 ? true : undefined))
  await until(theirs!, async () => ((await found(theirs!, 'tea')).length === 0 ? true : undefined))
})

/** A room on a device that can be opened again, with a count of the messages that it has opened. */
async function reopenable(device: Device) {
  const namespace = randomBytes(32)
  const first = await openRoom({ ...device, namespace, encryptionKey: randomBytes(32) })
  await foundRoom(first, device.identity, { name: 'Tea', history: 'full' })
  const key = first.base.key!
  return { first, again: () => openRoom({ ...device, namespace, key }) }
}

function countReads({ reader }: OpenRoom): () => number {
  const { message } = reader
  let count = 0
  Object.assign(reader, { message: (...args: Parameters<typeof message>) => (count++, message(...args)) })
  return () => count
}

test('a restart reads nothing again but what is other, and nothing of it is in clear on the disk', async () => {
  const { first, again } = await reopenable(await startDevice(net))
  const texts = Array.from({ length: SEGMENT_LINES + 88 }, (_, i) => `message ${i} of many`)
  await Promise.all(texts.map((text) => first.room.send(text)))
  const reads = countReads(first)
  expect(await found(first.room, 'message', { limit: 1_000 })).toHaveLength(texts.length)
  // Each for the index, and for the result.
  expect(reads()).toBe(texts.length * 2)
  const before = reads()
  expect(await found(first.room, '"message 7 of"')).toEqual(['message 7 of many'])
  expect(reads() - before).toBe(1)
  const kept = (await first.base.local.getUserData('covey/room/search/2/0'))!
  expect(kept.length).toBeGreaterThan(SEGMENT_LINES * 15)
  expect(Buffer.from(kept).includes('message')).toBe(false)
  await first.room.close()

  const second = await again()
  const readsAgain = countReads(second)
  expect(await found(second.room, '"message 7 of"')).toEqual(['message 7 of many'])
  expect(readsAgain()).toBe(1)
  await second.room.close()

  // What happened while nobody searched.
  const third = await again()
  const [seventh] = (await messagesOf(third.room)).filter(({ text }) => text === 'message 7 of many')
  await third.room.edit(seventh!.id, 'a changed one')
  await third.room.delete((await messagesOf(third.room)).find(({ text }) => text === 'message 8 of many')!.id)
  await third.room.close()
  const fourth = await again()
  const readsLast = countReads(fourth)
  expect(await found(fourth.room, '"message 7 of"')).toEqual([])
  expect(await found(fourth.room, '"message 8 of"')).toEqual([])
  expect(await found(fourth.room, 'changed')).toEqual(['a changed one'])
  expect(readsLast()).toBe(3)
  await fourth.room.close()
})

test('a segment of no messages has no lines', () => {
  expect(decodeSegment(encodeSegment([]))!.lines()).toEqual([])
})

test('a view that becomes shorter while it is read leaves no segment without its messages', async () => {
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  onTestFinished(() => identity.close())
  const kept = new Map<string, Uint8Array | null>()
  const core = { getUserData: async (key: string) => kept.get(key) ?? null, setUserData: async (key: string, value: Uint8Array | null) => void kept.set(key, value) }
  const rows = Array.from({ length: SEGMENT_LINES + 2 }, (_, order) => ({ order, id: randomBytes(32), writer: new Uint8Array(32) }))
  let length = rows.length
  const view = {
    db: { core: { on: () => undefined } },
    meta: async () => ({ messages: rows.length }),
    messages: async (start: number, end: number) => rows.slice(start, Math.min(end, length)),
    messageStates: async () => []
  }
  const init = { core: core as unknown as Hypercore<unknown>, identity, view: view as unknown as RoomView, settled: async () => 0 }
  const index = createTextIndex({ ...init, reader: { message: async () => undefined } as unknown as Reader })
  const counts = async (): Promise<(number | undefined)[]> => {
    await index.sync(undefined)
    const found: (number | undefined)[] = []
    for await (const { segment } of index.segments(index.count())) found.push(segment?.lines().length)
    return found
  }
  for (const shorter of [SEGMENT_LINES, SEGMENT_LINES + 1]) {
    length = shorter
    expect(await counts()).toEqual([undefined, SEGMENT_LINES])
  }
  // Nobody says that it has grown again: it was not forgotten.
  length = rows.length
  expect(await counts()).toEqual([2, SEGMENT_LINES])
})

test('what is aborted goes on from there, and a damaged text is read anew', async () => {
  const { first } = await reopenable(await startDevice(net))
  await first.room.send('green tea')
  await expect(first.room.search('tea', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  expect(await found(first.room, 'tea')).toEqual(['green tea'])
  await first.base.local.setUserData('covey/room/search/2/0', randomBytes(100))
  await first.room.send('black tea')
  expect(await found(first.room, 'tea')).toEqual(['black tea', 'green tea'])
  await first.room.close()
  expect(await codeOf(() => first.room.search('tea'))).toBe('ROOM_CLOSED')
})

test('who comes later finds what they can read', async () => {
  const [alice, bob] = [await start(net), await start(net)]
  const room = await alice.rooms.create({ name: 'Tea', history: 'since-join' })
  await room.send('tea for the old')
  const theirs = await bob.rooms.join(await room.createInvite())
  expect(await found(theirs, 'tea')).toEqual([])
  await room.send('tea for all')
  await until(theirs, async () => ((await found(theirs, 'tea')).length > 0 ? true : undefined))
  expect(await found(theirs, 'tea')).toEqual(['tea for all'])
})

test('whatever is sent, edited, deleted and put in another order, a search finds what reading all would', async () => {
  const people = [await person('Alice'), await person('Bob')]
  const peers = [await open(people[0]!, net), await open(people[1]!, net)]
  const rooms = await shareRoom(...peers)
  const words = ['tea', 'team', 'cocoa', 'milk']
  const own: Message[][] = [[], []]
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ by: fc.nat(1), type: fc.constantFrom('send', 'send', 'edit', 'delete', 'search'), on: fc.nat(50), text: fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 3 }) }), { minLength: 4, maxLength: 10 }),
      async (deeds) => {
        for (const { by, type, on, text } of deeds) {
          const target = own[by]![on % Math.max(1, own[by]!.length)]
          if (type === 'send') own[by]!.push(await rooms[by]!.send(text.join(' ')))
          else if (type === 'search') await rooms[by]!.search(text[0]!)
          else if (target && type === 'edit') await rooms[by]!.edit(target.id, text.join(' '))
          else if (target) {
            await rooms[by]!.delete(target.id)
            own[by] = own[by]!.filter(({ id }) => id !== target.id)
          }
        }
        const together = async (): Promise<true | undefined> => {
          const [one, other] = await Promise.all(rooms.map(async (room) => (await messagesOf(room)).map(({ id, kind, text }) => ({ id, kind, text }))))
          return JSON.stringify(one) === JSON.stringify(other) ? true : undefined
        }
        await Promise.race(rooms.map((room) => until(room, together)))
        for (const room of rooms) {
          const all = (await messagesOf(room)).reverse()
          for (const word of ['tea', 'cocoa']) {
            const wanted = all.filter(({ text }) => text.split(' ').some((each) => each.startsWith(word))).map(({ id }) => id)
            expect((await room.search(word, { limit: 1_000 })).map(({ id }) => id)).toEqual(wanted)
          }
        }
      }
    ),
    { numRuns: 5 }
  )
}, 180_000)

test('arguments that are none are refused', async () => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  const calls: (() => unknown)[] = [
    () => room.search(''),
    () => room.search('" "'),
    () => room.search('x '.repeat(17)),
    () => room.search('x'.repeat(1_025)),
    () => room.search('\ud800'),
    () => room.search('x', { limit: 0 }),
    () => room.search('x', { limit: 1_001 }),
    () => room.search('x', { since: 'y' } as never)
  ]
  for (const [i, call] of calls.entries()) expect([i, await codeOf(call)]).toEqual([i, 'TypeError'])
  expect(await codeOf(() => room.search('x', { before: 'nothing' }))).toBe('MESSAGE_NOT_FOUND')
  expect(await room.search('x')).toEqual([])
})
