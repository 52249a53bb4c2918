import { describe, expect, test } from 'vitest'
import type Hyperswarm from 'hyperswarm'
import { localNetwork } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { recognise } from '../../src/internal/lan/introductions.js'
import { decodeMessage, encodeQuery } from '../../src/internal/lan/packet.js'
import { connected, topicOf, useLocalNetwork } from '../support.js'
import { LOOPBACK, startEavesdropper, startLanNode } from './support.js'

const QUICK = { timeout: 20_000 }

describe('with no node of the DHT in reach', () => {
  test('a device is reached by its key, and need not know who comes', QUICK, async () => {
    const [alice, bob] = [await startLanNode(), await startLanNode()]
    await alice.connect(bob.publicKey, { signal: AbortSignal.timeout(5_000) })
    expect(alice.path(bob.id)).toBe('direct')
    await connected(bob, alice.id)
  })

  test('a contact that comes later is met', QUICK, async () => {
    const alice = await startLanNode()
    const identity = await startLanNode()
    const met = connected(alice, identity.id)
    alice.addContact(identity.publicKey)
    await met
  })

  test('devices in a topic meet, whoever comes first, and nobody else does', QUICK, async () => {
    const [alice, bob, carol] = [await startLanNode(), await startLanNode(), await startLanNode()]
    carol.join(topicOf('another'))
    alice.join(topicOf('tea'))
    bob.join(topicOf('tea'))
    await Promise.all([connected(alice, bob.id), connected(bob, alice.id)])
    expect(carol.peers).toEqual([])
  })

  test('a device is met again after both slept, each where it is then', QUICK, async () => {
    const [alice, bob] = [await startLanNode(), await startLanNode()]
    await alice.connect(bob.publicKey)
    await Promise.all([alice.suspend(), bob.suspend()])
    expect(alice.path(bob.id)).toBe('offline')
    const isBack = new Promise<void>((resolve) => alice.on('path', ({ path }) => path === 'direct' && resolve()))
    await Promise.all([alice.resume(), bob.resume()])
    await isBack
  })

  test('it closes at once, though there is nobody to say goodbye to', QUICK, async () => {
    const node = await startLanNode()
    const topic = node.join(topicOf('tea'))
    const startedAt = performance.now()
    await topic.close()
    await node.close()
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })
})

describe('what is said', () => {
  test('a new device tells who knows it where it is, and who asks', QUICK, async () => {
    const ear = await startEavesdropper()
    const node = await startLanNode()
    await ear.until(() => ear.announcements(node.publicKey).length === 2)
    await ear.say(encodeQuery('somebody'))
    await ear.until(() => ear.announcements(node.publicKey).length === 3)
    expect(new Set(ear.announcements(node.publicKey).map(({ from }) => from)).size).toBe(1)
  })

  test('a new topic is told of at once', QUICK, async () => {
    const ear = await startEavesdropper()
    const node = await startLanNode()
    await ear.until(() => ear.announcements(node.publicKey).length > 0)
    node.join(topicOf('tea'))
    await ear.until(() => ear.announcements(topicOf('tea')).length > 0)
    const { packet, address } = ear.announcements(topicOf('tea'))[0]!
    const message = decodeMessage(packet)
    if (message?.kind !== 'announcement') throw new Error('It is no announcement.')
    expect(recognise(message.introductions, [topicOf('tea')], address)).toEqual([new Uint8Array(node.publicKey)])
  })

  test.each(['suspend', 'close'] as const)('%s() says goodbye, and is silent', QUICK, async (end) => {
    const ear = await startEavesdropper()
    const node = await startLanNode()
    await ear.until(() => ear.announcements(node.publicKey).length > 0)
    const { from } = ear.announcements(node.publicKey)[0]!
    await node[end]()
    await ear.until(() => ear.of(from).some(({ answers }) => answers?.some(({ type, ttl }) => type === 'PTR' && ttl === 0) === true))
    const said = ear.of(from).length
    // Another device answers what this one would have answered.
    const other = await startLanNode()
    await ear.until(() => ear.announcements(other.publicKey).length === 2)
    await ear.say(encodeQuery('somebody'))
    await ear.until(() => ear.announcements(other.publicKey).length === 3)
    expect(ear.of(from)).toHaveLength(said)
  })

  test('in another network a device says where it is then, under another name', QUICK, async () => {
    const ear = await startEavesdropper()
    const node = await startLanNode()
    const names = (): string[] => [...new Set(ear.announcements(node.publicKey).map(({ from }) => from))]
    await ear.until(() => names().length === 1)
    const { dht } = (partsOf(node) as { swarm: Hyperswarm }).swarm
    dht.emit('network-change', [])
    await ear.until(() => names().length === 2)
    expect(ear.of(names()[0]!).some(({ answers }) => answers?.some(({ ttl }) => ttl === 0) === true)).toBe(true)
  })

  test('a device has another name after it slept', QUICK, async () => {
    const ear = await startEavesdropper()
    const node = await startLanNode()
    const names = (): Set<string> => new Set(ear.announcements(node.publicKey).map(({ from }) => from))
    await ear.until(() => names().size === 1)
    await node.suspend()
    await node.resume()
    await ear.until(() => names().size === 2)
  })
})

describe('a network of one’s own', () => {
  const local = useLocalNetwork()

  test.each([
    ['has it off', {}, 'auto'],
    ['has none of it where addresses are hidden', { lan: true }, 'relay-only']
  ] as const)('%s', QUICK, async (_, options, policy) => {
    const ear = await startEavesdropper()
    const quiet = await startLanNode({ network: localNetwork(local.network.bootstrap, options), policy })
    quiet.join(topicOf('tea'))
    const loud = await startLanNode({ network: localNetwork(local.network.bootstrap, { lan: true }) })
    await ear.until(() => ear.announcements(loud.publicKey).length === 2)
    expect(ear.announcements(quiet.publicKey)).toEqual([])
  })

  test('a port that is taken for one alone is told, and the rest goes on', QUICK, async () => {
    const { createSocket } = await import('node:dgram')
    const ear = await startEavesdropper()
    await ear.multicast.close()
    const taken = createSocket({ type: 'udp4', reuseAddr: false })
    await new Promise<void>((resolve) => taken.bind(5_353, LOOPBACK, resolve))
    try {
      const node = await startLanNode({ network: localNetwork(local.network.bootstrap, { lan: true }) })
      const told = new Promise<string>((resolve) => node.on('error', ({ code }) => resolve(code)))
      const other = await startLanNode({ network: localNetwork(local.network.bootstrap) })
      await node.connect(other.publicKey)
      expect(await told).toBe('NETWORK_FAILED')
    } finally {
      await new Promise<void>((resolve) => void taken.close(resolve))
    }
  })
})
