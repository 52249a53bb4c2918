import { once } from 'node:events'
import { connect as connectSocket, createServer, type AddressInfo, type Socket } from 'node:net'
import NoiseSecretStream from '@hyperswarm/secret-stream'
import { expect, onTestFinished, test, vi } from 'vitest'
import { HANDSHAKE_TIMEOUT_MS, MAX_UNPROVEN, TICKET_BYTES } from '../../src/internal/tcp/constants.js'
import type { TcpOffer } from '../../src/internal/tcp/offer.js'
import { Tcp } from '../../src/internal/tcp/tcp.js'

const [us, peer, stranger] = [1, 2, 3].map((seed) => NoiseSecretStream.keyPair(new Uint8Array(32).fill(seed))) as [KeyPair, KeyPair, KeyPair]
type KeyPair = ReturnType<typeof NoiseSecretStream.keyPair>

test('who was offered it connects, both keys are proven, and bytes go both ways', async () => {
  const { tcp: near, opened } = start(us)
  const { tcp: far } = start(peer)
  const stream = far.dial(us.publicKey, '127.0.0.1', await near.offer(peer.publicKey))
  expect(await stream.opened).toBe(true)
  const other = await opened.next()
  expect([new Uint8Array(other.remotePublicKey), new Uint8Array(stream.remotePublicKey)]).toEqual([new Uint8Array(peer.publicKey), new Uint8Array(us.publicKey)])
  other.on('data', (bytes) => void other.write(bytes))
  const large = Buffer.alloc(3_000_000, 7)
  stream.write(large)
  expect(Buffer.from((await once(stream as never, 'data'))[0]).equals(large)).toBe(true)
})

test('who has no ticket, another, or half of one, gets no answer', async () => {
  const { tcp } = start(us)
  const { port, ticket } = await tcp.offer(peer.publicKey)
  for (const said of [Buffer.alloc(TICKET_BYTES, 9), Buffer.alloc(1_000, 9), ticket.subarray(0, TICKET_BYTES - 1)]) {
    const socket = await connectTo(port)
    const heard = hear(socket)
    socket.write(said)
    if (said.length < TICKET_BYTES) socket.end()
    expect(await heard).toBe(0)
  }
})

test('a ticket is taken once', async () => {
  const { tcp } = start(us)
  const offer = await tcp.offer(peer.publicKey)
  expect(await start(peer).tcp.dial(us.publicKey, '127.0.0.1', offer).opened).toBe(true)
  expect(await start(peer).tcp.dial(us.publicKey, '127.0.0.1', offer).opened).toBe(false)
})

test('a ticket is of no use to another device', async () => {
  const { tcp, opened, streams } = start(us)
  const stream = start(stranger).tcp.dial(us.publicKey, '127.0.0.1', await tcp.offer(peer.publicKey))
  await closed(stream)
  expect(streams).toEqual([])
  // The listener is none the worse for it.
  expect(await start(peer).tcp.dial(us.publicKey, '127.0.0.1', await tcp.offer(peer.publicKey)).opened).toBe(true)
  expect(new Uint8Array((await opened.next()).remotePublicKey)).toEqual(new Uint8Array(peer.publicKey))
})

test('who takes the place of the one that made the offer is not let in', async () => {
  const { tcp, streams } = start(us)
  const offer = await start(stranger).tcp.offer(us.publicKey)
  expect(await tcp.dial(peer.publicKey, '127.0.0.1', offer).opened).toBe(false)
  expect(streams).toEqual([])
})

test('those that say nothing take no more places than there are, and not for long', { timeout: HANDSHAKE_TIMEOUT_MS + 30_000 }, async () => {
  const { tcp } = start(us)
  const offer = await tcp.offer(peer.publicKey)
  const silent = await Promise.all(Array.from({ length: MAX_UNPROVEN }, () => connectTo(offer.port)))
  // Turned away at once, where the others wait.
  expect(await hear(await connectTo(offer.port))).toBe(0)
  await Promise.all(silent.map((socket) => hear(socket)))
  expect(await start(peer).tcp.dial(us.publicKey, '127.0.0.1', await tcp.offer(peer.publicKey)).opened).toBe(true)
})

test('a dial to who never answers, or nobody, ends', { timeout: HANDSHAKE_TIMEOUT_MS + 30_000 }, async () => {
  const { tcp } = start(us)
  const server = createServer(() => undefined).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const ticket = new Uint8Array(TICKET_BYTES)
  expect(await tcp.dial(peer.publicKey, '127.0.0.1', { port, ticket }).opened).toBe(false)
  server.close()
  expect(await tcp.dial(peer.publicKey, '127.0.0.1', { port, ticket }).opened).toBe(false)
})

test('what is closed takes nobody, and awaits nobody until it is opened again', async () => {
  const { tcp } = start(us)
  const offer = await tcp.offer(peer.publicKey)
  tcp.close()
  expect(await start(peer).tcp.dial(us.publicKey, '127.0.0.1', offer).opened).toBe(false)
  await expect(tcp.offer(peer.publicKey)).rejects.toThrow('closed')
  tcp.open()
  expect(await start(peer).tcp.dial(us.publicKey, '127.0.0.1', await tcp.offer(peer.publicKey)).opened).toBe(true)
})

test('what is closed before it listens never does', async () => {
  const { tcp } = start(us)
  const before = listening()
  const offering = tcp.offer(peer.publicKey)
  tcp.close()
  await expect(offering).rejects.toThrow('closed')
  await vi.waitFor(() => expect(listening()).toBe(before))
})

/** A device, and those that it has let in. */
function start(keyPair: KeyPair): { tcp: Tcp; streams: NoiseSecretStream[]; opened: { next(): Promise<NoiseSecretStream> } } {
  const streams: NoiseSecretStream[] = []
  let tell = (): void => undefined
  const tcp = new Tcp({
    keyPair,
    host: '127.0.0.1',
    onopen(stream) {
      stream.on('error', () => undefined)
      streams.push(stream)
      tell()
    }
  })
  onTestFinished(() => {
    tcp.close()
    for (const stream of streams) stream.destroy()
  })
  const next = async (): Promise<NoiseSecretStream> => {
    while (streams.length === 0) await new Promise<void>((resolve) => (tell = resolve))
    return streams.shift()!
  }
  return { tcp, streams, opened: { next } }
}

async function connectTo(port: TcpOffer['port']): Promise<Socket> {
  const socket = connectSocket(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** How many bytes came until it was closed. */
function hear(socket: Socket): Promise<number> {
  let heard = 0
  socket.on('data', (bytes) => void (heard += bytes.length))
  socket.on('error', () => undefined)
  return new Promise((resolve) => void socket.on('close', () => resolve(heard)))
}

async function closed(stream: NoiseSecretStream): Promise<void> {
  if (!stream.destroyed) await new Promise<void>((resolve) => void stream.once('close', resolve))
}

/** How many servers of this process listen. */
function listening(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length
}
