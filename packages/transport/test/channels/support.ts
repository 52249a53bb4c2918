import type Hyperswarm from 'hyperswarm'
import { defineChannel, type Channel, type ChannelDefinition, type ChannelOptions, type Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { startNode, type useLocalNetwork } from '../support.js'

export const text = defineChannel<string>({
  name: 'test/text',
  version: 1,
  codec: { encode: (message) => new TextEncoder().encode(message), decode: (bytes) => new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
})
export const bytes = defineChannel({ name: 'test/bytes', version: 1 })

/** Two nodes that are connected, each with the channel, open with each other. */
export async function openPair<Message>(
  net: ReturnType<typeof useLocalNetwork>,
  definition: ChannelDefinition<Message>,
  options: Partial<ChannelOptions> = {}
): Promise<{ nodes: [Node, Node]; channels: [Channel<Message>, Channel<Message>] }> {
  const nodes = (await Promise.all([startNode(net), startNode(net)])) as [Node, Node]
  const channels = nodes.map((node) => node.channel(definition, { peers: 'any', ...options })) as [Channel<Message>, Channel<Message>]
  // Until it is announced, nobody finds it.
  await (partsOf(nodes[1]).swarm as Hyperswarm).listen()
  await nodes[0].connect(nodes[1].publicKey)
  await Promise.all([channels[0].opened(nodes[1].id), channels[1].opened(nodes[0].id)])
  return { nodes, channels }
}

/** The next `count` values. */
export async function take<Value>(values: AsyncIterable<Value>, count: number): Promise<Value[]> {
  const taken: Value[] = []
  if (count === 0) return taken
  for await (const value of values) if (taken.push(value) === count) break
  return taken
}

/** Whether a promise is still pending after everything that is ready has run, and some time. */
export async function isPending(promise: Promise<unknown>, forMs = 150): Promise<boolean> {
  const settled = promise.then(
    () => false,
    () => false
  )
  return Promise.race([settled, new Promise<boolean>((resolve) => setTimeout(resolve, forMs, true))])
}
