import HyperDHT from 'hyperdht'
import ProtomuxWakeup from 'protomux-wakeup'
import { assertBytes, assertInteger, assertOptions, createEvents, encodeZ32, equalBytes, throwIfAborted, type EventSource } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { deviceSecrets } from '@covey/identity/internal'
import type { ChannelHost } from './channel.js'
import type { Diagnosis } from './diagnosis.js'
import { TransportError } from './errors.js'
import { boundLookups } from './internal/bound-lookups.js'
import { Channels } from './internal/channels/channels.js'
import { guardConnection } from './internal/guards/guard-connection.js'
import { sendSmallBatches } from './internal/guards/small-batches.js'
import { assertUpstream } from './internal/guards/upstream.js'
import { diagnose } from './internal/diagnose.js'
import { Lan } from './internal/lan/lan.js'
import { dhtOptions, listenHost } from './internal/dht-options.js'
import { EarlyNonces } from './internal/session/early-nonces.js'
import { connectPeer, nodeSuspended } from './internal/session/connect-peer.js'
import { allowPunches } from './internal/session/punches.js'
import { SessionSwarm } from './internal/session/session-swarm.js'
import { encodeHints } from './internal/relay/hints.js'
import { Relays } from './internal/relay/relays.js'
import type { PathState, Policy } from './internal/session/peer-state.js'
import { Sessions } from './internal/session/sessions.js'
import { Tcp } from './internal/tcp/tcp.js'
import { closeSwarm, suspendSwarm } from './internal/suspend-swarm.js'
import { Suspension } from './internal/suspension.js'
import { createSwarm } from './internal/swarm.js'
import { registerInternals } from './internal-registry.js'
import { assertNetwork, isLanOn, publicNetwork, type Network } from './network.js'
import { relayTargets, type RelayAddress } from './relay.js'
import { corestoreOf, type Store } from './store.js'
import type { Suspendable } from './suspendable.js'
import { joinTopic, type Topic } from './topic.js'

/** How a peer is reached now. What is written while offline is sent when there is a way again. */
export type Path = PathState

/**
 * Which ways to a peer are used. `auto`: a relay at once, and a direct path as soon as there is one.
 * `direct`: no relay. `relay-only`: nothing is sent to the peer's address, and ours is not told to it; the
 * guide says who still sees it.
 */
export type PathPolicy = Policy

/** How to reach a peer. What is given stays in force until it is given anew. */
export interface ReachOptions {
  /** Where the peer may be met, beside this node's own relays; at most 4. */
  readonly relays?: readonly RelayAddress[] | undefined
  /** Default: that of the node. */
  readonly policy?: PathPolicy | undefined
}

/** What happens on a node. Hints for a display: they may be missed. */
export interface NodeEvents {
  /** A peer's device was met; encrypted end to end, its key proven by the handshake. */
  connect: { readonly peer: string }
  /** The session with a peer's device is over: it closed, or was out of reach for 45 s. */
  disconnect: { readonly peer: string }
  /** A peer is reached in another way, or not any more. */
  path: { readonly peer: string; readonly path: Path }
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
  /**
   * Relays to be reached through, and to reach others through; at most 4. A connection to each is kept.
   * Devices meet at those that they share.
   */
  readonly relays?: readonly RelayAddress[]
  /** Default `auto`. */
  readonly policy?: PathPolicy
  /** How many other devices this one deals with at a time, contacts included; 1 to 1024. Default 64. */
  readonly maxPeers?: number
}

/** More connections than that cost a phone its battery, and help few rooms. */
const DEFAULT_MAX_PEERS = 64

/** A device that a node stays connected with. */
export interface Contact {
  /** The device, by id. */
  readonly peer: string
  /** Stops dialling it. A session that there is stays. Idempotent. */
  close(): void
}

/** One device on the network: one Hyperswarm and one Corestore for everything that it does. */
export interface Node extends EventSource<NodeEvents>, ChannelHost, Suspendable {
  /** The device's ed25519 key, 32 bytes. Peers dial it, and the handshake proves it. */
  readonly publicKey: Uint8Array
  /** {@link publicKey} in z-base-32. */
  readonly id: string
  /** The devices that can be reached now, by id. */
  readonly peers: readonly string[]
  /** The relays that there is a connection to now, by id: the z-base-32 of their keys. */
  readonly relays: readonly string[]
  /** How a peer, by id, is reached now. */
  path(peer: string): Path
  /**
   * Connects to one device, and resolves when its key is proven. The node reconnects by itself while the
   * session lasts; {@link Node.addContact} keeps a peer for good.
   *
   * @param publicKey The key of the device, 32 bytes.
   * @throws {TypeError} when the key is malformed, or this node's own.
   * @throws {TransportError} NODE_CLOSED, NODE_SUSPENDED, PEER_BLOCKED
   * @throws {TransportError} PEER_UNREACHABLE when no way was found in 20 s of dialling, with why as its cause.
   * @throws the signal's `reason` when it is aborted first.
   */
  connect(publicKey: Uint8Array, options?: ReachOptions & { signal?: AbortSignal | undefined }): Promise<void>
  /**
   * Connects to one device and stays with it: whenever it is out of reach it is dialled again, after
   * pauses that grow to a minute.
   *
   * @param publicKey The key of the device, 32 bytes.
   * @throws {TypeError} when the key is malformed, or this node's own.
   * @throws {TransportError} NODE_CLOSED, PEER_BLOCKED
   */
  addContact(publicKey: Uint8Array, options?: ReachOptions): Contact
  /**
   * Ends the session with a device, and has none again until {@link Node.unblock}: then its contacts are dialled again.
   *
   * @throws {TypeError} when the key is malformed, or this node's own.
   */
  block(publicKey: Uint8Array): void
  /** @throws {TypeError} when the key is malformed, or this node's own. */
  unblock(publicKey: Uint8Array): void
  /**
   * Meets whoever else joins the same topic, until the topic is closed.
   *
   * @param topic 32 bytes. Everyone who knows them can find this device, so derive them from a key.
   * @throws {TransportError} NODE_CLOSED
   */
  join(topic: Uint8Array): Topic
  /**
   * Finds out how this device's network is seen from outside, in at most 6 s: for a screen of help, and for
   * reports of what does not work.
   *
   * @throws {TransportError} NODE_CLOSED, NODE_SUSPENDED
   * @throws the signal's `reason` when it is aborted first.
   */
  diagnose(options?: { signal?: AbortSignal | undefined }): Promise<Diagnosis>
  /** Leaves the network and closes the store. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a node. It listens and dials on its own from then on; what it stores is replicated to the
 * peers that prove to know the key of a core, and to nobody else.
 */
export function createNode(init: NodeInit): Node {
  assertOptions(init, 'init', ['identity', 'store', 'network', 'maxPeers', 'relays', 'policy'])
  const { identity, store, network = publicNetwork(), maxPeers = DEFAULT_MAX_PEERS } = init
  assertNetwork(network, 'init.network')
  const targets = init.relays === undefined ? [] : relayTargets(init.relays, 'init.relays')
  const policy = assertPolicy(init.policy, 'init.policy') ?? 'auto'
  assertInteger(maxPeers, 'init.maxPeers', { min: 1, max: 1024 })
  assertUpstream()
  const corestore = corestoreOf(store)
  const { keyPair } = deviceSecrets(identity)
  const events = createEvents<NodeEvents>()

  // Bound to our own hyperdht, whose version is pinned, not to the one that hyperswarm would find.
  const dht = new HyperDHT(dhtOptions(network))
  allowPunches(dht)
  boundLookups(dht)
  const earlyNonces = new EarlyNonces((publicKey) => sessions.nonceFor(publicKey))
  const swarm = createSwarm({
    dht,
    keyPair,
    maxPeers,
    earlyNonces,
    isMet: (publicKey) => (sessions.get(encodeZ32(publicKey))?.path ?? 'offline') !== 'offline',
    oncrossing: (stream) => sessions.accept(stream),
    // Asked before a device is dialled, and before one that dials gets an answer, which would show our address.
    firewall(publicKey, payload) {
      if (payload === null) sessions.meet(publicKey)
      const id = encodeZ32(publicKey)
      return sessions.isBlocked(id) || sessions.policyOf(id) === 'relay-only'
    }
  })
  // What a policy refuses is asked about anew each time.
  swarm.on('ban', (peer) => {
    if (!sessions.isBlocked(encodeZ32(peer.publicKey))) peer.ban(false)
  })
  const sessionSwarm = new SessionSwarm(swarm)
  const wakeup = new ProtomuxWakeup()
  const topics = new Set<Topic>()
  const channels = new Channels()
  const relays: Relays = new Relays({
    dht,
    keyPair,
    relays: policy === 'direct' ? [] : targets,
    isAllowed: (id) => !sessions.isBlocked(id) && sessions.policyOf(id) !== 'direct',
    onconnection: (stream) => sessions.accept(stream),
    onhop: () => sessions.onrelay()
  })
  const own = policy === 'direct' ? [] : (init.relays ?? [])
  const hints = own.length > 0 ? encodeHints(own) : null
  const sessions: Sessions = new Sessions({
    dht,
    keyPair,
    maxPeers,
    earlyNonces,
    relays,
    policy,
    isLocal: network.kind === 'local',
    tcp: new Tcp({ keyPair, host: listenHost(network), onopen: (stream) => sessions.accept(stream) }),
    ...(hints && { hints }),
    onsession(session, peer) {
      session.on('error', () => undefined)
      guardConnection(session)
      sendSmallBatches(session)
      corestore.replicate(session as never)
      wakeup.addStream(session as never)
      sessionSwarm.add(session)
      channels.attach(session, peer)
    },
    onmet: (peer) => void events.emit('connect', { peer }),
    onclose(session, peer, wasMet) {
      channels.detach(session, peer)
      if (wasMet) void events.emit('disconnect', { peer })
    },
    onpath: (peer, path) => void events.emit('path', { peer, path })
  })
  swarm.on('connection', (stream) => sessions.accept(stream))
  const onerror = (message: string) => (cause: Error) => {
    if (closing !== undefined || suspension.isSuspended) return
    void events.emit('error', new TransportError('NETWORK_FAILED', message, { cause, retryable: true }))
  }
  swarm.listen().catch(onerror('This device could not be announced.'))
  // In a local network everybody near would see our address, which `relay-only` is there to hide.
  const isLan = isLanOn(network) && policy !== 'relay-only'
  const lan = !isLan ? null : new Lan({
    dht,
    keyPair,
    topics: () => swarm.topics(),
    sought: () => sessions.sought,
    isWanted: (publicKey) => sessions.isWelcome(publicKey),
    onconnection: (stream) => sessions.accept(stream),
    onerror: onerror('The local network could not be joined; it is tried again when the network changes.')
  })
  void lan?.resume()

  const suspension = new Suspension({
    async suspend() {
      await lan?.suspend()
      await sessions.suspend()
      await suspendSwarm(swarm)
    },
    async resume() {
      await swarm.resume()
      sessions.resume()
      await lan?.resume()
    }
  })
  const suspend = async (isWanted: boolean): Promise<void> => {
    assertOpen()
    await suspension.ask(isWanted)
  }

  let closing: Promise<void> | undefined
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      // Whoever asked for it is told when it fails; what follows has to be done all the same.
      await suspension.settled().catch(() => undefined)
      await channels.close()
      wakeup.destroy()
      await lan?.close()
      await sessions.close()
      await Promise.all([closeSwarm(swarm), ...[...topics].map((topic) => topic.close())])
      await store.close()
    })())

  const assertPeer = (publicKey: Uint8Array): string => {
    assertBytes(publicKey, 'publicKey', 32)
    if (equalBytes(publicKey, keyPair.publicKey)) throw new TypeError('publicKey must be of another device')
    return encodeZ32(publicKey)
  }
  const assertOpen = (): void => {
    if (closing === undefined) return
    throw new TransportError('NODE_CLOSED', 'This node is closed.', { hint: 'Open a new peer.' })
  }
  const reach = (publicKey: Uint8Array, { relays: where, policy: how }: ReachOptions): void => {
    const peer = assertPeer(publicKey)
    const reachThrough = where === undefined ? undefined : relayTargets(where, 'options.relays')
    const ownPolicy = assertPolicy(how, 'options.policy')
    assertOpen()
    if (!sessions.isBlocked(peer)) return sessions.configure(publicKey, { relays: reachThrough, policy: ownPolicy })
    throw new TransportError('PEER_BLOCKED', `The device ${peer} is blocked.`, { hint: 'Unblock it first.' })
  }

  const node: Node = {
    publicKey: identity.device.publicKey,
    id: identity.device.id,
    get peers() {
      return sessions.reachable
    },
    get relays() {
      return relays.open
    },
    path: (peer) => sessions.get(peer)?.path ?? 'offline',
    async connect(publicKey, options = {}) {
      assertOptions(options, 'options', ['signal', 'relays', 'policy'])
      reach(publicKey, options)
      if (suspension.isSuspended) throw nodeSuspended()
      await connectPeer(sessions, publicKey, options.signal)
    },
    addContact(publicKey, options = {}) {
      assertOptions(options, 'options', ['relays', 'policy'])
      reach(publicKey, options)
      const release = sessions.want(publicKey)
      return { peer: encodeZ32(publicKey), close: release }
    },
    block(publicKey) {
      sessions.block(assertPeer(publicKey))
    },
    unblock(publicKey) {
      sessions.unblock(assertPeer(publicKey))
      // Hyperswarm refuses whom its firewall has refused once, until it is told otherwise.
      for (const peer of swarm.peers.values()) if (equalBytes(peer.publicKey, publicKey)) peer.ban(false)
    },
    join(topic) {
      assertBytes(topic, 'topic', 32)
      assertOpen()
      const joined = joinTopic(swarm, topic, {
        onclose: () => topics.delete(joined),
        onerror: onerror('A topic could not be announced or looked up.')
      })
      topics.add(joined)
      return joined
    },
    channel(definition, channelOptions) {
      assertOpen()
      return channels.create(definition, channelOptions)
    },
    async diagnose(options = {}) {
      assertOptions(options, 'options', ['signal'])
      throwIfAborted(options.signal)
      assertOpen()
      if (suspension.isSuspended) throw nodeSuspended()
      return diagnose(dht, relays, options.signal)
    },
    get isSuspended() {
      return suspension.isSuspended
    },
    suspend: () => suspend(true),
    resume: () => suspend(false),
    on: events.on.bind(events),
    once: events.once.bind(events),
    close,
    [Symbol.asyncDispose]: close
  }
  const meetingPlace = own.length > 0 ? encodeHints(own, 1) : null
  registerInternals(node, { corestore, swarm, sessionSwarm, wakeup, meetingPlace, hint: (peer, told) => sessions.hint(peer, told) })
  return node
}

const POLICIES = ['direct', 'auto', 'relay-only']

function assertPolicy(policy: unknown, field: string): PathPolicy | undefined {
  if (policy === undefined || POLICIES.includes(policy as string)) return policy as PathPolicy | undefined
  throw new TypeError(`${field} must be 'direct', 'auto' or 'relay-only'`)
}
