import { expect, test } from 'vitest'
import { decodeFrame, encodeFrame, encodeNumber, FRAME, RELAY_CIRCUITS } from '@covey/transport/internal'
import { copy } from './copy.js'
import { startLiar, type Lie } from './liar.js'
import { codeOf, pathTo, startNode, startRelay, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
const isData = (frame: Uint8Array): boolean => frame[0] === FRAME.data

/** Lies about what follows the handshake: a relay can tell it from its length and place. */
function afterHandshake(lie: Lie): Lie {
  let count = 0
  return (frame, send) => (isData(frame) && ++count > 12 ? lie(frame, send) : send(frame))
}

const LIES: [string, Lie][] = [
  ['drops what follows the handshake', afterHandshake(() => undefined)],
  ['drops everything', (frame, send) => void (isData(frame) || send(frame))],
  ['changes what follows the handshake', afterHandshake((frame, send) => (frame.fill(7, frame.length - 1), send(frame)))],
  ['delays everything by a second', (frame, send) => void setTimeout(() => send(frame), 1_000)],
  ['repeats frames', afterHandshake((frame, send) => [send(frame), send(frame.slice())])],
  ['names another device', (frame, send) => (frame[0] === FRAME.open && frame.fill(9, 5), send(frame))],
  ['grants what was never sent', (frame, send) => (isData(frame) && send(encodeFrame(FRAME.window, decodeFrame(frame)!.id, encodeNumber(1e9))), send(frame))],
  ['closes every circuit', (frame, send) => (isData(frame) ? send(encodeFrame(FRAME.close, decodeFrame(frame)!.id, Uint8Array.of(250))) : send(frame))]
]

test.each(LIES)('a relay that %s: an honest one does', { timeout: 60_000 }, async (_, lie) => {
  const [liar, honest] = await Promise.all([startLiar(lie), startRelay(net)])
  const init = { relays: [liar.address, honest.address], policy: 'relay-only' as const }
  const [a, b] = await Promise.all([startNode(net, init), startNode(net, init)])
  await until(() => a.relays.length === 2 && b.relays.length === 2)
  await a.connect(b.publicKey)
  expect(await copy(a, b, 40)).toBe(true)
})

test.each(LIES)('a relay that %s: a direct path is not affected', { timeout: 60_000 }, async (_, lie) => {
  const liar = await startLiar(lie)
  const [a, b] = await Promise.all([startNode(net, { relays: [liar.address] }), startNode(net, { relays: [liar.address] })])
  a.addContact(b.publicKey)
  await pathTo(a, b.id, 'direct')
  expect(await copy(b, a, 40)).toBe(true)
})

test('a relay that leads to another device: nobody is taken for somebody else', async () => {
  const liar = await startLiar()
  const init = { relays: [liar.address], policy: 'relay-only' as const }
  const [a, b] = await Promise.all([startNode(net, init), startNode(net, init)])
  const met: string[] = []
  for (const node of [a, b]) node.on('connect', ({ peer }) => met.push(peer))
  await until(() => liar.switchboard.stats.clients === 2)
  // Whomever the one asks for, it is led to the other.
  const stream = liar.streams.find(({ remotePublicKey }) => Buffer.from(a.publicKey).equals(remotePublicKey))!
  const emit = stream.emit.bind(stream) as (event: string, bytes: Uint8Array) => boolean
  stream.emit = ((event: string, bytes: Uint8Array) => {
    if (event === 'data' && bytes[0] === FRAME.open) bytes.set(b.publicKey, 5)
    return emit(event, bytes)
  }) as never
  const absent = new Uint8Array(32).fill(4)
  await expect(a.connect(absent, { signal: AbortSignal.timeout(2_000) })).rejects.toThrow(/timeout/)
  expect(liar.switchboard.stats.openedCircuits).toBeGreaterThan(0)
  expect(met).toEqual([])
})

test.each<[string, (i: number) => Uint8Array]>([
  ['is no frame', () => Uint8Array.of(1, 2)],
  ['opens a circuit under a number that is not its own', () => encodeFrame(FRAME.open, 5, new Uint8Array(32))],
  ['opens one without a key', () => encodeFrame(FRAME.open, RELAY_CIRCUITS + 5)],
  ['opens circuits without end', (i) => encodeFrame(FRAME.open, RELAY_CIRCUITS + i, new Uint8Array(32).fill(i))],
  ['sends more than was granted', (i) => (i === 0 ? encodeFrame(FRAME.open, RELAY_CIRCUITS, new Uint8Array(32)) : encodeFrame(FRAME.data, RELAY_CIRCUITS, new Uint8Array(60_000)))],
  ['is of a later version', () => encodeFrame(99, 1, new Uint8Array(9))],
  ['is about no circuit', () => encodeFrame(FRAME.data, 77, new Uint8Array(9))]
])('what a relay says that %s harms nothing', async (_, frame) => {
  const liar = await startLiar()
  const [a, b] = await Promise.all([startNode(net, { relays: [liar.address] }), startNode(net)])
  await until(() => liar.switchboard.stats.clients === 1)
  for (let i = 0; i < 1_000; i++) if (!liar.streams[0]!.destroying) liar.streams[0]!.write(frame(i))
  await a.connect(b.publicKey)
  expect(await copy(a, b, 10)).toBe(true)
})

test('a relay that offers devices without end does not keep those of others away', { timeout: 40_000 }, async () => {
  const [liar, honest] = await Promise.all([startLiar(), startRelay(net)])
  const [a, b] = await Promise.all([
    startNode(net, { relays: [liar.address, honest.address], policy: 'relay-only' }),
    startNode(net, { relays: [honest.address], policy: 'relay-only' })
  ])
  await until(() => a.relays.length === 2 && b.relays.length === 1)
  for (let i = 0; i < 200; i++) liar.streams[0]!.write(encodeFrame(FRAME.open, RELAY_CIRCUITS + i, new Uint8Array(32).fill(i)))
  const startedAt = performance.now()
  await b.connect(a.publicKey)
  // Those that were offered first are waited for 10 s.
  expect(performance.now() - startedAt).toBeLessThan(5_000)
})

test('all relays are dead, one has another key: direct works, and relay-only says that there is no way', { timeout: 60_000 }, async () => {
  const liar = await startLiar()
  const nobody = new Uint8Array(32).fill(5)
  const relays = [
    { publicKey: nobody, addresses: liar.address.addresses },
    { publicKey: new Uint8Array(32).fill(6), addresses: ['ws://127.0.0.1:9', 'udp://127.0.0.1:9'] }
  ]
  const [a, b] = await Promise.all([startNode(net, { relays }), startNode(net, { relays })])
  await a.connect(b.publicKey)
  expect(a.path(b.id)).toBe('direct')
  expect(a.relays).toEqual([])
  const c = await startNode(net, { relays, policy: 'relay-only' })
  expect(await codeOf(() => c.connect(b.publicKey))).toBe('PEER_UNREACHABLE')
  expect(c.path(b.id)).toBe('offline')
})
