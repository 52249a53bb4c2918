import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Session } from '../../src/internal/session/session.js'
import { BULK_BYTES, HANDSHAKE_TIMEOUT_MS, TICKET_BYTES } from '../../src/internal/tcp/constants.js'
import { Tcp } from '../../src/internal/tcp/tcp.js'
import { connect, createPair, type Side } from '../session/pair.js'

const FRAME_BYTES = 64 * 1024
/** Three times what it takes. */
const FRAMES = (3 * BULK_BYTES) / FRAME_BYTES

test('much that is said moves to TCP: all of it arrives, in order and once', async () => {
  const [a, b] = await meet('127.0.0.1')
  const arrived = numbers(b)
  await write(a, FRAMES)
  await moved(a, b)
  await write(a, FRAMES, FRAMES)
  expect(await arrived(2 * FRAMES)).toEqual(Array.from({ length: 2 * FRAMES }, (_, i) => i))
})

test('little that is said stays where it is', async () => {
  const [a, b] = await meet('127.0.0.1')
  const arrived = numbers(b)
  await write(a, BULK_BYTES / FRAME_BYTES - 1)
  await arrived(BULK_BYTES / FRAME_BYTES - 1)
  expect([a.links.size, b.links.size]).toEqual([1, 1])
})

test('where TCP breaks, what was under way goes on beside it', async () => {
  const [a, b] = await meet('127.0.0.1')
  const arrived = numbers(b)
  await write(a, FRAMES)
  await moved(a, b)
  const writing = write(a, FRAMES, FRAMES)
  b.active!.stream.rawStream.destroy()
  await writing
  expect(await arrived(2 * FRAMES)).toEqual(Array.from({ length: 2 * FRAMES }, (_, i) => i))
  expect(a.active!.isTcp).toBe(false)
})

test('datagrams go beside it', async () => {
  const [a, b] = await meet('127.0.0.1')
  const arrived = numbers(b)
  await write(a, FRAMES)
  await moved(a, b)
  await arrived(FRAMES)
  const datagram = new Promise<string>((resolve) => (b.takeDatagram = (bytes) => resolve(Buffer.from(bytes).toString())))
  expect(a.sendDatagram(Buffer.from('beside'))).toBe(true)
  expect(await datagram).toBe('beside')
})

test('where nobody gets through, from either side, it stays where it is', { timeout: 10 * HANDSHAKE_TIMEOUT_MS }, async () => {
  // An address of documentation (RFC 5737), at which there is nobody.
  const dial = vi.spyOn(Tcp.prototype, 'dial')
  onTestFinished(() => void vi.restoreAllMocks())
  const [a, b] = await meet('192.0.2.1')
  const arrived = numbers(b)
  await write(a, FRAMES)
  await vi.waitFor(() => expect(dial).toHaveBeenCalledTimes(2), { timeout: 4 * HANDSHAKE_TIMEOUT_MS })
  expect(await Promise.all(dial.mock.results.map(({ value }) => value.opened))).toEqual([false, false])
  expect(await arrived(FRAMES)).toHaveLength(FRAMES)
  expect([a.active!.isTcp, b.active!.isTcp]).toEqual([false, false])
})

test('it is not tried where the address of the peer is not known, as through a relay', async () => {
  const [a, b] = await meet(null)
  const arrived = numbers(b)
  await write(a, FRAMES)
  await arrived(FRAMES)
  expect([a.links.size, b.links.size]).toEqual([1, 1])
})

test('a device that closes while it dials is not awaited at it afterwards', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1')
  onTestFinished(() => void silent.close())
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const offer = vi.spyOn(Tcp.prototype, 'offer').mockResolvedValueOnce({ port, ticket: new Uint8Array(TICKET_BYTES) })
  const dial = vi.spyOn(Tcp.prototype, 'dial')
  onTestFinished(() => void vi.restoreAllMocks())
  const pair = createPair()
  const [a, b] = await meet('127.0.0.1', pair)
  b.resume()
  await write(a, FRAMES)
  await vi.waitFor(() => expect(dial).toHaveBeenCalledOnce())
  await pair.follower.sessions.close()
  expect(await dial.mock.results[0]!.value.opened).toBe(false)
  expect(offer).toHaveBeenCalledTimes(2)
  await expect(offer.mock.results[1]!.value).rejects.toThrow('closed')
})

/** Two sides in session, which take each other to be at an address. */
async function meet(host: string | null, { leader, follower } = createPair()): Promise<[Session, Session]> {
  const streams = await connect(leader, follower)
  for (const { rawStream } of streams) if (host !== null) Object.assign(rawStream, { remoteHost: host })
  return [await opened(leader), await opened(follower)]
}

async function opened(side: Side): Promise<Session> {
  await vi.waitFor(() => expect(side.opened).not.toEqual([]), { interval: 1 })
  return side.opened[0]!
}

/** Resolves when both send over TCP. */
async function moved(...sessions: Session[]): Promise<void> {
  await vi.waitFor(() => expect(sessions.every(({ active }) => active?.isTcp)).toBe(true), { interval: 1, timeout: 30_000 })
}

async function write(session: Session, count: number, first = 0): Promise<void> {
  for (let i = first; i < first + count; i++) {
    const frame = Buffer.alloc(FRAME_BYTES)
    frame.writeUInt32LE(i)
    if (!session.write(frame)) await new Promise<void>((resolve) => void session.once('drain', resolve))
  }
}

/** The numbers of the frames that arrive, when there are so many. */
function numbers(session: Session): (count: number) => Promise<number[]> {
  const arrived: number[] = []
  let tell = (): void => undefined
  session.on('data', (bytes) => {
    arrived.push(Buffer.from(bytes).readUInt32LE())
    tell()
  })
  return async (count) => {
    while (arrived.length < count) await new Promise<void>((resolve) => (tell = resolve))
    return arrived
  }
}
