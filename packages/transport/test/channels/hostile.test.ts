import { expect, test } from 'vitest'
import { defineChannel } from '@covey/transport'
import { bytes, isPending, take, text } from './support.js'
import { CLOSE, CREDIT, DATA, HELLO, meet, type HostilePeer } from './hostile-peer.js'

const KIB = 1024

test('a peer that keeps the rules is heard: what follows fails for its own reason', async () => {
  const peer = await meet(text)
  expect(await peer.open()).toBe(true)
  peer.hello()
  peer.say(DATA, Buffer.from('hello'))
  expect(await take(peer.channel.messages(), 1)).toEqual([{ peer: peer.id, message: 'hello' }])
  expect(peer.errors).toEqual([])
})

test.each<[string, string, (peer: HostilePeer<Uint8Array>) => void]>([
  ['more than there is room for', 'CHANNEL_FLOODED', (peer) => repeat(17, () => peer.say(DATA, new Uint8Array(64 * KIB)))],
  ['more empty messages than there is room for', 'CHANNEL_FLOODED', (peer) => repeat(16_385, () => peer.say(DATA, new Uint8Array(0)))],
  ['a message that is too large', 'MESSAGE_TOO_LARGE', (peer) => peer.say(DATA, new Uint8Array(64 * KIB + 1))],
  ['a frame of 8 MiB', 'MESSAGE_TOO_LARGE', (peer) => peer.say(DATA, new Uint8Array(8 * KIB * KIB))],
  ['a second hello', 'MESSAGE_INVALID', (peer) => peer.hello()],
  ['credit that is no number', 'MESSAGE_INVALID', (peer) => peer.say(CREDIT, Uint8Array.of(0xfd, 1))],
  ['credit without end', 'MESSAGE_INVALID', (peer) => peer.say(CREDIT, Uint8Array.of(0xff, 0, 0, 0, 0, 0, 0, 1, 0))],
  ['credit without end, bit by bit', 'MESSAGE_INVALID', (peer) => repeat(17, () => peer.say(CREDIT, Uint8Array.of(0xfe, 0, 0, 16, 0)))]
])('%s closes the channel of that peer, with a code, and nothing else', async (_, code, misbehave) => {
  const peer = await meet(bytes)
  const other = peer.channels.create(defineChannel({ name: 'test/other', version: 1 }), { peers: 'any' })
  await peer.open()
  peer.hello()
  await peer.settled()
  misbehave(peer)
  while (peer.errors.length === 0) await peer.settled()
  expect(peer.errors.map((error) => error.code)).toEqual([code])
  expect(peer.closes).toEqual([{ code, isRemote: false }])
  expect(peer.channel.peers).toEqual([])
  // The peer is told, and not let in again until it is allowed; the session goes on.
  expect(peer.heard[CLOSE]).toHaveLength(1)
  expect(await peer.open()).toBe(false)
  expect(peer.near.destroying).toBe(false)
  peer.channel.allow(peer.id)
  expect(await peer.open()).toBe(true)
  expect(other.peers).toEqual([])
})

test.each<[string, (peer: HostilePeer<Uint8Array>) => void]>([
  ['a message before the hello', (peer) => peer.say(DATA, Uint8Array.of(1))],
  ['a hello that ends early', (peer) => peer.say(HELLO, Uint8Array.of(0xfe, 1))],
  ['a hello that is too long', (peer) => peer.say(HELLO, new Uint8Array(300))]
])('%s: never open, and turned away', async (_, misbehave) => {
  const peer = await meet(bytes)
  await peer.open()
  misbehave(peer)
  while (peer.errors.length === 0) await peer.settled()
  expect(peer.errors.map((error) => error.code)).toEqual(['MESSAGE_INVALID'])
  expect([peer.channel.peers, peer.closes]).toEqual([[], []])
  expect(await peer.open()).toBe(false)
})

test.each<[string, (bytes: Uint8Array) => unknown]>([
  ['throws', () => { throw new TypeError('no such kind') }],
  ['returns nothing', () => undefined],
  ['returns a promise', async () => { throw new Error('later') }]
])('a codec that %s for a message closes the channel of that peer, and the others read on', async (_, decode) => {
  const definition = defineChannel<string>({
    name: 'test/codec',
    version: 1,
    codec: { encode: () => new Uint8Array(0), decode: (message) => (message[0] === 0 ? (decode(message) as string) : 'fine') }
  })
  const peer = await meet(definition)
  await peer.open()
  peer.hello()
  for (const kind of [1, 0, 1, 1]) peer.say(DATA, Uint8Array.of(kind))
  const read = peer.channel.messages()[Symbol.asyncIterator]()
  expect(await read.next()).toMatchObject({ value: { message: 'fine' } })
  const next = read.next()
  while (peer.errors.length === 0) await peer.settled()
  expect(peer.errors[0]).toMatchObject({ code: 'MESSAGE_INVALID', cause: expect.any(Error) })
  expect(peer.closes).toEqual([{ code: 'MESSAGE_INVALID', isRemote: false }])
  // What it sent after that is not shown any more.
  expect(await isPending(next)).toBe(true)
  await peer.channel.close()
  expect(await next).toEqual({ done: true, value: undefined })
})

test('opening it anew gives a peer no more room', async () => {
  const peer = await meet(bytes)
  const flood = async (): Promise<void> => {
    expect(await peer.open()).toBe(true)
    peer.hello()
    await peer.settled()
    const credit = peer.heard[CREDIT]!.length
    for (let i = 0; i < (credit > flooded ? 15 : 0); i++) peer.say(DATA, new Uint8Array(64 * KIB))
    flooded = credit
    await peer.settled()
    peer.hangUp()
    await peer.settled()
  }
  let flooded = 0
  for (let i = 0; i < 8; i++) await flood()
  // Credit was given once; the other seven times the node waited for its reader.
  expect(peer.heard[CREDIT]).toHaveLength(1)
  expect(peer.errors).toEqual([])
  expect(await take(peer.channel.messages(), 15)).toHaveLength(15)
})

test('a peer that opens and closes without end is turned away', async () => {
  const peer = await meet(bytes)
  for (let i = 0; i < 1_100 && peer.errors.length === 0; i++) {
    if (await peer.open()) peer.hangUp()
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(peer.errors.map((error) => error.code)).toEqual(['CHANNEL_FLOODED'])
  expect(await peer.open()).toBe(false)
})

test('a peer that sends faster than it may waits for its credit', { timeout: 20_000 }, async () => {
  const peer = await meet(bytes, { maxMessagesPerSecond: 4_000 })
  await peer.open()
  peer.hello()
  await peer.settled()
  let sent = 0
  let credit = 0
  const startedAt = Date.now()
  const reading = take(peer.channel.messages(), 24_000)
  while (sent < 24_000) {
    credit += peer.heard[CREDIT]!.splice(0).reduce((sum, message) => sum + Buffer.from(message).readUInt32LE(1), 0)
    if (credit < 64) await peer.answered()
    for (; credit >= 64 && sent < 24_000; credit -= 64, sent++) peer.say(DATA, new Uint8Array(0))
  }
  await reading
  // 4,000 at once and a window of 16,384 beyond; the rest has to wait until that is paid for.
  expect(Date.now() - startedAt).toBeGreaterThan(2_500)
  expect(peer.errors).toEqual([])
})

test('of a peer that is gone nothing is kept but what it sent', async () => {
  const peer = await meet(text)
  await peer.open()
  peer.hello()
  peer.say(DATA, Buffer.from('last words'))
  await peer.settled()
  peer.channels.detach(peer.near, peer.id)
  expect(peer.closes).toEqual([{ code: 'PEER_DISCONNECTED', isRemote: false }])
  expect(await take(peer.channel.messages(), 1)).toMatchObject([{ message: 'last words' }])
})

/** Peers who have filled the inbox of a channel together, and one who comes then. */
async function crowd() {
  const first = await meet(bytes)
  const flooders = [first]
  for (let i = 1; i < 34; i++) flooders.push(await meet(bytes, {}, { ...first, id: `flooder ${i}` }))
  for (const peer of flooders) {
    await peer.open()
    peer.hello()
    for (let i = 0; i < 15; i++) peer.say(DATA, new Uint8Array(64 * KIB))
  }
  for (const peer of flooders) {
    await peer.settled()
    peer.say(DATA, new Uint8Array(60 * KIB))
  }
  for (const peer of flooders) await peer.settled()
  const newcomer = await meet(bytes, {}, { ...first, id: 'newcomer' })
  await newcomer.open()
  newcomer.hello()
  await newcomer.settled()
  expect([newcomer.heard[HELLO]!.length, newcomer.heard[CREDIT]!.length]).toEqual([1, 0])
  return { first, flooders, newcomer }
}

test('many peers together fill no more than one that is full: newcomers wait for the reader', { timeout: 30_000 }, async () => {
  const { first, newcomer } = await crowd()
  for await (const _ of first.channel.messages()) if (newcomer.heard[CREDIT]!.length > 0) break
  expect(newcomer.heard[CREDIT]).toHaveLength(1)
})

test('where those who filled it are turned away, the others may send', { timeout: 30_000 }, async () => {
  const { flooders, newcomer } = await crowd()
  for (const peer of flooders.slice(0, 4)) {
    peer.say(DATA, new Uint8Array(64 * KIB + 1))
    await peer.settled()
  }
  await newcomer.settled()
  expect(newcomer.heard[CREDIT]).toHaveLength(1)
})

test('a peer may lie about what it takes, and harms nobody but itself', async () => {
  const peer = await meet(bytes)
  await peer.open()
  peer.hello(0)
  await peer.channel.opened(peer.id)
  await expect(peer.channel.send(peer.id, Uint8Array.of(1))).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
  const waits = peer.channel.send(peer.id, new Uint8Array(0), { signal: AbortSignal.timeout(300) })
  expect(await isPending(waits, 100)).toBe(true)
  await expect(waits).rejects.toThrow(/timeout/)
})

function repeat(count: number, work: () => void): void {
  for (let i = 0; i < count; i++) work()
}
