import type Corestore from 'corestore'
import type ProtomuxWakeup from 'protomux-wakeup'
import { expect, onTestFinished, test } from 'vitest'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import { createNode, openStore, TransportError, type NodeInit } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { codeOf, connected, startNode, temporaryFolder, topicOf, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('two nodes meet by a topic, each under the key of its device', async () => {
  const [a, b] = await Promise.all([startNode(net), startNode(net)])
  const seen = [a.once('connect'), b.once('connect')]
  await a.join(topicOf('tea')).flushed()
  b.join(topicOf('tea'))
  expect(await Promise.all(seen)).toEqual([{ peer: b.id }, { peer: a.id }])
  expect(a.peers).toEqual([b.id])
  expect(b.peers).toEqual([a.id])
})

test('nodes that join at the same moment meet', { timeout: 20_000 }, async () => {
  // The DHT answers each before it knows of the other. Several pairs, because one may be lucky.
  const pairs = await Promise.all([1, 2, 3].map(() => Promise.all([startNode(net), startNode(net)])))
  const met = pairs.flatMap(([a, b]) => [connected(a, b.id), connected(b, a.id)])
  pairs.forEach(([a, b], i) => [a, b].forEach((node) => node.join(topicOf(`pair ${i}`))))
  await Promise.all(met)
})

test('who is on another topic is not met', async () => {
  const [a, b, both] = await Promise.all([startNode(net), startNode(net), startNode(net)])
  await a.join(topicOf('left')).flushed()
  const right = b.join(topicOf('right'))
  await right.flushed()
  both.join(topicOf('left'))
  both.join(topicOf('right'))
  await Promise.all([connected(a, both.id), connected(b, both.id), right.flushed()])
  expect(a.peers).toEqual([both.id])
  expect(b.peers).toEqual([both.id])
})

test('a topic that was closed is no longer announced', async () => {
  const [a, b, c] = await Promise.all([startNode(net), startNode(net), startNode(net)])
  const topic = a.join(topicOf('left early'))
  await topic.flushed()
  await topic.close()
  await topic.close()
  await b.join(topicOf('left early')).flushed()
  const late = c.join(topicOf('left early'))
  await Promise.all([connected(c, b.id), late.flushed()])
  expect(a.peers).toEqual([])
})

test('tells when a connection ends', async () => {
  const [a, b] = await Promise.all([startNode(net), startNode(net)])
  await a.join(topicOf('short')).flushed()
  b.join(topicOf('short'))
  await Promise.all([connected(a, b.id), connected(b, a.id)])
  const ended = a.once('disconnect')
  await b.close()
  expect(await ended).toEqual({ peer: b.id })
  expect(a.peers).toEqual([])
})

test('tells peers of the same capability what was written', async () => {
  const [a, b] = await Promise.all([startNode(net), startNode(net)])
  const capability = topicOf('wakeup')
  const hint = { key: topicOf('writer'), length: 7 }
  const announced = new Promise((resolve) => {
    ;(partsOf(b).wakeup as ProtomuxWakeup).session(capability, { onannounce: resolve })
  })
  ;(partsOf(a).wakeup as ProtomuxWakeup).session(capability, {
    onpeeradd: (peer, session) => session.announce(peer, [hint])
  })
  await a.connect(b.publicKey)
  expect(await announced).toEqual([{ key: Buffer.from(hint.key), length: 7 }])
})

test('replicates a core to a peer that knows its key', async () => {
  const [a, b] = await Promise.all([startNode(net), startNode(net)])
  const mine = (partsOf(a).corestore as Corestore).get({ name: 'notes' })
  await mine.append(new Uint8Array([1, 2, 3]))
  const theirs = (partsOf(b).corestore as Corestore).get({ key: mine.key! })
  const block = theirs.get(0)
  await a.join(topicOf('notes')).flushed()
  b.join(topicOf('notes'))
  expect(new Uint8Array((await block) as Uint8Array)).toEqual(new Uint8Array([1, 2, 3]))
})

test('a closed node has left: its store is free, its topics are closed, and it joins no more', async () => {
  const node = await startNode(net)
  const topic = node.join(topicOf('closing'))
  const folder = await temporaryFolder()
  const other = await startNode(net, folder)
  expect(await codeOf(() => openStore(folder))).toBe('STORAGE_LOCKED')

  await Promise.all([other.close(), other.close()])
  await other.close()
  await other[Symbol.asyncDispose]()
  await (await openStore(folder)).close()

  await node.close()
  await topic.close()
  expect(() => node.join(topicOf('closing'))).toThrow(TransportError)
  expect(await codeOf(() => node.join(topicOf('closing')))).toBe('NODE_CLOSED')
})

test('a node may be closed while it joins', async () => {
  const node = await startNode(net)
  const errors: unknown[] = []
  node.on('error', (error) => errors.push(error))
  const topic = node.join(topicOf('hurry'))
  const flushed = topic.flushed()
  await node.close()
  await flushed.catch(() => undefined)
  expect(errors).toEqual([])
})

test.each([['short', new Uint8Array(31)], ['long', new Uint8Array(33)], ['text', 'x'.repeat(32)], ['none', undefined]])(
  'a topic that is %s is refused by name',
  async (_, topic) => {
    const node = await startNode(net)
    expect(() => node.join(topic as Uint8Array)).toThrow(TypeError)
    expect(() => node.join(topic as Uint8Array)).toThrow(/^topic must be/)
  }
)

test('what it is made of is checked, and stays the caller’s when it is refused', async () => {
  const folder = await temporaryFolder()
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  const store = await openStore(folder)
  onTestFinished(() => store.close())
  const made = (init: object) => () => createNode(init as NodeInit)

  expect(made({ identity, store, netwrok: { kind: 'public' } })).toThrow(/did you mean "network"/)
  expect(made({ identity, store: { folder, close: async () => undefined } })).toThrow('store must come from openStore()')
  expect(made({ identity: {}, store })).toThrow(TypeError)
  expect(() => partsOf({} as never)).toThrow('node must come from createNode()')
  await store.close()
})
