// Who invites, who wants in, and who only knows the topic: on Hyperswarm and blind-pairing themselves.
import { createRequire } from 'node:module'
import BlindPairing, { type Member } from 'blind-pairing'
import core, { type MemberRequest } from 'blind-pairing-core'
import c from 'compact-encoding'
import type HyperDHT from 'hyperdht'
import type Hyperswarm from 'hyperswarm'
import type Protomux from 'protomux'
import type { Channel } from 'protomux'
import sodium from 'sodium-universal'
import { createLocalNetwork, type LocalNetwork } from '@covey/testing'
import { guardPairing } from '../../../src/internal/guards/guard-pairing.js'
import { pause } from './pause.js'

// Not the connections of @covey/transport, which have a guard of their own.
const transport = createRequire(new URL('../../../../transport/package.json', import.meta.url))
const Swarm = transport('hyperswarm') as typeof Hyperswarm
const DHT = transport('hyperdht') as typeof HyperDHT
const Mux = createRequire(transport.resolve('hypercore'))('protomux') as typeof Protomux

const ROOM_KEY = new Uint8Array(32).fill(1)
const POLL_MS = 400

export class PairingWorld {
  readonly invite = core.createInvite(ROOM_KEY)
  readonly topic = this.invite.discoveryKey
  readonly swarms: Hyperswarm[] = []
  readonly warnings: string[] = []
  readonly refusals: string[] = []
  inviter!: Member
  /** How many requests are being answered, now and at most. */
  answering = 0
  most = 0
  answerMs = 0
  #network!: LocalNetwork

  constructor(readonly guarded: boolean) {}

  async open(): Promise<void> {
    this.#network = await createLocalNetwork()
    this.inviter = this.#pairing().addMember({ discoveryKey: this.topic, onadd: (request) => this.#answer(request) })
    await this.inviter.ready()
    await this.inviter.flushed()
  }

  swarm(): Hyperswarm {
    const dht = new DHT({ bootstrap: [...this.#network.bootstrap], host: '127.0.0.1' })
    const swarm = new Swarm({ dht })
    swarm.on('connection', (stream) => {
      stream.on('error', () => undefined)
      Mux.from(stream)
    })
    this.swarms.push(swarm)
    return swarm
  }

  #pairing(): BlindPairing {
    const pairing = new BlindPairing(this.swarm(), { poll: POLL_MS })
    if (this.guarded) guardPairing(pairing, (error) => this.warnings.push((error as Error).message))
    return pairing
  }

  async #answer(request: MemberRequest): Promise<void> {
    this.most = Math.max(this.most, ++this.answering)
    try {
      if (this.answerMs > 0) await pause(this.answerMs)
      request.open(this.invite.publicKey)
      request.confirm({ key: ROOM_KEY })
    } finally {
      this.answering--
    }
  }

  /** Somebody who holds the invite asks to be let in. */
  async pairs(userData: Uint8Array = random(64), timeoutMs = 6_000): Promise<void> {
    const candidate = this.#pairing().addCandidate({ invite: this.invite.invite, userData })
    candidate.request.on('rejected', (error) => this.refusals.push(error.message))
    await Promise.race([new Promise((resolve) => candidate.request.on('accepted', resolve)), pause(timeoutMs)])
    const { paired } = candidate
    if (this.refusals.length > 0) throw new Error(`refused: ${this.refusals.join('; ')}`)
    if (paired === null) throw new Error('nobody answered')
  }

  /** A channel to each peer on the topic that speaks the pairing protocol. */
  async hostile(onrequest: (request: Uint8Array, channel: Channel) => void = () => undefined): Promise<Channel[]> {
    const swarm = this.swarm()
    const channels: Channel[] = []
    const opened = new Promise<void>((resolve) => {
      swarm.on('connection', (stream) => {
        const mux = Mux.from(stream as never)
        const channel = mux.createChannel({
          protocol: 'blind-pairing',
          id: this.topic,
          messages: [
            { encoding: c.buffer, onmessage: (request: Uint8Array) => onrequest(request, channel!) },
            { encoding: c.buffer }
          ] as never,
          onopen: () => resolve()
        })
        channel?.open()
        if (channel) channels.push(channel)
      })
    })
    await swarm.join(this.topic).flushed()
    await swarm.flush()
    await Promise.race([opened, pause(5_000)])
    return channels
  }

  async close(): Promise<void> {
    await Promise.all(this.swarms.map((swarm) => swarm.destroy()))
    await this.#network.close()
  }
}

export function random(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  sodium.randombytes_buf(bytes)
  return bytes
}

/** `invite id | session | sealed`, each of any length. */
function requestOf(invite: Uint8Array, session: Uint8Array | null, sealed: Uint8Array | null): Buffer {
  const parts = [session, sealed].map((part) => Buffer.from(c.encode(c.optionalBuffer, part as never)))
  return Buffer.concat([invite, ...parts])
}

function send(channel: Channel, message: 0 | 1, bytes: Uint8Array): void {
  channel.messages[message]!.send(bytes)
}

export const PAIRING_ATTACKS: Readonly<Record<string, (world: PairingWorld) => Promise<void>>> = {
  'request-without-session': async (world) => {
    const [channel] = await world.hostile()
    send(channel!, 0, requestOf(world.invite.id, null, random(200)))
    await pause(500)
  },
  'request-without-session-in-mailbox': async (world) => {
    await fillMailbox((world.swarm() as unknown as { dht: MailboxDht }).dht, world.topic)
    await pause(POLL_MS * 4)
  },
  'request-odd': async (world) => {
    const [channel] = await world.hostile()
    const { id } = world.invite
    const sessions = [random(32), random(31), random(33), random(5_000)]
    const sealed = [null, random(1), random(15), random(16), random(90), random(100_000)]
    for (const session of sessions) for (const data of sealed) send(channel!, 0, requestOf(id, session, data))
    for (const length of [0, 1, 32, 33, 64]) send(channel!, 0, random(length))
    await pause(1_000)
  },
  'request-flood': async (world) => {
    world.answerMs = 300
    const channels = await world.hostile()
    for (let i = 0; i < 2_000; i++) send(channels[0]!, 0, requestOf(world.invite.id, random(32), random(300)))
    await pause(1_500)
    if (world.most > 8) throw new Error(`${world.most} requests at once are being answered`)
  },
  'request-remembered': async (world) => {
    const [channel] = await world.hostile()
    for (let i = 0; i < 12; i++) send(channel!, 0, requestOf(world.invite.id, random(32), random(300)))
    await pause(1_000)
    const { size } = (world.inviter as unknown as { _pendingRequests: Map<string, unknown> })._pendingRequests
    if (size > 0) throw new Error(`${size} failed requests are remembered`)
  },
  'session-repeated': async (world) => {
    world.answerMs = 1_500
    const userData = random(64)
    // It goes over the wire in clear; here it is taken from where it comes from.
    const { session } = new core.CandidateRequest(world.invite.invite, userData)
    const [channel] = await world.hostile()
    const timer = setInterval(() => send(channel!, 0, requestOf(world.invite.id, session, random(300))), 1_000)
    send(channel!, 0, requestOf(world.invite.id, session, random(300)))
    await world.pairs(userData).finally(() => clearInterval(timer))
  },
  'response-forged': async (world) => {
    // Answers at once, where the inviter takes its time: a candidate asks one peer after another.
    world.answerMs = 3_500
    await world.hostile((_, channel) => {
      send(channel, 1, random(200))
      send(channel, 1, Buffer.concat([random(32), Buffer.from([100]), random(100)]))
    })
    await world.pairs(random(64), 9_000)
  }
}

/** Leaves a request without a session where who invites to a room looks for requests. */
async function fillMailbox(dht: MailboxDht, discoveryKey: Uint8Array): Promise<void> {
  const mailbox = dht.defaultKeyPair
  await dht.mutablePut(mailbox, requestOf(random(32), null, random(100)))
  await dht.announce(mailboxTopic(discoveryKey), mailbox).finished()
}

/** As a stranger on the network, with a DHT node of its own. */
export async function strangerFillsMailbox(network: LocalNetwork, discoveryKey: Uint8Array): Promise<void> {
  const dht = new DHT({ bootstrap: [...network.bootstrap], host: '127.0.0.1' })
  await fillMailbox(dht as unknown as MailboxDht, discoveryKey)
  await dht.destroy()
}

interface MailboxDht {
  readonly defaultKeyPair: object
  mutablePut(keyPair: object, value: Uint8Array): Promise<void>
  announce(topic: Uint8Array, keyPair: object): { finished(): Promise<void> }
}

/** blind-pairing, index.js: where candidates announce that there is something in their mailbox. */
function mailboxTopic(discoveryKey: Uint8Array): Uint8Array {
  const namespace = createRequire(transport.resolve('hyperdht'))('hypercore-crypto') as {
    namespace(name: string, count: number): Uint8Array[]
    hash(parts: Uint8Array[]): Uint8Array
  }
  return namespace.hash([namespace.namespace('blind-pairing/dht', 3)[2]!, discoveryKey])
}
