import { EventEmitter } from 'node:events'
import type NoiseSecretStream from '@hyperswarm/secret-stream'
import { expect, test } from 'vitest'
import { encodeFrame, FRAME, RELAY_CIRCUITS } from '@covey/transport/internal'
import { Hop } from '../src/internal/relay/hop.js'

/** A connection to a relay that reads when it is told to. */
function createHop() {
  const stream = Object.assign(new EventEmitter(), {
    rawBytesRead: 0,
    destroying: false,
    isReading: true,
    written: 0,
    setKeepAlive: () => undefined,
    destroy: () => void (stream.destroying = true),
    write() {
      stream.written++
      return stream.isReading
    }
  })
  const hop = new Hop({ stream: stream as unknown as NoiseSecretStream, onoffer: () => false, onclose: () => undefined })
  return { stream, hop }
}

test.each([
  ['pings', () => encodeFrame(FRAME.ping, 1)],
  ['offers that are refused', (i: number) => encodeFrame(FRAME.open, RELAY_CIRCUITS + i, new Uint8Array(32))]
])('a relay that sends %s without end is answered while it reads, and left when it does not', (_, frame) => {
  const { stream } = createHop()
  for (let i = 0; i < 5_000; i++) stream.emit('data', frame(i))
  expect([stream.destroying, stream.written]).toEqual([false, 5_001])
  stream.isReading = false
  for (let i = 0; i < 1_000; i++) stream.emit('data', frame(i))
  stream.emit('drain')
  for (let i = 0; i < 1_000; i++) stream.emit('data', frame(i))
  expect(stream.destroying).toBe(false)
  for (let i = 0; i < 100; i++) stream.emit('data', frame(i))
  expect(stream.destroying).toBe(true)
  expect(stream.written).toBeLessThan(7_200)
})
