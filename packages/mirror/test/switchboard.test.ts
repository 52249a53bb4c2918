import { connect } from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { CLOSED, decodeNumber, encodeNumber, FRAME, RELAY_CIRCUITS, WINDOW_BYTES } from '@covey/transport/internal'
import { connectRaw, openCircuit, type RawClient } from './raw-client.js'
import { codeOf, startRelay, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
const CHUNK = new Uint8Array(65_536)

test('a circuit carries bytes, datagrams, grants and its end', async () => {
  const relay = await startRelay(net)
  const [a, b] = await Promise.all([connectRaw(relay), connectRaw(relay)])
  a.send(FRAME.open, 1, b.publicKey)
  const offer = (await b.next(FRAME.open))!
  expect(offer.id).toBeGreaterThanOrEqual(RELAY_CIRCUITS)
  expect(Buffer.from(offer.body)).toEqual(Buffer.from(a.publicKey))
  a.send(FRAME.data, 1, Buffer.from('there'))
  b.send(FRAME.data, offer.id, Buffer.from('and back'))
  a.send(FRAME.datagram, 1, Buffer.from('quick'))
  expect(textOf(await b.next(FRAME.data))).toBe('there')
  expect(textOf(await a.next(FRAME.data))).toBe('and back')
  expect(textOf(await b.next(FRAME.datagram))).toBe('quick')
  b.send(FRAME.window, offer.id, encodeNumber(5))
  expect(decodeNumber((await a.next(FRAME.window))!.body)).toBe(5)
  a.send(FRAME.close, 1, Uint8Array.of(CLOSED.ended))
  expect((await b.next(FRAME.close))!.body[0]).toBe(CLOSED.ended)
  expect(relay.stats()).toMatchObject({ clients: 2, circuits: 0, openedCircuits: 1, violations: 0 })
})

test('who is not there, or is oneself, is absent; who leaves ends its circuits', async () => {
  const relay = await startRelay(net)
  const [a, b] = await Promise.all([connectRaw(relay), connectRaw(relay)])
  for (const key of [a.publicKey, new Uint8Array(32)]) {
    a.send(FRAME.open, 7, key)
    expect((await a.next(FRAME.close))!.body[0]).toBe(CLOSED.absent)
  }
  await openCircuit(a, b)
  b.stream.destroy()
  expect(await a.next(FRAME.close)).toMatchObject({ id: 1 })
})

test.each<[string, (a: RawClient, b: RawClient) => unknown]>([
  ['what is no frame', (a) => a.stream.write(Uint8Array.of(1))],
  ['a number of the relay', (a, b) => a.send(FRAME.open, RELAY_CIRCUITS, b.publicKey)],
  ['a number twice', (a, b) => [a.send(FRAME.open, 1, b.publicKey), a.send(FRAME.open, 1, b.publicKey)]],
  ['no key', (a) => a.send(FRAME.open, 1, new Uint8Array(31))],
  ['more than its window', async (a, b) => (await openCircuit(a, b), repeat(WINDOW_BYTES / CHUNK.length + 1, () => a.send(FRAME.data, 1, CHUNK)))],
  ['a grant for what was not sent', async (a, b) => (await openCircuit(a, b), a.send(FRAME.window, 1, encodeNumber(1)))],
  ['too large a datagram', async (a, b) => (await openCircuit(a, b), a.send(FRAME.datagram, 1, CHUNK))]
])('a device that sends %s is let go of, and the others are not', async (_, say) => {
  const relay = await startRelay(net)
  const [a, b, c, d] = await Promise.all([connectRaw(relay), connectRaw(relay), connectRaw(relay), connectRaw(relay)])
  const id = await openCircuit(c!, d!)
  await say(a!, b!)
  await once(a!.stream as never, 'close')
  expect(relay.stats()).toMatchObject({ clients: 3, violations: 1 })
  c!.send(FRAME.data, 1, Buffer.from('still here'))
  expect(await d!.next(FRAME.data)).toMatchObject({ id })
})

test('frames of a later version, and about circuits that are over, are passed over', async () => {
  const relay = await startRelay(net)
  const a = await connectRaw(relay)
  a.send(77, 1, new Uint8Array(100))
  for (const type of [FRAME.data, FRAME.window, FRAME.close, FRAME.datagram]) a.send(type, 9, new Uint8Array(4))
  a.send(FRAME.ping, 3)
  expect(await a.next(FRAME.pong)).toMatchObject({ id: 3 })
  expect(relay.stats().violations).toBe(0)
})

test('a flood of requests ends the connection', async () => {
  const relay = await startRelay(net, { limits: { maxClientBytesPerSecond: 4_096 } })
  const a = await connectRaw(relay)
  repeat(1_000, () => a.stream.destroyed || a.send(FRAME.ping, 1))
  await once(a.stream as never, 'close')
  expect(relay.stats().violations).toBe(1)
})

test.each([
  ['bytes of circuits that are not there', (a: RawClient) => repeat(10, () => a.send(FRAME.data, 9, CHUNK))],
  ['datagrams that have to be dropped', (a: RawClient) => repeat(1_000, () => a.stream.destroyed || a.send(FRAME.datagram, 1, new Uint8Array(1_000)))]
])('a flood of %s ends the connection', async (_, flood) => {
  const relay = await startRelay(net, { limits: { maxClientBytesPerSecond: 4_096 } })
  const [a, b] = await Promise.all([connectRaw(relay), connectRaw(relay)])
  await openCircuit(a, b)
  flood(a)
  await once(a.stream as never, 'close')
  expect(relay.stats()).toMatchObject({ violations: 1, clients: 1 })
})

test('limits: devices, circuits, circuits of one device', async () => {
  const relay = await startRelay(net, { limits: { maxClients: 4, maxCircuits: 3, maxClientCircuits: 2 } })
  const clients = [await connectRaw(relay), await connectRaw(relay), await connectRaw(relay), await connectRaw(relay)]
  const [a, b, c, d] = clients as [RawClient, RawClient, RawClient, RawClient]
  await openCircuit(a, b, 1)
  await openCircuit(a, c, 2)
  a.send(FRAME.open, 3, d.publicKey)
  expect(await a.next(FRAME.close)).toMatchObject({ id: 3, body: Buffer.of(CLOSED.busy) })
  await openCircuit(b, d, 1)
  c.send(FRAME.open, 1, d.publicKey)
  expect(await c.next(FRAME.close)).toMatchObject({ id: 1, body: Buffer.of(CLOSED.busy) })
  const fifth = connectRaw(relay).catch(() => undefined)
  await until(() => relay.stats().limited === 3)
  d.stream.destroy()
  await until(() => relay.stats().clients === 3)
  expect(relay.stats().circuits).toBe(2)
  void fifth
})

test('bandwidth: who sends faster than it may runs out of window, and loses nothing', async () => {
  const perSecond = 1024 * 1024
  const relay = await startRelay(net, { limits: { maxClientBytesPerSecond: perSecond } })
  const [a, b] = await Promise.all([connectRaw(relay), connectRaw(relay)])
  const id = await openCircuit(a, b)
  const startedAt = performance.now()
  // Two windows: the burst and what the first window costs are over before the second may begin.
  repeat(WINDOW_BYTES / CHUNK.length, () => a.send(FRAME.data, 1, CHUNK))
  for (let bytes = 0; bytes < WINDOW_BYTES; ) bytes += (await b.next(FRAME.data))!.body.length
  b.send(FRAME.window, id, encodeNumber(WINDOW_BYTES))
  expect(decodeNumber((await a.next(FRAME.window))!.body)).toBe(WINDOW_BYTES)
  expect(performance.now() - startedAt).toBeGreaterThan(((WINDOW_BYTES - perSecond) / perSecond) * 1_000 * 0.9)
  // Datagrams that are too many are lost.
  a.send(FRAME.data, 1, CHUNK)
  repeat(2_000, () => a.send(FRAME.datagram, 1, new Uint8Array(1_000)))
  await until(() => relay.stats().limited > 0)
  expect(relay.stats().violations).toBe(0)
})

test('what waits for slow devices is bounded', async () => {
  const relay = await startRelay(net, { limits: { maxBufferedBytes: 1024 * 1024 } })
  const [a, slow] = await Promise.all([connectRaw(relay), connectRaw(relay)])
  for (let i = 1; i <= 8; i++) await openCircuit(a, slow, i)
  // Of Node's stream, whose types are not those of a raw stream of the stack.
  ;(slow.stream.rawStream as unknown as { pause(): void }).pause()
  for (let i = 1; i <= 8; i++) repeat(WINDOW_BYTES / CHUNK.length, () => a.send(FRAME.data, i, CHUNK))
  expect((await a.next(FRAME.close))!.body[0]).toBe(CLOSED.busy)
  expect(relay.stats().bufferedBytes).toBeLessThan(2 * 1024 * 1024)
})

test('connections that are half open are let go of, and hold up nobody', { timeout: 40_000 }, async () => {
  const relay = await startRelay(net, { limits: { maxClients: 3 } })
  const silent = connect(relay.webSocketPort, '127.0.0.1')
  const url = `ws://127.0.0.1:${relay.webSocketPort}`
  const [upgraded, garbled] = [new WebSocket(url), new WebSocket(url)]
  await Promise.all([once(silent, 'connect'), once(upgraded, 'open'), once(garbled, 'open')])
  const ends = Promise.all([once(upgraded, 'close'), once(garbled, 'close')])
  garbled.send(Buffer.of(5, 0, 0, 1, 2, 3, 4, 5))
  const a = await connectRaw(relay)
  await ends
  a.send(FRAME.ping, 1)
  expect(await a.next(FRAME.pong)).not.toBe(null)
  silent.destroy()
})

test('a relay that cannot start says why, and leaves nothing behind', async () => {
  const relay = await startRelay(net)
  expect(await codeOf(() => startRelay(net, { webSocketPort: relay.webSocketPort }))).toBe('RELAY_PORT_UNAVAILABLE')
  expect(await codeOf(() => startRelay(net, { port: 70_000 }))).toBe('TypeError')
  expect(await codeOf(() => startRelay(net, { limits: { maxClients: 0 } }))).toBe('TypeError')
  expect(await codeOf(() => startRelay(net, { limits: { other: 1 } as never }))).toBe('TypeError')
  await relay.close()
  await relay.close()
})

function textOf(frame: { body: Uint8Array } | null): string {
  return Buffer.from(frame!.body).toString()
}

function repeat(times: number, action: () => unknown): void {
  for (let i = 0; i < times; i++) action()
}
