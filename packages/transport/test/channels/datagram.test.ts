import type Hyperswarm from 'hyperswarm'
import { expect, test } from 'vitest'
import { partsOf } from '@covey/transport/internal'
import { encodeDatagram } from '../../src/internal/channels/wire.js'
import { connect } from '../session/pair.js'
import { codeOf, useLocalNetwork } from '../support.js'
import { meet, type HostilePeer } from './hostile-peer.js'
import { bytes, isPending, openPair, take } from './support.js'

const net = useLocalNetwork()

test('datagrams arrive as packets, numbered, under the key of who sent them, and are counted', async () => {
  const { nodes, channels } = await openPair(net, bytes)
  const [near, far] = channels
  const largest = Uint8Array.from({ length: 1_150 }, (_, i) => i)
  expect(near.sendDatagram(nodes[1].id, largest)).toBe(true)
  expect(near.sendDatagram(nodes[1].id, new Uint8Array(0))).toBe(true)
  const arrived = await take(far.datagrams(), 2)
  arrived.sort((a, b) => a.sequence - b.sequence)
  expect(arrived).toEqual([
    { peer: nodes[0].id, sequence: 0, bytes: largest },
    { peer: nodes[0].id, sequence: 1, bytes: new Uint8Array(0) }
  ])
  expect(near.datagramStats(nodes[1].id)).toEqual({ sent: 2, received: 0, lost: 0, replayed: 0, late: 0, unread: 0 })
  expect(far.datagramStats(nodes[0].id)).toEqual({ sent: 0, received: 2, lost: 0, replayed: 0, late: 0, unread: 0 })
})

test('what cannot leave is said to be dropped, or refused', async () => {
  const { nodes, channels } = await openPair(net, bytes)
  expect(await codeOf(() => channels[0].sendDatagram(nodes[1].id, new Uint8Array(1_151)))).toBe('MESSAGE_TOO_LARGE')
  expect(await codeOf(() => channels[0].sendDatagram(nodes[1].id, 'text' as never))).toBe('TypeError')
  expect(channels[0].sendDatagram(nodes[0].id, new Uint8Array(1))).toBe(false)
  // More than wait to leave at a time.
  const results = Array.from({ length: 300 }, () => channels[0].sendDatagram(nodes[1].id, new Uint8Array(1_150)))
  expect(results.filter(Boolean)).toHaveLength(256)
  expect(channels[0].datagramStats(nodes[1].id)!.sent).toBe(256)
  await channels[1].close()
  await channels[0].once('close')
  expect(channels[0].sendDatagram(nodes[1].id, new Uint8Array(1))).toBe(false)
  expect(channels[0].datagramStats(nodes[1].id)).toBe(null)
})

test('their numbers go on on another path', { timeout: 20_000 }, async () => {
  const { nodes, channels } = await openPair(net, bytes)
  const reading = channels[1].datagrams()[Symbol.asyncIterator]()
  channels[0].sendDatagram(nodes[1].id, Uint8Array.of(1))
  expect(await reading.next()).toMatchObject({ value: { sequence: 0 } })
  const back = new Promise<void>((resolve) => void nodes[0].on('path', ({ path }) => path === 'offline' || resolve()))
  for (const stream of (partsOf(nodes[1]).swarm as Hyperswarm).connections) stream.destroy()
  await back
  const next = reading.next()
  // The other side may not have settled on the path yet, and then a datagram is lost.
  let sent = 1
  while (await isPending(next, 50)) if (channels[0].sendDatagram(nodes[1].id, Uint8Array.of(sent))) sent++
  const { sequence, bytes: content } = (await next).value!
  expect(sequence).toBeGreaterThan(0)
  expect(content).toEqual(Uint8Array.of(sequence))
  expect(channels[1].datagramStats(nodes[0].id)).toMatchObject({ lost: sequence - 1, replayed: 0 })
})

test('the oldest give way when nobody reads, of each peer its own', async () => {
  const peer = await openHostile()
  for (let i = 0; i < 300; i++) peer.say(datagram(peer, 0, i))
  await peer.settled()
  expect(peer.stats).toMatchObject({ received: 300, unread: 44, lost: 0 })
  const read = await take(peer.channel.datagrams(), 256)
  expect(read.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 256 }, (_, i) => i + 44))
})

test('a datagram that comes again, or too late, is dropped and counted', async () => {
  const peer = await openHostile()
  for (const sequence of [0, 1, 1, 5, 3, 3, 0, 2_000, 4, 2_000, 1_000]) peer.say(datagram(peer, 0, sequence))
  await peer.settled()
  expect(peer.stats).toEqual({ sent: 0, received: 6, replayed: 4, late: 1, lost: 2_001 - 6, unread: 0 })
  const read = await take(peer.channel.datagrams(), 6)
  expect(read.map(({ sequence }) => sequence)).toEqual([0, 1, 5, 3, 2_000, 1_000])
})

test('a replay is found out on another path too', async () => {
  const peer = await openHostile()
  peer.say(datagram(peer, 0, 0))
  await connect(peer.sides.leader, peer.sides.follower)
  peer.sides.follower.streams[0]!.destroy()
  await peer.settled()
  expect(peer.far.active).not.toBe(null)
  peer.say(datagram(peer, 0, 0))
  await peer.settled()
  expect(peer.stats).toMatchObject({ received: 1, replayed: 1 })
})

test('garbage, other sessions, and numbers that nobody listens to: dropped, and nothing ends', async () => {
  const peer = await openHostile()
  const sound = datagram(peer, 0, 0)
  const strange = sound.slice()
  strange[0]! ^= 1
  const odd = [new Uint8Array(0), new Uint8Array(12), strange, datagram(peer, 7, 0), datagram(peer, 2 ** 24 - 1, 0)]
  const large = new Uint8Array(sound.length + 1_151)
  large.set(sound)
  for (const bytesOf of [...odd, large]) peer.say(bytesOf)
  let seed = 1
  for (let i = 0; i < 1_000; i++) {
    peer.say(Uint8Array.from({ length: i % 64 }, () => (seed = (seed * 48_271) % 2_147_483_647) & 0xff))
  }
  await peer.settled()
  expect(peer.stats).toMatchObject({ received: 0, replayed: 0, late: 0, lost: 0 })
  peer.say(sound)
  await peer.settled()
  expect(peer.stats).toMatchObject({ received: 1 })
  expect(peer.near.destroying).toBe(false)
})

test('a channel that was opened anew takes nothing that was meant for the one before', async () => {
  const peer = await openHostile()
  peer.say(datagram(peer, 0, 0))
  await peer.settled()
  peer.hangUp()
  await peer.settled()
  await peer.open()
  peer.hello()
  peer.say(datagram(peer, 0, 0))
  peer.say(datagram(peer, 0, 1))
  await peer.settled()
  expect(peer.stats).toMatchObject({ received: 0, replayed: 0 })
  peer.say(datagram(peer, 1, 0))
  await peer.settled()
  expect(peer.stats).toMatchObject({ received: 1 })
})

test('packets that were not made by the peer end at the encryption', { timeout: 20_000 }, async () => {
  const { nodes, channels } = await openPair(net, bytes)
  const [stream] = (partsOf(nodes[1]).swarm as Hyperswarm).connections as unknown as Set<{ rawStream: { trySend(packet: Uint8Array): void } }>
  for (let i = 0; i < 200; i++) stream!.rawStream.trySend(new Uint8Array(i * 5).fill(i))
  channels[1].sendDatagram(nodes[0].id, Uint8Array.of(9))
  expect(await take(channels[0].datagrams(), 1)).toMatchObject([{ bytes: Uint8Array.of(9) }])
  expect(channels[0].datagramStats(nodes[1].id)).toMatchObject({ received: 1, replayed: 0, late: 0 })
})

interface HostileSender extends Omit<HostilePeer<Uint8Array>, 'say'> {
  readonly stats: ReturnType<HostilePeer<Uint8Array>['channel']['datagramStats']>
  say(packet: Uint8Array): void
}

async function openHostile(): Promise<HostileSender> {
  const peer = await meet(bytes)
  await peer.open()
  peer.hello()
  await peer.channel.opened(peer.id)
  const say = (packet: Uint8Array): void => void peer.far.active!.stream.send(packet)
  return {
    ...peer,
    say,
    get stats() {
      return peer.channel.datagramStats(peer.id)
    }
  }
}

function datagram(peer: Pick<HostilePeer<Uint8Array>, 'far'>, id: number, sequence: number): Uint8Array {
  return encodeDatagram(peer.far.handshakeHash.slice(0, 4), id, sequence, Uint8Array.of(1))
}
