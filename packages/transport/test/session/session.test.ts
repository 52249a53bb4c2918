import { createHash } from 'node:crypto'
import { Transform } from 'node:stream'
import { setImmediate, setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { encodeZ32 } from '@covey/core'
import { OFFLINE_MS, TICK_MS } from '../../src/internal/session/constants.js'
import type { Session } from '../../src/internal/session/session.js'
import { connect, createPair, createSide, type Side } from './pair.js'

test('both sides see one session, by the same hash, each under the key of the other', async () => {
  const { leader, follower } = createPair()
  await connect(leader, follower)
  const [a, b] = await bothOpen(leader, follower)
  expect(a.handshakeHash).toEqual(b.handshakeHash)
  expect(a.isInitiator).not.toBe(b.isInitiator)
  expect(new Uint8Array(a.remotePublicKey)).toEqual(new Uint8Array(follower.keyPair.publicKey))
  expect(new Uint8Array(b.remotePublicKey)).toEqual(new Uint8Array(leader.keyPair.publicKey))
})

test('connections that are made at the same moment, from either side, are one session', async () => {
  const { leader, follower } = createPair()
  await Promise.all([connect(leader, follower), connect(follower, leader), connect(leader, follower)])
  const [a, b] = await bothOpen(leader, follower)
  await echo(a, b, 'hello')
  expect([leader.opened.length, follower.opened.length]).toEqual([1, 1])
  expect(a.handshakeHash).toEqual(b.handshakeHash)
})

test('nothing is lost and nothing comes twice, whenever and however often the path breaks', { timeout: 60_000 }, async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 60 })
  const breaks = fc.array(fc.nat({ max: 59 }), { maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(sizes, sizes, breaks, fc.boolean(), async (there, back, breakAt, isEarly) => {
      const { leader, follower } = createPair()
      await connect(leader, follower)
      const [a, b] = await bothOpen(leader, follower)
      const arrived = [collect(b, there.length), collect(a, back.length)]
      const made: Promise<unknown>[] = []
      for (let i = 0; i < Math.max(there.length, back.length); i++) {
        if (i < there.length) a.write(frame(i, there[i]!))
        if (i < back.length) b.write(frame(i, back[i]!))
        // Not awaited, so that frames are under way on the old path while the new one is settled.
        if (breakAt.includes(i)) {
          const old = leader.streams.at(-1)!
          if (isEarly) old.destroy()
          made.push(connect(follower, leader).then(() => setTimeout(2).then(() => old.destroy())))
        }
        await setImmediate()
      }
      await Promise.all(made)
      // The last of them may have been an old path of another break.
      if (breakAt.length > 0) await connect(follower, leader)
      const expected = [there, back].map((list) => list.map((size, i) => digest(frame(i, size))))
      expect(await Promise.all(arrived)).toEqual(expected)
      expect([leader.opened.length, follower.opened.length]).toEqual([1, 1])
      await Promise.all([leader.sessions.close(), follower.sessions.close()])
    }),
    { numRuns: 100 }
  )
})

test('what is written while offline arrives later, and the writer is told to wait', async () => {
  const { leader, follower } = createPair()
  await connect(leader, follower)
  const [a, b] = await bothOpen(leader, follower)
  leader.streams[0]!.destroy()
  await until(() => a.active === null && b.active === null)
  const frames = Array.from({ length: 200 }, (_, i) => frame(i, 65_536))
  const isTaken = frames.map((bytes) => a.write(bytes))
  expect(isTaken.at(-1)).toBe(false)
  const arrived = collect(b, frames.length)
  await connect(follower, leader)
  expect(await arrived).toEqual(frames.map(digest))
})

test('a reader that does not read holds the writer up', async () => {
  const { leader, follower } = createPair()
  await connect(leader, follower)
  const [a, b] = await bothOpen(leader, follower)
  b.pause()
  let count = 0
  while (count < 400 && (a.write(frame(count, 65_536)) || (await drained(a)))) count++
  expect(count).toBeLessThan(200)
  expect(await collect(b, count + 1)).toHaveLength(count + 1)
})

test('of two paths the unused one is closed', { timeout: 15_000 }, async () => {
  const { leader, follower } = createPair()
  await connect(leader, follower)
  const [a, b] = await bothOpen(leader, follower)
  await connect(leader, follower)
  await until(() => leader.streams[0]!.destroyed && follower.streams[0]!.destroyed, 10_000)
  await echo(a, b, 'still here')
})

test('a session that one side ended is over for both, and the next is another', async () => {
  const { leader, follower } = createPair()
  await connect(leader, follower)
  const [a, b] = await bothOpen(leader, follower)
  b.destroy()
  await until(() => leader.closed.length === 1 && follower.closed.length === 1)
  expect(a.destroyed).toBe(true)
  await connect(leader, follower)
  await until(() => leader.opened.length === 2 && follower.opened.length === 2)
  expect(leader.opened[1]!.handshakeHash).toEqual(follower.opened[1]!.handshakeHash)
  expect(leader.opened[1]!.handshakeHash).not.toEqual(a.handshakeHash)
})

test.each(['leader', 'follower'] as const)('a %s that was restarted begins a new session', async (who) => {
  const pair = createPair()
  await connect(pair.leader, pair.follower)
  await bothOpen(pair.leader, pair.follower)
  const stays = who === 'leader' ? pair.follower : pair.leader
  const fresh = createPair()[who]
  await connect(stays, fresh)
  await until(() => stays.opened.length === 2 && fresh.opened.length === 1)
  expect(stays.closed).toEqual([stays.opened[0]])
  await echo(stays.opened[1]!, fresh.opened[0]!, 'anew')
})

test('a blocked peer is let go of, and not taken again until it is unblocked', async () => {
  const { leader, follower } = createPair()
  await connect(leader, follower)
  const [a] = await bothOpen(leader, follower)
  const id = encodeZ32(follower.keyPair.publicKey)
  leader.sessions.block(id)
  await until(() => a.destroyed && follower.closed.length === 1)
  const [stream] = await connect(leader, follower)
  expect(stream.destroying).toBe(true)
  leader.sessions.unblock(id)
  await connect(leader, follower)
  await until(() => leader.opened.length === 2)
})

test('a peer whose session ran out is dialled still, and makes room for one that is there', async () => {
  const [side, gone, other] = [createSide(1, 1), createSide(2), createSide(3)]
  await connect(side, gone)
  await bothOpen(side, gone)
  side.streams[0]!.destroy()
  await until(() => side.paths.at(-1) === 'offline')
  later(OFFLINE_MS + 1_000)
  await until(() => side.closed.length === 1)
  const { count } = side.dials
  await until(() => side.dials.count > count)
  await connect(side, other)
  await until(() => side.opened.length === 2)
})

test('a peer that ended its session is not dialled', async () => {
  const { leader, follower } = createPair()
  await connect(leader, follower)
  const [a] = await bothOpen(leader, follower)
  a.destroy()
  await until(() => follower.closed.length === 1)
  await setTimeout(TICK_MS * 3)
  expect([leader.dials.count, follower.dials.count]).toEqual([0, 0])
})

test('a path on which a large frame takes its time is not silent', { timeout: 30_000 }, async () => {
  const { leader, follower } = createPair()
  const slow = new Transform({
    async transform(bytes: Uint8Array, _, done) {
      for (let at = 0; at < bytes.length; at += 5_000) {
        this.push(bytes.subarray(at, at + 5_000))
        await setTimeout(100)
      }
      done()
    }
  })
  await connect(leader, follower, slow)
  const [a, b] = await bothOpen(leader, follower)
  a.write(frame(1, 200_000))
  expect(await collect(b, 1)).toEqual([digest(frame(1, 200_000))])
  expect([leader.dials.count, follower.dials.count]).toEqual([0, 0])
})

test('a path that is silent is doubted, and another is dialled before it is given up', async () => {
  const { leader, follower } = createPair()
  await connect(leader, follower)
  const [a] = await bothOpen(leader, follower)
  for (const { streams } of [leader, follower]) for (const stream of streams) stream.setKeepAlive(0)
  await until(() => leader.dials.count > 0)
  expect(a.active).not.toBe(null)
})

/** Has the clock be that much on; timers run as before. */
function later(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms })
  onTestFinished(() => void vi.useRealTimers())
}

async function bothOpen(a: Side, b: Side): Promise<[Session, Session]> {
  await until(() => a.opened.length > 0 && b.opened.length > 0)
  return [a.opened.at(-1)!, b.opened.at(-1)!]
}

async function echo(a: Session, b: Session, text: string): Promise<void> {
  const arrived = collect(b, 1)
  a.write(Buffer.from(text))
  expect(await arrived).toEqual([digest(Buffer.from(text))])
}

function collect(session: Session, count: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const digests: string[] = []
    const ondata = (bytes: Uint8Array): void => {
      digests.push(digest(bytes))
      if (digests.length < count) return
      session.off('data', ondata)
      resolve(digests)
    }
    session.on('data', ondata)
    session.once('close', () => reject(new Error(`closed after ${digests.length} of ${count}`)))
    session.resume()
  })
}

function frame(number: number, size: number): Uint8Array {
  return Buffer.alloc(size + 4, number + 1)
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Whether it drains before the writer would have given up. */
function drained(session: Session): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = globalThis.setTimeout(() => resolve(false), 300)
    session.once('drain', () => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}

/** Streams tell of their states by many events; this asks for the state itself. */
async function until(condition: () => boolean, timeoutMs = 4_000): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${condition.toString()}`)
    await setTimeout(5)
  }
}
