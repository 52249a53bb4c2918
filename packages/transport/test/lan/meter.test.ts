import { expect, test } from 'vitest'
import { PACKETS_PER_SECOND, PACKETS_PER_SECOND_OF_ONE } from '../../src/internal/lan/constants.js'
import { Meter } from '../../src/internal/lan/meter.js'

const now = Date.now()

function taken(meter: Meter, hosts: readonly string[], at = now): number {
  return hosts.filter((host) => meter.take(host, at)).length
}

test('one address that floods drowns no other', () => {
  const meter = new Meter()
  expect(taken(meter, Array.from({ length: 10_000 }, () => '192.168.1.66'))).toBeLessThanOrEqual(PACKETS_PER_SECOND_OF_ONE + 1)
  expect(meter.take('192.168.1.10', now)).toBe(true)
})

test('many addresses cost no more than all may, and are not remembered', () => {
  const meter = new Meter()
  const hosts = Array.from({ length: 10_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
  expect(taken(meter, hosts)).toBeLessThanOrEqual(PACKETS_PER_SECOND + 1)
  expect(meter.size).toBe(256)
})

test('it goes on afterwards', () => {
  const meter = new Meter()
  taken(meter, Array.from({ length: 1_000 }, () => '192.168.1.66'))
  expect(meter.take('192.168.1.66', now + 1_000)).toBe(true)
})
