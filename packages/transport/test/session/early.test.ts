import { PassThrough, type Duplex } from 'node:stream'
import NoiseSecretStream from '@hyperswarm/secret-stream'
import { expect, test, vi } from 'vitest'
import { encodeZ32 } from '@covey/core'
import { MAX_LINKS } from '../../src/internal/session/constants.js'
import { connect, createPair, type Side } from './pair.js'

/** What HyperDHT says in a handshake when it has nothing to say. */
const NOTHING = { version: 1, error: 0, firewall: 0, addresses4: [], relayThrough: null }

test.each(['leader', 'follower'] as const)('who is dialled speaks before the other has, and takes it to be there when it speaks (%s)', async (dialled) => {
  const [near, far] = sidesOf(dialled)
  const { streams, deliver } = dial(near, far)
  far.sessions.accept(streams.far)
  expect(far.opened).toHaveLength(1)
  far.opened[0]!.write(Buffer.from('hello'))
  expect([far.met, far.paths, far.sessions.reachable]).toEqual([[], [], []])

  near.sessions.accept(streams.near)
  deliver('near')
  await until(() => near.opened.length === 1)
  expect(await textOf(near.opened[0]!)).toBe('hello')
  expect([far.met, far.paths]).toEqual([[], []])

  deliver('far')
  await until(() => far.met.length === 1)
  expect([far.paths, near.paths]).toEqual([['direct'], ['direct']])
  near.opened[0]!.write(Buffer.from('hello too'))
  expect(await textOf(far.opened[0]!)).toBe('hello too')
  expect(near.opened[0]!.handshakeHash).toEqual(far.opened[0]!.handshakeHash)
  expect([near.opened.length, far.opened.length]).toEqual([1, 1])
})

test('two that dial each other at the same moment have one session', async () => {
  const { leader, follower } = createPair()
  for (const [near, far] of [[leader, follower], [follower, leader]] as const) {
    const { streams, deliver } = dial(near, far)
    far.sessions.accept(streams.far)
    near.sessions.accept(streams.near)
    // When both are under way.
    setImmediate(() => (deliver('near'), deliver('far')))
  }
  await until(() => leader.met.length === 1 && follower.met.length === 1)
  leader.opened[0]!.write(Buffer.from('hello'))
  expect(await textOf(follower.opened[0]!)).toBe('hello')
  expect([leader.opened.length, follower.opened.length]).toEqual([1, 1])
})

test('handshakes that are said again, as many as one likes, keep nobody out', async () => {
  const { leader, follower } = createPair()
  for (let i = 0; i < MAX_LINKS; i++) leader.sessions.accept(dial(follower, leader).replay())
  await connect(follower, leader)
  await until(() => leader.met.length === 1)
  leader.opened.at(-1)!.write(Buffer.from('hello'))
  expect(await textOf(follower.opened.at(-1)!)).toBe('hello')
})

test('a handshake that is said again ends nothing, and takes no path', async () => {
  const { leader, follower } = createPair()
  const first = dial(follower, leader)
  leader.sessions.accept(first.streams.far)
  follower.sessions.accept(first.streams.near)
  first.deliver('near')
  first.deliver('far')
  await until(() => leader.met.length === 1 && follower.opened.length === 1)
  const { active } = leader.opened[0]!
  leader.sessions.accept(first.replay())
  expect([leader.opened.length, leader.closed.length, leader.opened[0]!.active === active]).toEqual([1, 0, true])
  leader.opened[0]!.write(Buffer.from('still here'))
  expect(await textOf(follower.opened[0]!)).toBe('still here')
})

test('nobody is there by a handshake that is said again, and whoever comes is met as ever', async () => {
  const { leader, follower } = createPair()
  const first = dial(follower, leader)
  const replayed = first.replay()
  leader.sessions.accept(replayed)
  expect([leader.opened.length, leader.met.length, leader.sessions.reachable.length]).toEqual([1, 0, 0])
  // It was of a session that never was, or is over.
  follower.sessions.block(encodeZ32(leader.keyPair.publicKey))
  follower.sessions.unblock(encodeZ32(leader.keyPair.publicKey))
  await connect(follower, leader)
  await until(() => leader.met.length === 1 && follower.opened.length === 1)
  expect([leader.opened.length, leader.closed.length, leader.closed[0] === leader.opened[0]]).toEqual([2, 1, true])
  expect([leader.met, leader.paths]).toEqual([[true], ['direct']])
  leader.opened[1]!.write(Buffer.from('you'))
  expect(await textOf(follower.opened[0]!)).toBe('you')
})

test('what was begun with nobody is over when its connection is, and nobody is missed', async () => {
  const { leader, follower } = createPair()
  const replayed = dial(follower, leader).replay()
  leader.sessions.accept(replayed)
  replayed.destroy()
  await until(() => leader.closed.length === 1)
  const peer = leader.sessions.get(encodeZ32(follower.keyPair.publicKey))!
  expect([peer.session, peer.isMissed, leader.met, leader.paths]).toEqual([null, false, [], []])
})

test('frames without a greeting end the connection, whatever was said in the handshake', async () => {
  const { leader, follower } = createPair()
  const { streams, deliver } = dial(follower, leader)
  leader.sessions.accept(streams.far)
  deliver('far')
  deliver('near')
  // Protomux: open a channel, then its message 1, `from`.
  const protocol = Buffer.from('covey/session/1')
  streams.near.write(Buffer.concat([Buffer.from([0, 1, 1, protocol.length]), protocol, Buffer.from([0, 0])]))
  streams.near.write(Buffer.from([1, 1, 0]))
  await until(() => leader.closed.length === 1)
  expect(streams.far.destroyed || streams.far.destroying).toBe(true)
  expect(leader.met).toEqual([])
})

function sidesOf(dialled: 'leader' | 'follower'): [near: Side, far: Side] {
  const pair = createPair()
  return dialled === 'leader' ? [pair.follower, pair.leader] : [pair.leader, pair.follower]
}

/** A dial as HyperDHT makes it: both know the keys before a byte has gone by the connection. What goes there is held until it is delivered. */
function dial(near: Side, far: Side) {
  const wrap = near.earlyNonces.dial(near.keyPair, far.keyPair.publicKey)
  const message = wrap.send(NOTHING)
  const answer = (): { keys: object; reply: Uint8Array } => {
    const other = far.earlyNonces.answer(far.keyPair)
    other.recv(Buffer.from(message))
    const reply = other.send(NOTHING)
    return { keys: other.final(), reply }
  }
  const { keys, reply } = answer()
  wrap.recv(reply)
  const streams = { near: streamOf(true, wrap.final()), far: streamOf(false, keys) }
  const [nearRaw, farRaw] = [streams.near.rawStream, streams.far.rawStream] as unknown as [Duplex, Duplex]
  // At once, or what is said meanwhile is nobody's.
  const held = { near: farRaw.pipe(new PassThrough()), far: nearRaw.pipe(new PassThrough()) }
  for (const stream of [nearRaw, farRaw, held.near, held.far]) stream.on('error', () => undefined)
  return {
    streams,
    /** What the other side has said comes to this one from now on. */
    deliver: (to: 'near' | 'far') => void held[to].pipe(to === 'near' ? nearRaw : farRaw),
    /** Somebody who has seen the message, and has no keys, says it again. */
    replay: () => streamOf(false, answer().keys)
  }
}

function streamOf(isInitiator: boolean, handshake: object): NoiseSecretStream {
  const stream = new NoiseSecretStream(isInitiator, null, { handshake } as never)
  return stream.on('error', () => undefined)
}

function textOf(session: { once(event: 'data', listener: (bytes: Uint8Array) => void): void }): Promise<string> {
  return new Promise((resolve) => session.once('data', (bytes) => resolve(Buffer.from(bytes).toString())))
}

async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(condition()).toBe(true), { timeout: 5_000, interval: 2 })
}
