import { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import NoiseSecretStream from '@hyperswarm/secret-stream'
import type HyperDHT from 'hyperdht'
import { onTestFinished } from 'vitest'
import type { Relays } from '../../src/internal/relay/relays.js'
import type { Session } from '../../src/internal/session/session.js'
import { EarlyNonces } from '../../src/internal/session/early-nonces.js'
import { Sessions } from '../../src/internal/session/sessions.js'
import { Tcp } from '../../src/internal/tcp/tcp.js'

/** One side of a pair: its sessions in order, and what has arrived in the last one. */
export interface Side {
  readonly sessions: Sessions
  readonly keyPair: ReturnType<typeof NoiseSecretStream.keyPair>
  readonly opened: Session[]
  readonly closed: Session[]
  readonly paths: string[]
  /** Whom it has met, and that it met nobody any more. */
  readonly met: boolean[]
  readonly earlyNonces: EarlyNonces
  /** How often it has dialled. */
  readonly dials: { count: number }
  /** Where the DHT tells of the network. */
  readonly network: EventEmitter
  /** What `accept` was given, in order. */
  readonly streams: NoiseSecretStream[]
}

/** Two sides that are connected only by what {@link connect} makes, in memory. */
export function createPair(): { leader: Side; follower: Side } {
  const [a, b] = [createSide(1), createSide(2)]
  const isAbove = Buffer.compare(a.keyPair.publicKey, b.keyPair.publicKey) > 0
  return isAbove ? { leader: a, follower: b } : { leader: b, follower: a }
}

export function createSide(seed: number, maxPeers = 8, relays?: Relays): Side {
  const keyPair = NoiseSecretStream.keyPair(new Uint8Array(32).fill(seed))
  const side = { keyPair, opened: [] as Session[], closed: [] as Session[], paths: [] as string[], met: [] as boolean[], streams: [], dials: { count: 0 }, network: new EventEmitter() }
  const earlyNonces = new EarlyNonces((publicKey) => sessions.nonceFor(publicKey))
  const sessions: Sessions = new Sessions({
    earlyNonces,
    tcp: new Tcp({ keyPair, host: '127.0.0.1', onopen: (stream) => sessions.accept(stream) }),
    dht: undialable(side),
    keyPair,
    maxPeers,
    ...(relays && { relays }),
    onsession(session) {
      session.on('error', () => undefined)
      side.opened.push(session)
    },
    onmet: () => void side.met.push(true),
    onclose(session, _, wasMet) {
      side.closed.push(session)
      if (wasMet) side.met.push(false)
    },
    onpath: (_, path) => void side.paths.push(path)
  })
  onTestFinished(() => sessions.close())
  return { ...side, sessions, earlyNonces }
}

/** A connection between two sides; resolves when both have proven their keys. */
export async function connect(a: Side, b: Side, link?: Duplex): Promise<[NoiseSecretStream, NoiseSecretStream]> {
  const [near, far] = await connectStreams(a, b, link)
  for (const [side, stream] of [[a, near], [b, far]] as const) {
    side.streams.push(stream)
    side.sessions.accept(stream)
  }
  return [near, far]
}

/** @param link what the first has to send is sent by way of. */
export async function connectStreams(a: Side, b: Side, link?: Duplex): Promise<[NoiseSecretStream, NoiseSecretStream]> {
  const [near, far] = [a, b].map(({ keyPair }, i) => new NoiseSecretStream(i === 0, null, { keyPair }))
  const raw = near!.rawStream as unknown as Pipe
  const way = link === undefined ? raw : raw.pipe(link)
  way.pipe(far!.rawStream).pipe(raw)
  for (const [from, to] of [[near!, far!], [far!, near!]] as const) {
    from.on('error', () => undefined)
    // What a stream in memory has not: packets beside its bytes.
    const packets = { send: async (packet: Uint8Array) => (to.rawStream as unknown as { reverse: EventEmitter }).reverse.emit('message', packet) }
    Object.assign(from.rawStream, packets)
  }
  await Promise.all([near!.opened, far!.opened])
  return [near!, far!]
}

interface Pipe {
  pipe(other: object): Pipe
}

/** A DHT where nobody is: what is dialled fails at once. */
function undialable({ dials, network }: Pick<Side, 'dials' | 'network'>): HyperDHT {
  const connectTo = (): NoiseSecretStream => {
    dials.count++
    const stream = new NoiseSecretStream(true, null, { autoStart: false })
    stream.destroy(new Error('Nobody is there.'))
    return stream
  }
  const nobody = { toArray: () => [], bootstrapNodes: [] }
  return Object.assign(network, nobody, { connect: connectTo }) as unknown as HyperDHT
}
