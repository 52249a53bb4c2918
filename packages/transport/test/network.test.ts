import { expect, test } from 'vitest'
import { assertNetwork, localNetwork, publicNetwork } from '@covey/transport'

test('the public network is the default one of the DHT', () => {
  expect(publicNetwork()).toEqual({ kind: 'public' })
})

test('a local network is plain data that no longer follows what it was made from', () => {
  const bootstrap = [{ host: '127.0.0.1', port: 49737 }]
  const network = localNetwork(bootstrap)
  bootstrap[0]!.port = 1
  expect(structuredClone(network)).toEqual({ kind: 'local', bootstrap: [{ host: '127.0.0.1', port: 49737 }] })
})

test('an address may be text', () => {
  expect(localNetwork(['node.example:49737'])).toEqual({ kind: 'local', bootstrap: [{ host: 'node.example', port: 49_737 }] })
})

test('whether to look in the local network is part of it, where it was said', () => {
  expect(publicNetwork({ lan: false })).toEqual({ kind: 'public', lan: false })
  expect(localNetwork([{ host: '127.0.0.1', port: 1 }], { lan: true })).toMatchObject({ lan: true })
  expect(() => publicNetwork({ lan: 'yes' } as never)).toThrow('options.lan')
  expect(() => localNetwork([{ host: 'a', port: 1 }], { wan: true } as never)).toThrow(TypeError)
  expect(() => assertNetwork({ kind: 'public', lan: 1 }, 'network')).toThrow('network.lan')
})

test.each([
  [['49737'], 'bootstrap[0] must be host:port'],
  [['a:b'], 'bootstrap[0] must be host:port'],
  [['a:0'], 'bootstrap[0].port'],
  [undefined, 'bootstrap must be a list'],
  [[], 'bootstrap must be a list'],
  ['127.0.0.1:49737', 'bootstrap must be a list'],
  [[{ host: 1, port: 1 }], 'bootstrap[0].host'],
  [[{ host: 'a', port: 1 }, { host: 'a', port: 0 }], 'bootstrap[1].port'],
  [[{ host: 'a', port: 65_536 }], 'bootstrap[0].port'],
  [[{ host: 'a', port: 1.5 }], 'bootstrap[0].port'],
  [[{ host: 'a', port: '1' }], 'bootstrap[0].port'],
  [[{ host: 'a' }], 'bootstrap[0].port']
])('localNetwork(%j) names what is wrong', (bootstrap, message) => {
  expect(() => localNetwork(bootstrap as never)).toThrow(TypeError)
  expect(() => localNetwork(bootstrap as never)).toThrow(message)
})

test('an address that is no object is named', () => {
  expect(() => localNetwork([null] as never)).toThrow('bootstrap[0]')
})
