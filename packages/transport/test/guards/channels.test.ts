import { setImmediate } from 'node:timers/promises'
import Hypercore from 'hypercore'
import Protomux from 'protomux'
import { Duplex } from 'streamx'
import { expect, test } from 'vitest'
import { guardConnection, MAX_CHANNELS } from '../../src/internal/guards/guard-connection.js'

/** How many channels of the peer's the near end holds; the peer opens as many as it is told. */
async function open(count: number, isGuarded: boolean) {
  const [one, two] = [Hypercore.createProtocolStream(true), Hypercore.createProtocolStream(false)]
  for (const stream of [one, two]) stream.on('error', () => undefined)
  one.pipe(two).pipe(one)
  const [near, far] = [one.noiseStream, two.noiseStream]
  if (isGuarded) guardConnection(near as never)
  const [held, mux] = [near, far].map((stream) => Protomux.from(stream as never))
  // Nobody says whether the channel is wanted: it stays open until somebody does.
  held!.pair({ protocol: 'never' }, () => new Promise<void>(() => undefined))
  const ended = new Promise((resolve) => near.on('close', () => resolve('ended')))
  const served = new Promise((resolve) => held!.pair({ protocol: 'last' }, async () => resolve('served')))
  for (let i = 0; i < count; i++) mux!.createChannel({ protocol: 'never', unique: false, messages: [] })!.open()
  mux!.createChannel({ protocol: 'last', messages: [] })!.open()
  const outcome = await Promise.race([ended, served])
  near.destroy()
  far.destroy()
  return { outcome, channels: (held as unknown as { _remote: object[] })._remote.length }
}

test('without the guard a peer opens channels without end', async () => {
  expect(await open(2 * MAX_CHANNELS, false)).toEqual({ outcome: 'served', channels: 2 * MAX_CHANNELS + 1 })
})

test('a peer that opens too many is disconnected', async () => {
  expect(await open(2 * MAX_CHANNELS, true)).toEqual({ outcome: 'ended', channels: MAX_CHANNELS + 1 })
})

test('a peer may have as many as an honest one ever needs', async () => {
  expect(await open(MAX_CHANNELS - 1, true)).toEqual({ outcome: 'served', channels: MAX_CHANNELS })
})

test.for([
  ['has as many answers waiting for it as it likes', false],
  ['is disconnected', true]
] as const)('a peer that opens what nobody has, and takes no answer, %s', async ([, isGuarded]) => {
  const near = new Silent()
  near.on('error', () => undefined)
  if (isGuarded) guardConnection(near)
  Protomux.from(near as never)
  const { queue } = (near as unknown as { _writableState: { queue: { length: number } } })._writableState
  // Once it was said that there is no such channel, its number is free again.
  let most = 0
  for (let i = 0; i < 70_000 && !near.destroying; i++) {
    near.push(OPEN_OF_NONE)
    await setImmediate()
    most = Math.max(most, queue.length)
  }
  expect({ isOver: near.destroying, isMuch: most > 66_000 }).toEqual({ isOver: isGuarded, isMuch: !isGuarded })
  near.destroy()
})

/** Whoever is at its other end takes nothing. */
class Silent extends Duplex<Uint8Array> {
  override _write(): void {}
}

/** Control, open, as number 1, the protocol `x`, without an id and without a handshake. */
const OPEN_OF_NONE = Uint8Array.of(0, 1, 1, 1, 120, 0)
