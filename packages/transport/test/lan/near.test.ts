import { expect, test } from 'vitest'
import { isNear } from '../../src/internal/lan/near.js'

const HOME = ['192.168.1.10', '10.0.0.7']

test.each(['192.168.1.11', '10.255.0.1', '172.16.0.1', '172.31.255.255', '169.254.3.4'])('%s may be in our network', (host) => {
  expect(isNear(host, HOME)).toBe(true)
})

test.each(['8.8.8.8', '172.15.0.1', '172.32.0.1', '192.169.0.1', '100.64.0.1', '127.0.0.1', '0.0.0.0', '224.0.0.251', '110.1.1.1', '1.10.0.1', 'fe80::1', ''])(
  '%s is not dialled, whatever it says',
  (host) => {
    expect(isNear(host, HOME)).toBe(false)
  }
)

test('a device in no network takes nothing for near, and one on loopback alone, only that', () => {
  expect(isNear('192.168.1.11', [])).toBe(false)
  expect(isNear('192.168.1.11', ['127.0.0.1'])).toBe(false)
  expect(isNear('127.0.0.1', ['127.0.0.1'])).toBe(true)
})
