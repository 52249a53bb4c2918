import { once } from 'node:events'
import NoiseSecretStream from '@hyperswarm/secret-stream'
import Protomux, { type Channel } from 'protomux'
import { expect, onTestFinished, test } from 'vitest'
import { BATCH_BYTES, sendSmallBatches } from '../../src/internal/guards/small-batches.js'

const BLOCK_BYTES = 128 * 1024

test('what is corked leaves in frames of bounded size, in order', async () => {
  const { frames, numbers } = await cork(true)
  expect(numbers).toEqual(Array.from({ length: 40 }, (_, i) => i))
  expect(Math.max(...frames)).toBeLessThan(BATCH_BYTES + BLOCK_BYTES + 100)
})

test('without it, all of it is one frame', async () => {
  const { frames } = await cork(false)
  expect(Math.max(...frames)).toBeGreaterThan(40 * BLOCK_BYTES)
})

/** The sizes of the frames in which 40 blocks leave, and the first byte of each that arrives. */
async function cork(isGuarded: boolean): Promise<{ frames: number[]; numbers: number[] }> {
  const [near, far] = [new NoiseSecretStream(true), new NoiseSecretStream(false)]
  const raw = near.rawStream as unknown as { pipe(other: object): { pipe(other: object): void } }
  raw.pipe(far.rawStream).pipe(raw)
  onTestFinished(() => near.destroy())
  if (isGuarded) sendSmallBatches(near)
  const numbers: number[] = []
  let tell = (): void => undefined
  const receiver = open(far, (bytes) => {
    if (numbers.push(bytes[0]!) === 40) tell()
  })
  const sender = open(near, () => undefined)
  await Promise.all([receiver.fullyOpened(), sender.fullyOpened()])
  const frames: number[] = []
  const write = near.write.bind(near)
  near.write = (frame) => {
    frames.push(frame.length)
    return write(frame)
  }
  const arrived = new Promise<void>((resolve) => (tell = resolve))
  sender.cork()
  for (let i = 0; i < 40; i++) sender.messages[0]!.send(Buffer.alloc(BLOCK_BYTES, i))
  sender.uncork()
  await arrived
  near.end()
  far.end()
  await once(far as never, 'close')
  return { frames, numbers }
}

function open(stream: NoiseSecretStream, onmessage: (bytes: Uint8Array) => void): Channel {
  const channel = Protomux.from(stream as never).createChannel({ protocol: 'test', messages: [{ onmessage: onmessage as (message: never) => void }] })!
  channel.open()
  return channel
}
