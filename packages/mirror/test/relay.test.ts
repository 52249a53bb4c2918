import { connect, createServer, type AddressInfo, type Socket as TcpSocket } from 'node:net'
import type Hyperswarm from 'hyperswarm'
import { expect, onTestFinished, test } from 'vitest'
import { partsOf } from '@covey/transport/internal'
import { copy } from './copy.js'
import { startLiar } from './liar.js'
import { codeOf, noNetwork, pathTo, startNode, startRelay, temporaryFolder, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('two devices meet at a relay by key, and data flows both ways', async () => {
  const relay = await startRelay(net)
  const init = { relays: [relay.address], policy: 'relay-only' as const }
  const [a, b] = await Promise.all([startNode(net, init), startNode(net, init)])
  await a.connect(b.publicKey)
  await pathTo(b, a.id, 'relayed')
  expect([a.path(b.id), a.relays]).toEqual(['relayed', [relay.id]])
  expect(await copy(a, b, 200)).toBe(true)
  expect(await copy(b, a, 201)).toBe(true)
  expect(relay.stats().forwardedBytes).toBeGreaterThan(200 * 65_536 * 2)
})

test('where UDP is blocked, the relay is reached over a WebSocket', async () => {
  const relay = await startRelay(net)
  const [a, b] = await Promise.all([
    startNode(net, { relays: [relay.address], network: noNetwork() }),
    startNode(net, { relays: [relay.address] })
  ])
  const startedAt = performance.now()
  await a.connect(b.publicKey)
  expect(a.path(b.id)).toBe('relayed')
  expect(performance.now() - startedAt).toBeLessThan(3_000)
})

test('a relay is found by its key alone', async () => {
  const relay = await startRelay(net)
  await relay.announced()
  const init = { relays: [{ publicKey: relay.publicKey }], policy: 'relay-only' as const }
  const [a, b] = await Promise.all([startNode(net, init), startNode(net, init)])
  await a.connect(b.publicKey)
  expect(a.path(b.id)).toBe('relayed')
})

test('who has another relay is met at it, when it is told', async () => {
  const relay = await startRelay(net)
  const [a, b] = await Promise.all([
    startNode(net, { policy: 'relay-only' }),
    startNode(net, { relays: [relay.address], policy: 'relay-only' })
  ])
  await a.connect(b.publicKey, { relays: [relay.address] })
  expect(a.path(b.id)).toBe('relayed')
})

test('relayed at first, then direct, and nothing is lost or doubled', async () => {
  const relay = await startRelay(net)
  const init = { relays: [relay.address], policy: 'relay-only' as const }
  const [a, b] = await Promise.all([startNode(net, init), startNode(net, init)])
  await a.connect(b.publicKey)
  const copying = copy(a, b, 800)
  await until(() => relay.stats().forwardedBytes > 10_000_000)
  const direct = pathTo(a, b.id, 'direct')
  b.addContact(a.publicKey, { policy: 'auto' })
  a.addContact(b.publicKey, { policy: 'auto' })
  await direct
  expect(await copying).toBe(true)
  // The way by the relay is let go of.
  await until(() => relay.stats().circuits === 0)
})

test('direct means no relay', async () => {
  const relay = await startRelay(net)
  const [a, b] = await Promise.all([startNode(net, { relays: [relay.address] }), startNode(net, { relays: [relay.address] })])
  await until(() => relay.stats().clients === 2)
  await a.connect(b.publicKey, { policy: 'direct' })
  expect(a.path(b.id)).toBe('direct')
  expect(relay.stats().openedCircuits).toBe(0)
})

test('relay-only: no packet goes to the other, nor from it, whoever dials and in a topic too', { timeout: 40_000 }, async () => {
  const relay = await startRelay(net)
  const [hidden, open] = await Promise.all([
    startNode(net, { relays: [relay.address], policy: 'relay-only' }),
    startNode(net, { relays: [relay.address] })
  ])
  const packets = [watchPackets(hidden, open), watchPackets(open, hidden)]
  const dials = watchDials(open)
  const topic = new Uint8Array(32).fill(3)
  await Promise.all([open.join(topic).flushed(), hidden.join(topic).flushed()])
  open.addContact(hidden.publicKey)
  hidden.addContact(open.publicKey)
  await Promise.all([pathTo(open, hidden.id, 'relayed'), pathTo(hidden, open.id, 'relayed')])
  expect(await copy(hidden, open, 50)).toBe(true)
  // Dials that look for a direct path get no answer meanwhile.
  await until(() => dials() > 1)
  expect(open.path(hidden.id)).toBe('relayed')
  expect(packets.map((seen) => seen())).toEqual([0, 0])
  expect((partsOf(hidden).swarm as Hyperswarm).connections.size).toBe(0)
})

test('a direct path ends when the policy forbids it, and the session goes on', async () => {
  const relay = await startRelay(net)
  const [a, b] = await Promise.all([startNode(net, { relays: [relay.address] }), startNode(net, { relays: [relay.address] })])
  const ends: unknown[] = []
  a.on('disconnect', (event) => ends.push(event))
  const [contact] = [a.addContact(b.publicKey), b.addContact(a.publicKey)]
  await pathTo(a, b.id, 'direct')
  contact.close()
  a.addContact(b.publicKey, { policy: 'relay-only' })
  await pathTo(a, b.id, 'relayed')
  await pathTo(b, a.id, 'relayed')
  expect(await copy(a, b, 20)).toBe(true)
  expect(ends).toEqual([])
})

test('of several relays the fastest is used', async () => {
  const slow = await startLiar((frame, send) => void setTimeout(() => send(frame), 150))
  const fast = await startRelay(net)
  const init = { relays: [slow.address, fast.address], policy: 'relay-only' as const }
  const [a, b] = await Promise.all([startNode(net, init), startNode(net, init)])
  await until(() => a.relays.length === 2 && b.relays.length === 2)
  await a.connect(b.publicKey)
  expect(await copy(a, b, 100)).toBe(true)
  expect(fast.stats().forwardedBytes).toBeGreaterThan(6_000_000)
  expect(slow.switchboard.stats.forwardedBytes).toBeLessThan(10_000)
})

test('a relay that is started again has its key, and devices come back to it', { timeout: 40_000 }, async () => {
  const storage = await temporaryFolder()
  const first = await startRelay(net, { storage })
  const init = { relays: [first.address], policy: 'relay-only' as const }
  const [a, b] = await Promise.all([startNode(net, init), startNode(net, init)])
  await a.connect(b.publicKey)
  await pathTo(b, a.id, 'relayed')
  const ends: unknown[] = []
  a.on('disconnect', (event) => ends.push(event))
  await first.close()
  await pathTo(a, b.id, 'offline')
  const second = await startRelay(net, { storage, webSocketPort: first.webSocketPort })
  expect(second.id).toBe(first.id)
  await pathTo(a, b.id, 'relayed')
  expect(await copy(a, b, 20)).toBe(true)
  expect(ends).toEqual([])
})

test('where the way to the relay is dead and nobody says so, a session has another one soon', { timeout: 40_000 }, async () => {
  const relay = await startRelay(net)
  const way = await startWay(relay.webSocketPort)
  const relays = [{ publicKey: relay.publicKey, addresses: [`ws://127.0.0.1:${way.port}`] }]
  const [a, b] = await Promise.all([startNode(net, { relays, network: noNetwork() }), startNode(net, { relays: [relay.address] })])
  await a.connect(b.publicKey)
  expect(await copy(a, b, 1)).toBe(true)
  way.die()
  const startedAt = performance.now()
  expect(await copy(a, b, 2)).toBe(true)
  // The path is doubted after 1.6 s, and the relay answers late after 0.4.
  expect(performance.now() - startedAt).toBeLessThan(4_000)
  expect(a.path(b.id)).toBe('relayed')
})

/** A way to a port, on which what is connected can be had carry nothing any more. */
async function startWay(target: number): Promise<{ readonly port: number; die(): void }> {
  const open: TcpSocket[] = []
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) socket.on('error', () => socket.destroy())
    open.push(near, far)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    die() {
      for (const socket of open) socket.unpipe().pause()
    }
  }
}

test('what is malformed is refused by name', async () => {
  const key = new Uint8Array(32).fill(1)
  const attempt = (relays: unknown) => codeOf(() => startNode(net, { relays: relays as never }))
  for (const relays of ['x', [{}], [{ publicKey: key.subarray(1) }], Array.from({ length: 5 }, (_, i) => ({ publicKey: key.fill(i) }))]) {
    expect(await attempt(relays)).toBe('TypeError')
  }
  for (const address of ['http://a:1', 'ws://', 'ws://a:0', 'ws://a:65536', 'udp://name:1', 'ws://a b', 'ws://a:1/\n', 7]) {
    expect([address, await attempt([{ publicKey: key, addresses: [address] }])]).toEqual([address, 'TypeError'])
  }
  expect(await codeOf(() => startNode(net, { policy: 'relayed' as never }))).toBe('TypeError')
})

/** How often a node has dialled somebody directly since. */
function watchDials(node: Parameters<typeof partsOf>[0]): () => number {
  const { dht } = partsOf(node).swarm as Hyperswarm
  const connect = dht.connect.bind(dht)
  let count = 0
  dht.connect = (...args) => {
    count++
    return connect(...args)
  }
  return () => count
}

/** How many packets one node has sent to the ports of another since. All are on one machine, so ports tell them apart. */
function watchPackets(from: Parameters<typeof partsOf>[0], to: Parameters<typeof partsOf>[0]): () => number {
  const [ours, theirs] = [from, to].map((node) => ioOf(node))
  const ports = new Set(socketsOf(theirs!).map((socket) => socket.address().port))
  let seen = 0
  for (const socket of socketsOf(ours!)) {
    for (const name of ['send', 'trySend'] as const) {
      const send = socket[name].bind(socket)
      socket[name] = (bytes: Uint8Array, port: number, ...rest: unknown[]) => {
        if (ports.has(port)) seen++
        return send(bytes, port, ...rest)
      }
    }
  }
  return () => seen
}

interface Socket {
  address(): { port: number }
  send(bytes: Uint8Array, port: number, ...rest: unknown[]): unknown
  trySend(bytes: Uint8Array, port: number, ...rest: unknown[]): unknown
}

function ioOf(node: Parameters<typeof partsOf>[0]): { serverSocket: Socket; clientSocket: Socket } {
  return (partsOf(node).swarm as { dht: { io: { serverSocket: Socket; clientSocket: Socket } } }).dht.io
}

function socketsOf({ serverSocket, clientSocket }: { serverSocket: Socket; clientSocket: Socket }): Socket[] {
  return [...new Set([serverSocket, clientSocket])]
}
