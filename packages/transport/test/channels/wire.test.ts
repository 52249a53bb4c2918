import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCode, decodeDatagram, decodeHello, encodeCode, encodeDatagram, encodeHello, encodeNumber } from '../../src/internal/channels/wire.js'

const TAG = Uint8Array.of(0xa1, 0xa2, 0xa3, 0xa4)

test('the bytes on the wire are those of the protocol', () => {
  expect(hex(encodeHello({ maxMessageBytes: 65_536, datagramId: 3 }))).toBe('fe0000010003')
  expect(hex(encodeNumber(1_048_576))).toBe('fe00001000')
  expect((['CHANNEL_CLOSED', 'CHANNEL_FLOODED', 'MESSAGE_TOO_LARGE', 'MESSAGE_INVALID'] as const).map((code) => hex(encodeCode(code)))).toEqual(['00', '01', '02', '03'])
  expect(hex(encodeDatagram(TAG, 0x030201, 0x0605_0403_0201, Uint8Array.of(0xff)))).toBe('a1a2a3a4' + '010203' + '010203040506' + 'ff')
})

test('what was encoded is decoded', () => {
  const id = fc.integer({ min: 0, max: 2 ** 24 - 1 })
  const sequence = fc.integer({ min: 0, max: 2 ** 48 - 1 })
  fc.assert(
    fc.property(id, sequence, fc.uint8Array({ maxLength: 64 }), (each, number, bytes) => {
      const datagram = encodeDatagram(TAG, each, number, bytes)
      expect(decodeDatagram(datagram, TAG, 64)).toEqual({ id: each, sequence: number, bytes })
      const hello = { maxMessageBytes: number, datagramId: each }
      expect(decodeHello(encodeHello(hello))).toEqual({ ok: true, value: hello })
      // Fields of a later version.
      expect(decodeHello(Buffer.concat([encodeHello(hello), bytes]))).toEqual({ ok: true, value: hello })
    })
  )
})

test('whatever bytes come, they are decoded or refused, and nothing is thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(typeof decodeHello(bytes).ok).toBe('boolean')
      expect(decodeCode(bytes)).toMatch(/^(CHANNEL|MESSAGE)_/)
      expect(decodeDatagram(Buffer.concat([TAG, bytes]), TAG, 64)?.bytes.length ?? 0).toBeLessThanOrEqual(64)
    })
  )
})

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
