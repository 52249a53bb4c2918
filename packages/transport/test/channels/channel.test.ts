import { expect, test } from 'vitest'
import { defineChannel, type ChannelDefinition } from '@covey/transport'
import { codeOf, startNode, useLocalNetwork } from '../support.js'
import { bytes, isPending, openPair, take, text } from './support.js'

const net = useLocalNetwork()

test('messages arrive, whole and in order, under the key of who sent them', async () => {
  const { nodes, channels } = await openPair(net, text)
  const sent = Array.from({ length: 500 }, (_, i) => `message ${i}`)
  for (const message of sent) await channels[0].send(nodes[1].id, message)
  const arrived = await take(channels[1].messages(), 500)
  expect(arrived.map(({ message }) => message)).toEqual(sent)
  expect(new Set(arrived.map(({ peer }) => peer))).toEqual(new Set([nodes[0].id]))
  await channels[1].send(nodes[0].id, 'and back')
  expect(await take(channels[0].messages(), 1)).toEqual([{ peer: nodes[1].id, message: 'and back' }])
  expect([channels[0].peers, channels[1].peers]).toEqual([[nodes[1].id], [nodes[0].id]])
})

test('who leaves the loop comes back for the rest, and it ends when the channel is closed', async () => {
  const { nodes, channels } = await openPair(net, text)
  for (const message of ['a', 'b', 'c']) await channels[0].send(nodes[1].id, message)
  expect(await take(channels[1].messages(), 1)).toMatchObject([{ message: 'a' }])
  expect(await take(channels[1].messages(), 1)).toMatchObject([{ message: 'b' }])
  const closed = channels[0].once('close')
  await channels[1].close()
  expect(await closed).toEqual({ peer: nodes[1].id, code: 'CHANNEL_CLOSED', isRemote: true })
  expect(await codeOf(() => channels[0].send(nodes[1].id, 'too late'))).toBe('CHANNEL_CLOSED')
  const rest: string[] = []
  for await (const { message } of channels[1].messages()) rest.push(message)
  expect(rest).toEqual(['c'])
  await channels[1].close()
  expect(await codeOf(() => channels[1].opened(nodes[0].id))).toBe('CHANNEL_CLOSED')
})

test('who leaves while waiting is done at once, and takes nothing from others', async () => {
  const { nodes, channels } = await openPair(net, text)
  const [leaving, staying] = [0, 1].map(() => channels[1].messages()[Symbol.asyncIterator]())
  const [left, stayed] = [leaving!.next(), staying!.next()]
  await leaving!.return!()
  expect(await left).toEqual({ done: true, value: undefined })
  await channels[0].send(nodes[1].id, 'hello')
  expect(await stayed).toEqual({ done: false, value: { peer: nodes[0].id, message: 'hello' } })
  expect(() => channels[1].messages({ signal: 'no' } as never)).toThrow(/^options.signal must be/)
})

test('it opens when the second has it too, and again when it is opened again', async () => {
  const { nodes, channels } = await openPair(net, text)
  await channels[1].close()
  await channels[0].once('close')
  const opened = channels[0].opened(nodes[1].id)
  expect(await isPending(opened)).toBe(true)
  const again = nodes[1].channel(text, { peers: 'any' })
  await opened
  await channels[0].send(nodes[1].id, 'hello again')
  expect(await take(again.messages(), 1)).toMatchObject([{ message: 'hello again' }])
})

test('a channel is with those that both sides allow', async () => {
  const [a, b, c] = await Promise.all([startNode(net), startNode(net), startNode(net)])
  const mine = a.channel(text, { peers: [b.id] })
  const theirs = [b, c].map((node) => node.channel(text, { peers: 'any' }))
  await Promise.all([b, c].map((node) => a.connect(node.publicKey)))
  await mine.opened(b.id)
  const withC = mine.opened(c.id)
  expect(await isPending(withC)).toBe(true)
  expect(theirs[1]!.peers).toEqual([])
  mine.allow(c.id)
  await withC
  const refused = theirs[0]!.once('close')
  mine.refuse(b.id)
  expect(await refused).toEqual({ peer: a.id, code: 'CHANNEL_CLOSED', isRemote: true })
  expect(mine.peers).toEqual([c.id])
  theirs[0]!.allow(a.id)
  expect(await isPending(mine.opened(b.id))).toBe(true)
  mine.allow(b.id)
  await mine.opened(b.id)
})

test('other names and versions do not meet, and one is open once on a node', async () => {
  const { nodes, channels } = await openPair(net, text)
  const other = nodes[0].channel(defineChannel({ name: 'test/text', version: 2 }), { peers: 'any' })
  const late = nodes[1].channel(defineChannel({ name: 'test/text', version: 3 }), { peers: 'any' })
  await channels[0].send(nodes[1].id, 'for version 1')
  await take(channels[1].messages(), 1)
  expect([other.peers, late.peers]).toEqual([[], []])
  expect(await codeOf(() => nodes[0].channel(text, { peers: 'any' }))).toBe('CHANNEL_IN_USE')
})

test('a reader that does not read holds up the sender, and only on this channel', { timeout: 20_000 }, async () => {
  const { nodes, channels } = await openPair(net, bytes)
  const quick = nodes.map((node) => node.channel(text, { peers: 'any' }))
  await quick[0]!.opened(nodes[1].id)
  const large = new Uint8Array(65_536)
  let count = 0
  for (; count < 64; count++) if (await isPending(channels[0].send(nodes[1].id, large))) break
  expect(count).toBeGreaterThanOrEqual(15)
  expect(count).toBeLessThan(17)
  // The session has room: another channel of it goes on.
  for (let i = 0; i < 100; i++) await quick[0]!.send(nodes[1].id, `ping ${i}`)
  expect(await take(quick[1]!.messages(), 100)).toHaveLength(100)
  expect(await take(channels[1].messages(), count + 1)).toHaveLength(count + 1)
})

test('a send that waits is given up when its signal says so, and was not sent', async () => {
  const { nodes, channels } = await openPair(net, bytes)
  const large = new Uint8Array(65_536)
  while (!(await isPending(channels[0].send(nodes[1].id, large), 50)));
  const giveUp = new AbortController()
  const aborted = channels[0].send(nodes[1].id, Uint8Array.of(1), { signal: giveUp.signal })
  const kept = channels[0].send(nodes[1].id, Uint8Array.of(2))
  giveUp.abort(new Error('enough'))
  await expect(aborted).rejects.toThrow('enough')
  for await (const { message } of channels[1].messages()) {
    if (message.length > 1) continue
    expect(message).toEqual(Uint8Array.of(2))
    break
  }
  await kept
  await expect(take(channels[1].messages({ signal: AbortSignal.timeout(50) }), 1)).rejects.toThrow(/timeout/)
})

test('a peer that goes away ends its channel: what waits is refused, what came stays', async () => {
  const { nodes, channels } = await openPair(net, bytes)
  await channels[1].send(nodes[0].id, Uint8Array.of(7))
  const large = new Uint8Array(65_536)
  const sends: Promise<unknown>[] = []
  for (let i = 0; i < 20; i++) sends.push(channels[0].send(nodes[1].id, large).catch((error: unknown) => error))
  await channels[0].messages()[Symbol.asyncIterator]().next()
  const closed = channels[0].once('close')
  await nodes[1].close()
  expect(await closed).toEqual({ peer: nodes[1].id, code: 'PEER_DISCONNECTED', isRemote: false })
  expect((await Promise.all(sends)).at(-1)).toMatchObject({ code: 'CHANNEL_CLOSED' })
})

test('a message is of any size up to the limit, of either side', async () => {
  const small = defineChannel({ name: 'test/sized', version: 1, maxMessageBytes: 10 })
  const large = defineChannel({ name: 'test/sized', version: 1, maxMessageBytes: 1024 * 1024 })
  const [a, b] = await Promise.all([startNode(net), startNode(net)])
  const [mine, theirs] = [a.channel(large, { peers: 'any' }), b.channel(small, { peers: 'any' })]
  await a.connect(b.publicKey)
  await Promise.all([mine.opened(b.id), theirs.opened(a.id)])
  await mine.send(b.id, new Uint8Array(0))
  await mine.send(b.id, new Uint8Array(10).fill(1))
  expect(await codeOf(() => mine.send(b.id, new Uint8Array(11)))).toBe('MESSAGE_TOO_LARGE')
  expect((await take(theirs.messages(), 2)).map(({ message }) => message.length)).toEqual([0, 10])
  await Promise.all([mine.close(), theirs.close()])
  const both = [a, b].map((node) => node.channel(large, { peers: 'any' }))
  await both[0]!.opened(b.id)
  const largest = Uint8Array.from({ length: 1024 * 1024 }, (_, i) => i * 31)
  const arrived = take(both[1]!.messages(), 3)
  for (let i = 0; i < 3; i++) await both[0]!.send(b.id, largest)
  for (const { message } of await arrived) expect(Buffer.compare(message, largest)).toBe(0)
})

test('messages cross a break of the connection, each once', { timeout: 30_000 }, async () => {
  const { nodes, channels } = await openPair(net, text)
  const count = 3_000
  const arrived = take(channels[1].messages(), count)
  for (let i = 0; i < count; i++) {
    if (i === count / 2) {
      const { partsOf } = await import('@covey/transport/internal')
      for (const stream of (partsOf(nodes[1]).swarm as { connections: Set<{ destroy(): void }> }).connections) stream.destroy()
    }
    await channels[0].send(nodes[1].id, String(i))
  }
  expect((await arrived).map(({ message }) => message)).toEqual(Array.from({ length: count }, (_, i) => String(i)))
})

test('what it is made of is checked, by name', async () => {
  const node = await startNode(net)
  const define = (init: object) => () => defineChannel(init as ChannelDefinition)
  expect(define({ name: 'Shout', version: 1 })).toThrow(/^definition.name must be/)
  expect(define({ name: 'x'.repeat(65), version: 1 })).toThrow(/^definition.name must be/)
  expect(define({ name: 'x', version: -1 })).toThrow(/^definition.version must be/)
  expect(define({ name: 'x', version: 1, maxMessageBytes: 1024 * 1024 + 1 })).toThrow(/^definition.maxMessageBytes must be/)
  expect(define({ name: 'x', version: 1, codec: { encode: () => 1 } })).toThrow(/^definition.codec.decode must be/)
  expect(define({ name: 'x', version: 1, codecs: {} })).toThrow(/did you mean "codec"/)
  const open = (options: object) => () => node.channel(bytes, options as never)
  expect(open({})).toThrow(/^options.peers must be/)
  expect(open({ peers: 'all' })).toThrow(/^options.peers must be/)
  expect(open({ peers: ['bob'] })).toThrow(/^peer must be a key/)
  expect(open({ peers: 'any', maxBytesPerSecond: 0 })).toThrow(/^options.maxBytesPerSecond must be/)
  const channel = node.channel(bytes, { peers: [] })
  expect(() => channel.allow('bob')).toThrow(/^peer must be a key/)
  expect(await codeOf(() => channel.send(node.id, 'text' as never))).toBe('CHANNEL_CLOSED')
  await node.close()
  expect(await codeOf(() => node.channel(bytes, { peers: 'any' }))).toBe('NODE_CLOSED')
})
