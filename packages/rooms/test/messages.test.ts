import { expect, test } from 'vitest'
import { encodeZ32, isCoveyError } from '@covey/core'
import type { Message, MessagesOptions, Room } from '@covey/rooms'
import {
  allOf,
  codeOf,
  countingSignal,
  messagesOf,
  open,
  person,
  shareRoom,
  start,
  textsOf,
  until,
  useLocalNetwork
} from './support.js'

const net = useLocalNetwork()
const island = useLocalNetwork()

/** A room of its own with the texts '0' to '9', and their ids. */
async function tenMessages(): Promise<{ room: Room; ids: string[] }> {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  const sent = await Promise.all(Array.from({ length: 10 }, (_, i) => room.send(`${i}`)))
  return { room, ids: sent.map(({ id }) => id) }
}

/** The next so many texts of an iteration. */
async function take(messages: AsyncIterator<Message>, count: number): Promise<string[]> {
  const texts: string[] = []
  while (texts.length < count) {
    const { value, done } = await messages.next()
    if (done) break
    texts.push((value as Message).text)
  }
  return texts
}

function live(room: Room, options: MessagesOptions = {}): AsyncIterator<Message> {
  return room.messages({ ...options, live: true })[Symbol.asyncIterator]()
}

test('since, before and limit choose from the past', async () => {
  const { room, ids } = await tenMessages()
  const texts = (options: MessagesOptions) => textsOf(room, options).then((found) => found.join(''))
  expect(await texts({})).toBe('0123456789')
  expect(await texts({ limit: 3 })).toBe('789')
  expect(await texts({ limit: 10 })).toBe('0123456789')
  expect(await texts({ limit: 1_000 })).toBe('0123456789')
  expect(await texts({ since: ids[6]! })).toBe('789')
  expect(await texts({ since: ids[9]! })).toBe('')
  expect(await texts({ since: ids[2]!, limit: 3 })).toBe('345')
  expect(await texts({ since: ids[7]!, limit: 5 })).toBe('89')
  expect(await texts({ before: ids[3]! })).toBe('012')
  expect(await texts({ before: ids[0]! })).toBe('')
  expect(await texts({ before: ids[8]!, limit: 2 })).toBe('67')
  expect(await texts({ before: ids[1]!, limit: 5 })).toBe('0')
  expect(await texts({ since: ids[2]!, before: ids[6]! })).toBe('345')
  expect(await texts({ since: ids[2]!, before: ids[6]!, limit: 2 })).toBe('34')
  expect(await texts({ since: ids[6]!, before: ids[2]! })).toBe('')
  expect(await texts({ since: ids[4]!, before: ids[4]! })).toBe('')
})

test('one iterable can be gone through more than once', async () => {
  const { room } = await tenMessages()
  const messages = room.messages({ limit: 2 })
  const once: string[] = []
  for await (const { text } of messages) once.push(text)
  await room.send('10')
  const twice: string[] = []
  for await (const { text } of messages) twice.push(text)
  expect([once, twice]).toEqual([['8', '9'], ['9', '10']])
})

test('the past ends where it was when it was asked for', async () => {
  const { room } = await tenMessages()
  const messages = room.messages()[Symbol.asyncIterator]()
  expect(await take(messages, 1)).toEqual(['0'])
  await room.send('10')
  expect(await take(messages, 100)).toHaveLength(9)
})

test('a long past comes whole', async () => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  const texts = Array.from({ length: 300 }, (_, i) => `${i}`)
  await Promise.all(texts.map((text) => room.send(text)))
  expect(await textsOf(room)).toEqual(texts)
  expect(await textsOf(room, { limit: 130 })).toEqual(texts.slice(170))
})

test('live goes on with what comes', async () => {
  const { room, ids } = await tenMessages()
  const [all, some, last] = [live(room), live(room, { since: ids[7]! }), live(room, { limit: 1 })]
  expect(await take(all, 10)).toHaveLength(10)
  const waiting = [take(all, 2), take(some, 4), take(last, 3)]
  await room.send('10')
  await room.send('11')
  expect(await Promise.all(waiting)).toEqual([['10', '11'], ['8', '9', '10', '11'], ['9', '10', '11']])
  await Promise.all([all, some, last].map((messages) => messages.return!()))
})

test('live and since with a limit would leave a gap, and are refused', async () => {
  const { room, ids } = await tenMessages()
  expect(() => room.messages({ live: true, since: ids[1]!, limit: 2 })).toThrow(/options\.limit/)
})

test('live gives what other peers send', async () => {
  const [room, theirs] = await shareRoom(await start(net, 'Alice'), await start(net, 'Bob'))
  const messages = live(room!)
  const taking = take(messages, 3)
  for (const text of ['a', 'b', 'c']) await theirs!.send(text)
  expect(await taking).toEqual(['a', 'b', 'c'])
  await messages.return!()
})

test.each(['since', 'before'] as const)('%s: a message that is not there', async (option) => {
  const { room, ids } = await tenMessages()
  const other = await tenMessages()
  const strangers = [other.ids[0]!, encodeZ32(new Uint8Array(32)), '', 'x', 'not a message', `${ids[0]}y`, ids[0]!.slice(1)]
  for (const id of strangers) {
    expect([id, await codeOf(() => textsOf(room, { [option]: id }))]).toEqual([id, 'MESSAGE_NOT_FOUND'])
  }
  expect(await room.message(other.ids[0]!)).toBeUndefined()
  expect(await room.message('')).toBeUndefined()
})

test.each<[string, object, RegExp]>([
  ['a typo', { lmit: 5 }, /did you mean "limit"/],
  ['no message at all', { limit: 0 }, /options\.limit/],
  ['half a message', { limit: 1.5 }, /options\.limit/],
  ['live before', { live: true, before: 'x' }, /options\.live and options\.before/],
  ['a signal that is none', { signal: {} }, /options\.signal/],
  ['an id that is no text', { since: 5 }, /options\.since/],
  ['live that is no yes or no', { live: 'yes' }, /options\.live/]
])('%s is refused by name', async (_, options, message) => {
  const { room } = await tenMessages()
  const iterate = async (): Promise<unknown> => textsOf(room, options as MessagesOptions)
  await expect(iterate()).rejects.toThrow(TypeError)
  await expect(iterate()).rejects.toThrow(message)
})

test('a signal ends the iteration with its reason, and hears no more', async () => {
  const { room } = await tenMessages()
  const reason = new Error('enough')
  await expect(textsOf(room, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)

  const { controller, signal, listenerCount } = countingSignal()
  const messages = live(room, { signal })
  expect(await take(messages, 10)).toHaveLength(10)
  const waiting = messages.next()
  expect(listenerCount()).toBe(1)
  controller.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  expect(listenerCount()).toBe(0)
  expect(await messages.next()).toEqual({ value: undefined, done: true })
})

test('an early break leaves no listener', async () => {
  const { room } = await tenMessages()
  const { signal, listenerCount } = countingSignal()
  for await (const { text } of room.messages({ live: true, signal })) if (text === '3') break
  expect(listenerCount()).toBe(0)
  for await (const _ of room.messages({ signal })) break
  expect(listenerCount()).toBe(0)
  await textsOf(room, { signal })
  expect(listenerCount()).toBe(0)
})

test('a live iteration ends when the room closes', async () => {
  const { room } = await tenMessages()
  const [waiting, unstarted, between] = [live(room), live(room), live(room)]
  expect(await take(waiting, 10)).toHaveLength(10)
  expect(await take(between, 3)).toHaveLength(3)
  const next = waiting.next()
  await room.close()
  expect(await next).toEqual({ value: undefined, done: true })
  expect(await between.next()).toEqual({ value: undefined, done: true })
  expect(await codeOf(() => unstarted.next())).toBe('ROOM_CLOSED')
})

test('an iteration that reads while the room closes ends or says so', async () => {
  const { room } = await tenMessages()
  const reading = Array.from({ length: 20 }, (_, i) => room.messages({ live: i % 2 === 0 })[Symbol.asyncIterator]().next())
  const [settled] = await Promise.all([Promise.allSettled(reading), room.close()])
  const reasons = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  expect(reasons.filter((reason) => !isCoveyError(reason, 'ROOM_CLOSED'))).toEqual([])
})

test('a live iteration gives each message once while the order changes under it', async () => {
  const [alice, bob, carol] = [await start(net, 'Alice'), await start(net, 'Bob'), await person('Carol')]
  const carolBefore = await open(carol, net)
  const [room] = await shareRoom(alice, bob, carolBefore)
  const id = room!.id
  // Without the owner, whose device indexes, nothing is final: the two may be put in any order.
  await until(bob.rooms.get(id)!, async () => ((await bob.rooms.get(id)!.members()).length === 3 ? true : undefined))
  await Promise.all([alice.close(), carolBefore.close()])
  const bobs = bob.rooms.get(id)!

  const away = await open(carol, island)
  const carols = away.rooms.get(id)!
  const texts = (who: string): string[] => Array.from({ length: 70 }, (_, i) => `${who} ${i}`)
  for (const text of texts('Carol')) await carols.send(text)
  const seenByBob = live(bobs)
  for (const text of texts('Bob')) await bobs.send(text)
  const received = await take(seenByBob, 70)
  await away.close()

  // What is her own she reads before she meets anybody.
  await bob.node.suspend()
  const back = await open(carol, net)
  const seenByCarol = live(back.rooms.get(id)!)
  const own = await take(seenByCarol, 70)
  await bob.node.resume()
  const receivedByCarol = take(seenByCarol, 70).then((others) => [...own, ...others])
  received.push(...(await take(seenByBob, 70)))
  const end = await bobs.send('end')
  received.push(...(await take(seenByBob, 1)))
  expect(received.at(-1)).toBe('end')
  expect(received.toSorted()).toEqual([...texts('Bob'), ...texts('Carol'), 'end'].toSorted())
  const all = await receivedByCarol
  expect(await take(seenByCarol, 1)).toEqual(['end'])
  expect(all.toSorted()).toEqual([...texts('Bob'), ...texts('Carol')].toSorted())

  // The room has one order, which is not the one in which both have seen it come.
  const [order, hers] = (await Promise.all([bobs, back.rooms.get(id)!].map((room) => allOf(room, ['end'])))).map((messages) => messages.map(({ text }) => text))
  expect(hers).toEqual(order)
  expect([received, [...all, 'end']].filter((texts) => texts.join() !== order!.join())).not.toEqual([])
  expect(await messagesOf(bobs, { since: end.id })).toEqual([])
  await Promise.all([seenByBob.return!(), seenByCarol.return!()])
})

test('a message is settled when a quorum of the indexers has signed its place, and not before', async () => {
  const [alice, bob] = [await start(net), await start(net)]
  const [owned, joined] = (await shareRoom(alice, bob)) as [Room, Room]
  expect(await owned.settled()).toBe(undefined)
  const { id } = await owned.send('signed by its only indexer')
  const isSettled = (room: Room) => until(room, async () => ((await room.settled()) === id ? true : undefined))
  await Promise.all([isSettled(owned), isSettled(joined)])

  await alice.close()
  await joined.send('written while no indexer is there')
  expect(await joined.settled()).toBe(id)
  await joined.close()
  expect(await codeOf(() => joined.settled())).toBe('ROOM_CLOSED')
})

test('what acts on messages can have each when it is sent, and not before', async () => {
  const [alice, bob] = [await start(net), await start(net)]
  const [owned, joined] = (await shareRoom(alice, bob)) as [Room, Room]
  const states: string[] = []
  const reading = (async () => {
    for await (const { text, state } of joined.messages({ live: true, pending: false })) if (states.push(`${text} ${state}`) === 5) return
  })()
  await Promise.all(['1', '2', '3', '4', '5'].map((text) => owned.send(text)))
  await reading
  expect(states).toEqual(['1 sent', '2 sent', '3 sent', '4 sent', '5 sent'])
  expect(() => joined.messages({ pending: 1 as never })).toThrow('options.pending must be true or false')
})
