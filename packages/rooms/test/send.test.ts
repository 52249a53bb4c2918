import { expect, test } from 'vitest'
import { isCoveyError } from '@covey/core'
import { MAX_TEXT_BYTES } from '@covey/rooms'
import { allOf, codeOf, messagesOf, open, shareRoom, start, textsOf, useLocalNetwork, countingSignal } from './support.js'

const net = useLocalNetwork()

test('gives the message as everyone will see it', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [room, theirs] = await shareRoom(alice, bob)
  const before = Date.now()
  const sent = await room!.send('hello ☕')
  expect(sent).toEqual({
    id: expect.stringMatching(/^[a-z0-9]{52}$/) as string,
    author: alice.identity.identity.id,
    authorName: 'Alice',
    device: alice.identity.device.id,
    kind: 'text',
    text: 'hello ☕',
    sentAt: expect.any(Number) as number,
    isOwn: true,
    mentions: [],
    replies: 0,
    edits: 0,
    reactions: [],
    isPinned: false,
    isForwarded: false,
    state: 'pending'
  })
  expect(sent.sentAt).toBeGreaterThanOrEqual(before)
  expect(sent.sentAt).toBeLessThanOrEqual(Date.now())
  const [received] = await allOf(theirs!, ['hello ☕'])
  expect(received).toEqual({ ...sent, isOwn: false, state: 'sent' })
  expect(await theirs!.message(sent.id)).toEqual(received)
  expect(await messagesOf(room!)).toEqual([{ ...sent, state: 'sent' }])
  expect(await room!.message(sent.id)).toEqual({ ...sent, state: 'sent' })
})

test('is durable when it resolves', async () => {
  const alice = await start(net)
  const room = await alice.rooms.create({ name: 'Tea' })
  const sent = await room.send('kept')
  await alice.close()
  const again = await open(alice.person, net)
  expect(await messagesOf(again.rooms.get(room.id)!)).toEqual([{ ...sent, state: 'sent' }])
})

test('any text that is well-formed comes through as it is', async () => {
  const [room, theirs] = await shareRoom(await start(net), await start(net))
  const texts = [
    ' ',
    '\0',
    '\n\r\t',
    '😀👩‍👩‍👧‍👦',
    'e\u0301 and é',
    '\ufeffmark',
    '\u202eright to left',
    '\uffff\ufffe\ufffd',
    '"}{\\\'',
    'covey:invite/x'
  ]
  for (const text of texts) await room!.send(text)
  await allOf(theirs!, texts)
  expect(await textsOf(theirs!)).toEqual(texts)
})

test.each<[string, string, string]>([
  ['an empty text', '', 'MESSAGE_EMPTY'],
  ['10 MiB', 'x'.repeat(10 * 2 ** 20), 'MESSAGE_TOO_LARGE'],
  ['10 MiB of halves of pairs', '\ud800'.repeat(5 * 2 ** 20), 'MESSAGE_TOO_LARGE'],
  ['a byte too much', 'x'.repeat(MAX_TEXT_BYTES + 1), 'MESSAGE_TOO_LARGE'],
  ['a byte too much in few characters', '☕'.repeat(MAX_TEXT_BYTES / 3) + 'x', 'MESSAGE_TOO_LARGE'],
  ['the first half of a pair', 'a\ud83d', 'MESSAGE_MALFORMED'],
  ['the second half of a pair', '\ude00a', 'MESSAGE_MALFORMED'],
  ['a pair the wrong way round', '\ude00\ud83d', 'MESSAGE_MALFORMED']
])('%s is not sent, and says why', async (_, text, code) => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  const error: unknown = await room.send(text).catch((thrown: unknown) => thrown)
  expect(isCoveyError(error, code)).toBe(true)
  expect((error as { hint?: string }).hint).toBeTruthy()
  expect(await messagesOf(room)).toEqual([])
  await room.send('the next one')
  expect(await textsOf(room)).toEqual(['the next one'])
})

test.each([undefined, null, 5, {}, ['a'], Symbol('a'), new Uint8Array(1)])('%o is neither a text nor a content', async (text) => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  await expect(room.send(text as unknown as string)).rejects.toThrow(/^content must be a string or a Content/)
  expect(await messagesOf(room)).toEqual([])
})

test.each([['x'.repeat(MAX_TEXT_BYTES)], ['☕'.repeat(MAX_TEXT_BYTES / 3)], ['😀'.repeat(MAX_TEXT_BYTES / 4)]])(
  'exactly the most bytes come through',
  async (text) => {
    const [room, theirs] = await shareRoom(await start(net), await start(net))
    expect((await room!.send(text)).text).toBe(text)
    await allOf(theirs!, [text])
  }
)

test('1,000 texts that are sent without waiting arrive once each, in order', async () => {
  const [room, theirs] = await shareRoom(await start(net), await start(net))
  const texts = Array.from({ length: 1_000 }, (_, i) => `number ${i}`)
  const sent = await Promise.all(texts.map((text) => room!.send(text)))
  expect(new Set(sent.map(({ id }) => id)).size).toBe(1_000)
  expect(sent.map(({ text }) => text)).toEqual(texts)
  expect(await textsOf(room!)).toEqual(texts)
  await allOf(theirs!, texts)
  expect(await textsOf(theirs!)).toEqual(texts)
})

test('all members may send at once', async () => {
  const peers = [await start(net), await start(net), await start(net)]
  const rooms = await shareRoom(...peers)
  const texts = (peer: number): string[] => Array.from({ length: 30 }, (_, i) => `${peer}: ${i}`)
  await Promise.all(rooms.flatMap((room, peer) => texts(peer).map((text) => room.send(text))))
  const all = [0, 1, 2].flatMap(texts)
  for (const room of rooms) {
    const received = (await allOf(room, all)).map(({ text }) => text)
    expect(received).toHaveLength(90)
    for (const peer of [0, 1, 2]) {
      expect(received.filter((text) => text.startsWith(`${peer}:`))).toEqual(texts(peer))
    }
  }
})

test('a text that is refused between others takes none of them along', async () => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  const results = await Promise.allSettled(['a', '', 'b', '\ud800', 'c'].map((text) => room.send(text)))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
  expect(await textsOf(room)).toEqual(['a', 'b', 'c'])
})

test('after close it is refused, and what was in flight is sent or refused, never both', async () => {
  const alice = await start(net)
  const room = await alice.rooms.create({ name: 'Tea' })
  const flying = Array.from({ length: 100 }, (_, i) => room.send(`${i}`))
  const results = Promise.allSettled(flying)
  await room.close()
  expect(await codeOf(() => room.send('late'))).toBe('ROOM_CLOSED')

  const settled = await results
  const refused = settled.filter((result) => result.status === 'rejected')
  expect(refused.find(({ reason }) => !isCoveyError(reason, 'ROOM_CLOSED'))?.reason).toBeUndefined()
  const resolved = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value.text] : []))
  await alice.close()
  const kept = await textsOf((await open(alice.person, net)).rooms.get(room.id)!)
  expect(kept).toEqual(expect.arrayContaining(resolved))
  expect(new Set(kept).size).toBe(kept.length)
})

test('a signal that was aborted before sends nothing; one that has no say leaves no listener', async () => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  const reason = new Error('no')
  await expect(room.send('x', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const { signal, listenerCount } = countingSignal()
  await room.send('y', { signal })
  expect(listenerCount()).toBe(0)
  expect(await textsOf(room)).toEqual(['y'])
})

test('a signal that is aborted meanwhile stops the waiting', async () => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  const controller = new AbortController()
  const reason = new Error('enough')
  const sending = room.send('maybe', { signal: controller.signal })
  controller.abort(reason)
  await expect(sending).rejects.toBe(reason)
  await room.send('after')
  expect((await textsOf(room)).at(-1)).toBe('after')
})

test('a misspelt option is an error', async () => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  await expect(room.send('x', { singal: AbortSignal.abort() } as never)).rejects.toThrow(/did you mean "signal"/)
})
