import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatRelay, parseRelay } from '@covey/transport'
import { decodeFrame, decodeNumber, encodeFrame, encodeNumber, FRAME, renumber, WINDOW_BYTES } from '@covey/transport/internal'

test('the bytes of a frame', () => {
  const frame = encodeFrame(FRAME.open, 0x8000_0001, new Uint8Array(32).fill(7))
  expect(Buffer.from(frame).toString('hex')).toBe('0101000080' + '07'.repeat(32))
  expect(Buffer.from(encodeFrame(FRAME.window, 1, encodeNumber(WINDOW_BYTES))).toString('hex')).toBe('030100000000002000')
  expect(decodeFrame(renumber(frame, 5))).toEqual({ type: FRAME.open, id: 5, body: new Uint8Array(32).fill(7) })
})

test('decoding is total, and gives what was encoded', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      const frame = decodeFrame(bytes)
      if (frame !== null) expect(encodeFrame(frame.type, frame.id, frame.body)).toEqual(bytes)
      else expect(bytes.length < 5 || bytes[0]! <= 7).toBe(true)
    })
  )
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), (value) => {
      expect(decodeNumber(encodeNumber(value))).toBe(value)
    })
  )
})

test.each([
  [FRAME.open, 31],
  [FRAME.data, 0],
  [FRAME.data, 65_537],
  [FRAME.window, 3],
  [FRAME.window, 5],
  [FRAME.close, 0],
  [FRAME.datagram, 1_201],
  [99, 65_537]
])('a frame of type %i with a body of %i bytes is none', (type, length) => {
  expect(decodeFrame(encodeFrame(type, 1, new Uint8Array(length)))).toBe(null)
})

test('a line names a relay, and nothing else is one', () => {
  const relay = { publicKey: new Uint8Array(32).fill(9), addresses: ['ws://a.example:80/x', 'wss://[::1]', 'udp://1.2.3.4:5'] }
  expect(parseRelay(formatRelay(relay))).toEqual(relay)
  expect(parseRelay(` ${formatRelay({ publicKey: relay.publicKey })}\n`)).toEqual({ publicKey: relay.publicKey })
  for (const line of ['', 'x', formatRelay(relay).slice(1), `${formatRelay(relay)},`]) expect(() => parseRelay(line)).toThrow(TypeError)
})
