import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import { createLocalNetwork, type LocalNetwork } from '@covey/testing'
import { createNode, defineChannel, localNetwork, openStore, type Channel, type Node } from '@covey/transport'

/** What has to be loaded, compiled and cached once is there after so many. */
const WARM_UP_CYCLES = 30
/** A whole device comes and goes at each of these. */
const DEVICE_EVERY = 20
/** What the collector may leave behind, beyond 20 KB a cycle; what leaks is a session of 100 KB at least. */
const RSS_SLACK_BYTES = 48 * 1024 * 1024
const RSS_BYTES_PER_CYCLE = 20 * 1024

const PING = defineChannel({ name: 'proof/ping', version: 1 })

interface Device {
  readonly node: Node
  readonly channel: Channel
  close(): Promise<void>
}

/**
 * Two devices meet, say something on a channel, by message and by datagram, and part for good, again and again;
 * afterwards the process holds as many handles as before, and hardly more memory.
 */
export async function proveConnects(cycles: number): Promise<void> {
  const network = await createLocalNetwork()
  const [a, b] = await Promise.all([openDevice(network), openDevice(network)])
  try {
    for (let i = 0; i < WARM_UP_CYCLES; i++) await cycle(a, b, i, network)
    const before = await measure()
    for (let i = 0; i < cycles; i++) await cycle(a, b, i, network)
    const after = await measure(before.handles)
    console.log(`${cycles} cycles: ${show(before)} before, ${show(after)} after`)
    if (after.handles > before.handles) throw new Error(`${after.handles - before.handles} handles were left open: ${after.kinds}`)
    const allowed = RSS_SLACK_BYTES + cycles * RSS_BYTES_PER_CYCLE
    if (after.rss - before.rss > allowed) throw new Error(`Memory grew by ${after.rss - before.rss} bytes, of ${allowed} allowed.`)
  } finally {
    await Promise.all([a.close(), b.close()])
    await network.close()
  }
}

async function cycle(a: Device, b: Device, i: number, network: LocalNetwork): Promise<void> {
  if (i % DEVICE_EVERY === 0) {
    const visitor = await openDevice(network)
    await meet(visitor, a)
    await visitor.close()
  }
  // Who dials and who hangs up takes turns.
  const [near, far] = i % 2 === 0 ? [a, b] : [b, a]
  await meet(near, far)
  const gone = far.node.once('disconnect')
  near.node.block(far.node.publicKey)
  await gone
  near.node.unblock(far.node.publicKey)
  if (i % 10 === 0) {
    await near.node.suspend()
    await near.node.resume()
  }
}

async function meet(near: Device, far: Device): Promise<void> {
  await near.node.connect(far.node.publicKey)
  await near.channel.opened(far.node.id)
  await near.channel.send(far.node.id, Uint8Array.of(1))
  near.channel.sendDatagram(far.node.id, Uint8Array.of(2))
  for await (const { peer } of far.channel.messages()) if (peer === near.node.id) return
}

async function openDevice(network: LocalNetwork): Promise<Device> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-connects-'))
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  const node = createNode({ identity, store: await openStore(folder), network: localNetwork(network.bootstrap) })
  return {
    node,
    channel: node.channel(PING, { peers: 'any' }),
    async close() {
      await node.close()
      await identity.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

interface Measured {
  readonly handles: number
  readonly kinds: string
  readonly rss: number
}

/** HyperDHT remembers a handshake for ten seconds, each by a timer (hyperdht lib/server.js, `handshakeClearWait`). */
const SETTLE_MS = 12_000
const LOOK_MS = 500

/** The least of several looks: sockets close, and timers of what has ended run out, in their own time. */
async function measure(enoughHandles = 0): Promise<Measured> {
  let least: Measured | undefined
  for (let i = 0; i < SETTLE_MS / LOOK_MS; i++) {
    await setTimeout(LOOK_MS)
    globalThis.gc?.()
    const resources = process.getActiveResourcesInfo()
    const kinds = [...new Set(resources)].map((kind) => `${resources.filter((each) => each === kind).length} ${kind}`).join(', ')
    const now = { handles: resources.length, kinds, rss: process.memoryUsage().rss }
    if (least === undefined || now.handles < least.handles || (now.handles === least.handles && now.rss < least.rss)) least = now
    if (least.handles <= enoughHandles) break
  }
  return least!
}

function show({ kinds, rss }: Measured): string {
  return `${kinds}; ${(rss / 1e6).toFixed(0)} MB`
}
