import Hypercore from 'hypercore'
import Protomux from 'protomux'
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
