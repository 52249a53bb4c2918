import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type Hyperswarm from 'hyperswarm'
import { createFileSecretStore, openIdentity } from '@covey/identity'
import { createNode, localNetwork, openStore, parseRelay, type Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import type { SessionSwarm } from '../src/internal/session/session-swarm.js'
import type { Session } from '../src/internal/session/session.js'
import { checkedTransfers, type Checked } from './checked.js'
import { streamOf } from './stream.js'

/** What the laboratory tells a peer to do; its README describes the contract. */
interface Config {
  readonly role: 'listen' | 'connect'
  /** `host:port` */
  readonly bootstrap: readonly string[]
  /** To dial by key instead of meeting in the topic: keys in hex, with commas. */
  readonly address?: string
  /** The same for a peer that is started again. */
  readonly seed: string
  readonly topic: string
  /** The line of a relay, for `parseRelay()`. A key alone is of the laboratory's own relays, which speak another protocol. */
  readonly relay?: string | null
  readonly opts: {
    /** How the two sides find each other. Default: the topic. */
    readonly by?: 'topic' | 'key'
    /** There is no DHT to wait for. */
    readonly alone?: boolean
    /** When to join, in Unix milliseconds. */
    readonly at?: number
    /** Whether to look in the local network too, as on the public network. Default: yes. */
    readonly lan?: boolean
    /** To be ready without waiting for the announcement. */
    readonly nowait?: boolean
  }
}

interface Lab {
  booted(): void
  event(name: string, data?: object): void
  stream(stream: object, info: { remote(): string | null }): void
}

interface Harness {
  runPeer(peer: { start(config: Config, lab: Lab): Promise<object> }): void
}

const { NATLAB } = process.env
if (NATLAB === undefined) throw new Error('NATLAB must name the folder of the laboratory')
const { runPeer } = (await import(pathToFileURL(join(NATLAB, 'lib/harness.mjs')).href)) as Harness
/** A folder for each process, by its id, so that whoever started it can remove what a killed one left. */
const folder = process.env['NATLAB_PEERS'] ?? join(tmpdir(), 'covey-natlab')

runPeer({
  async start({ relay, ...given }, lab) {
    const config: Config = { ...given, relay: relay?.includes('@') ? relay : null }
    const { role, opts } = config
    const node = await startNode(config)
    // Whoever ends this process does it with a signal, or with the end of its input: nothing is left to close.
    const { swarm, sessionSwarm } = partsOf(node) as { swarm: Hyperswarm; sessionSwarm: SessionSwarm }
    const { dht } = swarm
    // Once for each session, when it begins. Its path is there a moment later.
    let checked: (bytes: number) => Promise<Checked | null> = async () => null
    sessionSwarm.on('connection', (session) => {
      checked = checkedTransfers(session)
      const stream = streamOf(session)
      queueMicrotask(() => lab.stream(stream, { remote: () => remoteOf(session, config) }))
    })
    swarm.on('connection', (stream) => lab.event('link', { dialled: stream.isInitiator }))
    node.on('path', (event) => lab.event('peer-path', event))
    dht.on('network-change', () => lab.event('network-change'))
    dht.on('network-update', () => lab.event('network-update', { online: dht.online, degraded: dht.degraded }))
    // By key, a relay is enough of a network, and all where UDP is blocked. By topic, it is known when the DHT is, as with stock.
    const relayed = config.relay && opts.by === 'key' ? [relayReached(node)] : []
    await Promise.race([dht.fullyBootstrapped(), ...relayed, ...(opts.alone ? [dht.bind()] : [])])
    lab.booted()
    if (opts.at !== undefined) await new Promise((resolve) => setTimeout(resolve, Math.max(0, opts.at! - Date.now())))
    if (opts.by === 'key') await meetByKey(node, config)
    else {
      const topic = node.join(Buffer.from(config.topic, 'hex'))
      if (role === 'listen' && !opts.nowait && !opts.alone) await topic.flushed()
    }
    lab.event('joined')
    const stats = (): object => ({ firewalled: dht.firewalled, randomized: dht.randomized, punches: dht.stats.punches, online: dht.online })
    // Of the newest session.
    return { address: Buffer.from(node.publicKey).toString('hex'), stats, checked: (bytes: number) => checked(bytes) }
  }
})

async function relayReached(node: Node): Promise<void> {
  while (node.relays.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
}

async function startNode({ bootstrap, seed, relay, opts: { lan = true } }: Config): Promise<Node> {
  mkdirSync(folder, { recursive: true })
  const identity = await openIdentity({ storage: createFileSecretStore(join(folder, `identity-${seed}`)) })
  const store = await openStore(join(folder, String(process.pid)))
  return createNode({ identity, store, network: localNetwork(bootstrap, { lan }), ...(relay && { relays: [parseRelay(relay)] }) })
}

async function meetByKey(node: Node, { role, address, relay, opts: { alone } }: Config): Promise<void> {
  if (role === 'listen' && alone) return
  const { swarm } = partsOf(node) as { swarm: Hyperswarm }
  if (role === 'listen') {
    // Where UDP is blocked, the announcement never comes.
    const late = new Promise((resolve) => setTimeout(resolve, 2_000))
    await Promise.all(relay ? [relayReached(node), Promise.race([swarm.listen(), late])] : [swarm.listen()])
  }
  else for (const key of address!.split(',')) node.addContact(Buffer.from(key, 'hex'))
}

/** Where packets to the peer go now. */
function remoteOf(session: Session, { relay }: Config): string | null {
  if (session.active?.isRelayed) return /ws:\/\/([^,]+)/.exec(relay!)![1]!
  const { remoteHost, remotePort } = session.rawStream as { readonly rtt: number; remoteHost?: string; remotePort?: number }
  return remoteHost === undefined || remoteHost === null ? null : `${remoteHost}:${remotePort}`
}
