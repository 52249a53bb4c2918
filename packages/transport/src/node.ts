import HyperDHT from 'hyperdht'
import Hyperswarm from 'hyperswarm'
import ProtomuxWakeup from 'protomux-wakeup'
import { assertBytes, assertOptions, createEvents, encodeZ32, type EventSource } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { deviceSecrets } from '@covey/identity/internal'
import { TransportError } from './errors.js'
import { assertUpstream, guardConnection } from './internal/guards/guard-connection.js'
import { registerInternals } from './internal-registry.js'
import { assertNetwork, publicNetwork, type Network } from './network.js'
import { corestoreOf, type Store } from './store.js'
import { joinTopic, type Topic } from './topic.js'

/** What happens on a node. Hints for a display: they may be missed. */
export interface NodeEvents {
  /** A peer's device connected; encrypted end to end, its key proven by the handshake. */
  connect: { readonly peer: string }
  /** A connection to a peer's device ended. */
  disconnect: { readonly peer: string }
  /** Something failed in the background. */
  error: TransportError
}

/** What {@link createNode} needs. */
export interface NodeInit {
  /** Whose device this is; its key is the node's address. */
  readonly identity: LocalIdentity
  /** From `openStore()`; the node closes it when it closes. */
  readonly store: Store
  /** Default {@link publicNetwork}. */
  readonly network?: Network
}

/** One device on the network: one Hyperswarm and one Corestore for everything that it does. */
export interface Node extends EventSource<NodeEvents> {
  /** The device's ed25519 key, 32 bytes. Peers dial it, and the handshake proves it. */
  readonly publicKey: Uint8Array
  /** {@link publicKey} in z-base-32. */
  readonly id: string
  /** The devices connected now, by id. */
  readonly peers: readonly string[]
  /**
   * Meets whoever else joins the same topic, until the topic is closed.
   *
   * @param topic 32 bytes. Everyone who knows them can find this device, so derive them from a key.
   * @throws {TransportError} NODE_CLOSED
   */
  join(topic: Uint8Array): Topic
  /** Leaves the network and closes the store. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a node. It listens and dials on its own from then on; what it stores is replicated to the
 * peers that prove to know the key of a core, and to nobody else.
 */
export function createNode(init: NodeInit): Node {
  assertOptions(init, 'init', ['identity', 'store', 'network'])
  const { identity, store, network = publicNetwork() } = init
  assertNetwork(network, 'init.network')
  assertUpstream()
  const corestore = corestoreOf(store)
  const { keyPair } = deviceSecrets(identity)
  const events = createEvents<NodeEvents>()

  // Bound to our own hyperdht, whose version is pinned, not to the one that hyperswarm would find.
  const dht = new HyperDHT(dhtOptions(network))
  const swarm = new Hyperswarm({ dht, keyPair })
  const wakeup = new ProtomuxWakeup()
  const topics = new Set<Topic>()

  swarm.on('connection', (stream) => {
    const peer = encodeZ32(stream.remotePublicKey)
    // A stream that breaks is an everyday thing: its end is told by `disconnect`.
    stream.on('error', () => undefined)
    stream.on('close', () => void events.emit('disconnect', { peer }))
    guardConnection(stream)
    corestore.replicate(stream)
    wakeup.addStream(stream)
    void events.emit('connect', { peer })
  })

  let closing: Promise<void> | undefined
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      await Promise.all([...topics].map((topic) => topic.close()))
      wakeup.destroy()
      await swarm.destroy()
      await store.close()
    })())

  const node: Node = {
    publicKey: identity.device.publicKey,
    id: identity.device.id,
    get peers() {
      return [...swarm.connections].map((stream) => encodeZ32(stream.remotePublicKey))
    },
    join(topic) {
      assertBytes(topic, 'topic', 32)
      if (closing !== undefined) {
        throw new TransportError('NODE_CLOSED', 'This node is closed.', { hint: 'Open a new peer.' })
      }
      const joined = joinTopic(swarm, topic, {
        onclose: () => topics.delete(joined),
        onerror: (cause) => {
          const message = 'A topic could not be announced or looked up.'
          void events.emit('error', new TransportError('NETWORK_FAILED', message, { cause, retryable: true }))
        }
      })
      topics.add(joined)
      return joined
    },
    on: events.on.bind(events),
    once: events.once.bind(events),
    close,
    [Symbol.asyncDispose]: close
  }
  registerInternals(node, { corestore, swarm, wakeup })
  return node
}

/**
 * A local network is told the address to listen on: the first bootstrap node's, if it is this machine.
 * On all interfaces, a node takes itself for another than its peers see, and connections get lost.
 */
function dhtOptions(network: Network): ConstructorParameters<typeof HyperDHT>[0] {
  if (network.kind === 'public') return {}
  const isLoopback = network.bootstrap.every(({ host }) => host === 'localhost' || host.startsWith('127.'))
  return { bootstrap: [...network.bootstrap], ...(isLoopback && { host: '127.0.0.1' }) }
}
